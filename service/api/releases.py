"""The life of a portal's releases: listed, put in force, taken back."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from router_model.registry import Entry, champions
from service import release_changes
from service.access import Asker, Scope, database_of, secret_of, settings_of
from service.api.trainings import GateOut
from service.choices import masked
from service.database.database import Database
from service.once import IdempotencyKey, response
from service.problems import described
from service.release_changes import ChangeOut, told
from service.settings import Settings
from service.wire import Body

router = APIRouter(prefix="/v1/releases", tags=["Rilis"])
Administering = Annotated[Asker, Depends(Scope("admin"))]
Db = Annotated[Database, Depends(database_of)]
Configured = Annotated[Settings, Depends(settings_of)]
Secret = Annotated[bytes, Depends(secret_of)]
ReleaseId = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ReasonIn(Body):
    reason: Annotated[
        str,
        Field(max_length=500, description="Dicatat dalam riwayat; perlu bila uji banding menolak rilis ini"),
    ] = ""


class ReleaseOut(BaseModel):
    id: str
    created_at: datetime | None
    parent: Annotated[str | None, Field(description="Rilis yang berlaku ketika rilis ini dilatih")]
    rows: Annotated[int | None, Field(description="Banyaknya laporan yang dipelajari")]
    in_force: bool
    gate: Annotated[GateOut | None, Field(description="Hasil uji banding; kosong bila tidak diuji")]
    scores: Annotated[dict[str, Any] | None, Field(description="Angka ujian maju menurut waktu")]
    fault: Annotated[str, Field(description="Apa yang rusak; kosong bila tidak ada")]


class ReleasesOut(BaseModel):
    releases: list[ReleaseOut]


def _release_out(entry: Entry, in_force: str | None, registry: Folder) -> ReleaseOut:
    manifest: Mapping[str, Any] = entry.manifest or {}
    return ReleaseOut(
        id=entry.id,
        created_at=manifest.get("created_at"),
        parent=manifest.get("parent"),
        rows=manifest.get("data", {}).get("rows"),
        in_force=entry.id == in_force,
        gate=manifest.get("gate"),
        scores=manifest.get("scores"),
        fault=told(entry.fault, registry),
    )


def _listed(registry: Folder, portal: str) -> ReleasesOut:
    in_force = champions(registry).get(portal)
    found = release_changes.listed(registry, portal)
    return ReleasesOut(releases=[_release_out(entry, in_force, registry) for entry in found])


def _verified(registry: Folder, portal: str, release_id: str) -> ReleaseOut:
    entry = release_changes.verified(registry, portal, release_id)
    return _release_out(entry, champions(registry).get(portal), registry)


@router.get("", summary="Semua rilis portal ini")
async def every(asker: Administering, settings: Configured) -> ReleasesOut:
    """Oldest first, broken ones last. Only manifests are looked at; one release is verified in full by its id."""
    return await asyncio.to_thread(_listed, settings.registry, asker.portal)


@router.get("/{release_id}", summary="Sebuah rilis, diperiksa seutuhnya", responses=described(404, 422))
async def one(release_id: ReleaseId, asker: Administering, settings: Configured) -> ReleaseOut:
    return await asyncio.to_thread(_verified, settings.registry, asker.portal, release_id)


@router.post(
    "/{release_id}/promote",
    response_model=ChangeOut,
    summary="Berlakukan sebuah rilis",
    responses=described(404, 409, 422),
)
async def promote(
    release_id: ReleaseId,
    asker: Administering,
    database: Db,
    settings: Configured,
    secret: Secret,
    body: ReasonIn | None = None,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Verified in full and put in force in one step; requests under way are answered. Against the gate's objections
    only for a reason, which is recorded."""
    reason = masked(body.reason) if body else ""
    asked = release_changes.promoting(asker.portal, idempotency_key, secret, release_id, reason)
    done = release_changes.promote(database, settings.registry, asked, release_id, who=asker.who, reason=reason)
    return response(await done)


@router.post(
    "/rollback",
    response_model=ChangeOut,
    summary="Kembali ke rilis sebelumnya",
    responses=described(409, 422),
)
async def rollback(
    asker: Administering,
    database: Db,
    settings: Configured,
    secret: Secret,
    body: ReasonIn | None = None,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """To the release that was in force before the one now in force; again means further back."""
    reason = masked(body.reason) if body else ""
    asked = release_changes.rolling_back(asker.portal, idempotency_key, secret, reason)
    return response(await release_changes.rollback(database, settings.registry, asked, who=asker.who, reason=reason))
