"""The life of a portal's releases: listed, put in force, taken back."""

import asyncio
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path as Folder
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from router_model import registry as releases
from router_model.errors import ReleaseError
from router_model.registry import Entry, Event, champions, entries, objections, release_folder
from router_model.release import bulleted, faults, read_manifest
from service.access import Asker, Scope, database_of, secret_of, settings_of
from service.api.trainings import GateOut
from service.choices import masked
from service.database import promotions, repeats
from service.database.database import Database
from service.database.repeats import Answer, KeyReusedError, Repeat, once
from service.once import IdempotencyKey, response
from service.problems import described
from service.serving import NoReleaseError, ReleaseRefusedError
from service.settings import Settings
from service.suggesting import fingerprint
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


class ChangeOut(BaseModel):
    release: Annotated[str, Field(description="Rilis yang sekarang berlaku")]
    previous: str | None
    action: Annotated[
        Literal["promote", "overrule", "rollback"],
        Field(description="overrule: diberlakukan dengan alasan walau uji banding menolak"),
    ]
    at: datetime
    by: str
    reason: str


def _is_of(portal: str, entry: Entry) -> bool:
    """A broken release is known by its name alone."""
    if entry.manifest is not None:
        return bool(entry.manifest["portal"] == portal)
    return bool(re.fullmatch(rf"{re.escape(portal)}-\d{{8}}-[0-9a-f]{{8}}", entry.id))


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
        fault=entry.fault.replace(str(registry), "registri"),
    )


def _listed(registry: Folder, portal: str) -> ReleasesOut:
    in_force = champions(registry).get(portal)
    found = [_release_out(entry, in_force, registry) for entry in entries(registry) if _is_of(portal, entry)]
    return ReleasesOut(releases=found)


def _own(registry: Folder, portal: str, release_id: str) -> Entry:
    """Raises `NoReleaseError` for what is not there and for what is another portal's."""
    try:
        folder = release_folder(registry, release_id)
    except ReleaseError:
        raise NoReleaseError from None
    if not folder.is_dir():
        raise NoReleaseError
    try:
        entry = Entry(release_id, read_manifest(folder))
    except ReleaseError as error:
        entry = Entry(release_id, None, str(error))
    if not _is_of(portal, entry):
        raise NoReleaseError
    return entry


def _verified(registry: Folder, portal: str, release_id: str) -> ReleaseOut:
    entry = _own(registry, portal, release_id)
    fault = "\n".join(faults(release_folder(registry, release_id)))
    return _release_out(Entry(entry.id, entry.manifest, fault), champions(registry).get(portal), registry)


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

    def change(request: str) -> Event:
        manifest = _own(settings.registry, asker.portal, release_id).manifest
        try:
            return releases.promote(settings.registry, release_id, by=asker.who, reason=reason, request=request)
        except ReleaseError as error:
            found = objections(manifest, champions(settings.registry).get(asker.portal)) if manifest else []
            if found and not reason:
                raise ReleaseRefusedError(
                    f"Rilis {release_id} tidak diberlakukan:\n{bulleted(found)}\n"
                    "Bila tetap harus berlaku, sertakan reason; alasan itu dicatat."
                ) from None
            raise _refusal(error, settings) from None

    asked = fingerprint(secret, b"promote", release_id.encode(), reason.encode())
    return await _changed_once(asker, database, Repeat(asker.portal, idempotency_key, asked), change)


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

    def change(request: str) -> Event:
        try:
            return releases.rollback(settings.registry, asker.portal, asker.who, reason, request=request)
        except ReleaseError as error:
            raise _refusal(error, settings) from None

    asked = fingerprint(secret, b"rollback", reason.encode())
    return await _changed_once(asker, database, Repeat(asker.portal, idempotency_key, asked), change)


def _refusal(error: ReleaseError, settings: Settings) -> ReleaseRefusedError:
    return ReleaseRefusedError(str(error).replace(str(settings.registry), "registri"))


async def _changed_once(asker: Asker, database: Database, repeat: Repeat, change: Callable[[str], Event]) -> Response:
    """The registry first, then what is told of it. Both know the request by its key, so that one that was cut short
    between them is brought to its end by asking again."""
    repeat = repeat if repeat.key else Repeat(asker.portal)
    before = (await database.read(lambda connection: repeats.find(connection, [repeat]))).get(repeat)
    if isinstance(before, KeyReusedError):
        raise before
    if before:
        return response(before)
    event = await asyncio.to_thread(change, f"{asker.portal}:{repeat.key}" if repeat.key else "")

    def act(connection: Connection) -> Answer:
        promotions.record(connection, portal=event.portal, release=event.release, action=event.action, who=asker.who)
        told = ChangeOut.model_validate(event, from_attributes=True)
        return Answer(200, told.model_dump_json())

    return response(await database.write(lambda connection: once(connection, repeat, act)))
