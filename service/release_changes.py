"""A portal's releases: found, put in force, taken back. Programs ask for it by the API, people on a page."""

import asyncio
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from router_model import registry as releases
from router_model.errors import ReleaseError
from router_model.registry import Entry, Event, champions, entries, objections, release_folder
from router_model.release import bulleted, faults, read_manifest
from service.database import promotions, repeats
from service.database.database import Database
from service.database.repeats import Answer, KeyReusedError, Repeat, once
from service.serving import NoReleaseError, ReleaseRefusedError
from service.suggesting import fingerprint


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


def listed(registry: Path, portal: str) -> list[Entry]:
    """Oldest first, broken ones last. Only manifests are looked at."""
    return [entry for entry in entries(registry) if _is_of(portal, entry)]


def _is_of(portal: str, entry: Entry) -> bool:
    """A broken release is known by its name alone."""
    if entry.manifest is not None:
        return bool(entry.manifest["portal"] == portal)
    return bool(re.fullmatch(rf"{re.escape(portal)}-\d{{8}}-[0-9a-f]{{8}}", entry.id))


def own(registry: Path, portal: str, release_id: str) -> Entry:
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


def verified(registry: Path, portal: str, release_id: str) -> Entry:
    """With every fault of every file. Raises as `own`."""
    entry = own(registry, portal, release_id)
    return Entry(entry.id, entry.manifest, "\n".join(faults(release_folder(registry, release_id))))


def told(fault: str, registry: Path) -> str:
    """Without the place of the registry, which is the operator's matter."""
    return fault.replace(str(registry), "registri")


async def promote(
    database: Database, registry: Path, repeat: Repeat, release_id: str, *, who: str, reason: str
) -> Answer:
    """Verified in full and put in force in one step; against the gate's objections only for a reason, which is
    recorded. What was asked under the key of `repeat` before is answered as then.

    Raises:
        NoReleaseError: no such release of this portal.
        ReleaseRefusedError: it cannot be trusted, or there are objections and no reason.
        KeyReusedError: the key came before with another request.
    """

    def change(request: str) -> Event:
        manifest = own(registry, repeat.portal, release_id).manifest
        try:
            return releases.promote(registry, release_id, by=who, reason=reason, request=request)
        except ReleaseError as error:
            found = objections(manifest, champions(registry).get(repeat.portal)) if manifest else []
            if found and not reason:
                raise ReleaseRefusedError(
                    f"Rilis {release_id} tidak diberlakukan:\n{bulleted(found)}\n"
                    "Bila tetap harus berlaku, sertakan reason; alasan itu dicatat."
                ) from None
            raise ReleaseRefusedError(told(str(error), registry)) from None

    return await _changed_once(database, repeat, who, change)


async def rollback(database: Database, registry: Path, repeat: Repeat, *, who: str, reason: str) -> Answer:
    """To the release that was in force before the one now in force; again means further back. Raises as `promote`."""

    def change(request: str) -> Event:
        try:
            return releases.rollback(registry, repeat.portal, who, reason, request=request)
        except ReleaseError as error:
            raise ReleaseRefusedError(told(str(error), registry)) from None

    return await _changed_once(database, repeat, who, change)


def promoting(portal: str, key: str, secret: bytes, release_id: str, reason: str) -> Repeat:
    return Repeat(portal, key, fingerprint(secret, b"promote", release_id.encode(), reason.encode()))


def rolling_back(portal: str, key: str, secret: bytes, reason: str) -> Repeat:
    return Repeat(portal, key, fingerprint(secret, b"rollback", reason.encode()))


async def _changed_once(database: Database, repeat: Repeat, who: str, change: Callable[[str], Event]) -> Answer:
    """The registry first, then what is told of it. Both know the request by its key, so that one that was cut short
    between them is brought to its end by asking again."""
    repeat = repeat if repeat.key else Repeat(repeat.portal)
    before = (await database.read(lambda connection: repeats.find(connection, [repeat]))).get(repeat)
    if isinstance(before, KeyReusedError):
        raise before
    if before:
        return before
    event = await asyncio.to_thread(change, f"{repeat.portal}:{repeat.key}" if repeat.key else "")

    def act(connection: Connection) -> Answer:
        promotions.record(connection, portal=event.portal, release=event.release, action=event.action, who=who)
        return Answer(200, ChangeOut.model_validate(event, from_attributes=True).model_dump_json())

    return await database.write(lambda connection: once(connection, repeat, act))
