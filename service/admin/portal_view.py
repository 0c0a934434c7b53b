"""What all pages about the portal share: the folder as it is now, what of it does not hold yet, and changing it."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy import Connection
from starlette.datastructures import FormData

from router_model.errors import PortalError, ReleaseError
from router_model.portal import Portal, load_portal
from router_model.registry import Event, champions, release_folder
from router_model.release import Release
from service import portal_folders, portal_release
from service.database import audit, promotions
from service.database.database import Database
from service.pages import page
from service.portal_editing import Edit, EditRefusedError, on_folder
from service.portal_folders import Version
from service.sessions import SignedInUser
from service.settings import Settings
from service.try_page import CERTAINTY_LABELS, kind_label

NOTES = {
    "tersimpan": "Perubahan tersimpan.",
    "nomor": "Nomor darurat tersimpan dan tampil kepada warga dalam beberapa detik.",
    "nomor-nanti": "Nomor darurat tersimpan. Belum dapat diberlakukan sekarang; coba tombol Berlakukan sekarang.",
    "sama": "Tidak ada yang berubah.",
    "kembali": "Versi itu dikembalikan.",
    "berlaku": "Perubahan berlaku dalam beberapa detik.",
}
SEEN = "versi"
"""The hidden field with the fingerprint of the folder that a form was made from."""
LONGEST_FIELD = 4_000
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_COLUMN = re.compile(r"kolom (\w+)")


@dataclass(frozen=True)
class PortalView:
    """`portal` is None, and `faults` says why, while the folder cannot be used. `waiting` is what the release in force
    does not know yet, `learns` whether it has to learn for it, `contacts_differ` whether it shows other emergency
    numbers."""

    folder: Path
    fingerprint: str
    portal: Portal | None
    faults: tuple[str, ...]
    own: bool
    release: str
    waiting: tuple[str, ...]
    learns: bool
    contacts_differ: bool


@dataclass(frozen=True, slots=True)
class Faults:
    """Why a form changed nothing. `form` names it, `typed` is what was filled in."""

    form: str = ""
    messages: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    typed: Mapping[str, Any] = field(default_factory=dict)

    def of(self, form: str, name: str) -> str:
        """What is wrong with a field of a form."""
        return self.fields.get(name, "") if form == self.form else ""

    def value(self, form: str, name: str, otherwise: Any = "") -> Any:
        """What stands in a field: what was typed there, if it came back."""
        return self.typed.get(name, otherwise) if form == self.form else otherwise


NO_FAULTS = Faults()


def look(settings: Settings, code: str, serving: Release | None) -> PortalView:
    """Reads and checks the folder, and holds it to the release in force, which may not have been taken up for
    `serving` yet. Raises `NoPortalFolderError`."""
    folder = portal_folders.described(settings, code)
    release = champions(settings.registry).get(code, "")
    in_force = _known(settings, release, serving)
    # The fingerprint first: what changes while it is read is then refused rather than overwritten.
    fingerprint = portal_folders.fingerprint(folder)
    portal, faults = _loaded(folder, code)
    return PortalView(
        folder=folder,
        fingerprint=fingerprint,
        portal=portal,
        faults=faults,
        own=not folder.is_relative_to(settings.registry),
        release=release,
        waiting=tuple(portal_release.differences(in_force, portal)) if portal and in_force else (),
        learns=bool(portal and in_force and portal_release.needs_training(in_force, portal)),
        contacts_differ=bool(portal and in_force and portal.emergency_contacts != in_force.emergency_contacts),
    )


def _known(settings: Settings, release: str, serving: Release | None) -> Portal | None:
    """The portal as the release in force has it; as the one that serves has it, where the other cannot be read."""
    if release and not (serving and serving.id == release):
        try:
            return load_portal(release_folder(settings.registry, release) / "portal")
        except PortalError:
            pass
    return serving.portal if serving else None


def _loaded(folder: Path, code: str) -> tuple[Portal | None, tuple[str, ...]]:
    try:
        portal = load_portal(folder)
    except PortalError as error:
        return None, error.problems or (str(error),)
    if portal.code != code:
        return None, (f"portal.toml: code harus {code}, sekarang {portal.code}",)
    return portal, ()


async def opened(request: Request, user: SignedInUser) -> PortalView:
    serving = request.app.state.in_force.of(user.portal)
    settings: Settings = request.app.state.settings
    return await asyncio.to_thread(look, settings, user.portal, serving.release if serving else None)


async def shown(
    request: Request,
    user: SignedInUser,
    template: str,
    view: PortalView,
    faults: Faults = NO_FAULTS,
    note: str = "",
    **context: Any,
) -> HTMLResponse:
    """A page about the portal; what is wrong with the folder instead, while it cannot be used."""
    return page(
        request,
        template if view.portal else "admin/portal_broken.html",
        user,
        422 if faults.messages else 200,
        **{
            "view": view,
            "described": view.portal,
            "zone": view.portal.timezone if view.portal else "UTC",
            "faults": faults,
            "note": NOTES.get(note, ""),
            "may_change": user.role == "admin",
            "certainties": CERTAINTY_LABELS,
            "kind_label": kind_label,
            **context,
        },
    )


async def change(
    request: Request, user: SignedInUser, form: FormData, edit: Edit, name: str, columns: Iterable[str] = ()
) -> Faults | Version | None:
    """Does an edit to the folder that the form `name` was made from, and tells the audit log; None if nothing is
    different. `columns` are fields of the form that are called as columns of a file.

    Raises:
        PortalChangedError: the folder is not that of the form any more.
    """
    settings: Settings = request.app.state.settings
    typed = typed_in(form)
    try:
        version = await asyncio.to_thread(
            portal_folders.change, settings, user.portal, typed.get(SEEN, ""), on_folder(edit), by=user.who
        )
    except EditRefusedError as error:
        return Faults(name, (str(error),), {error.field: str(error)}, typed)
    except PortalError as error:
        return Faults(name, error.problems or (str(error),), _by_field(error.problems, set(columns)), typed)
    if version:
        await recorded(request, user, "portal.change", version)
    return version


async def recorded(request: Request, user: SignedInUser, action: str, version: Version) -> None:
    detail = {"version": version.number, "what": version.what}

    def keep(connection: Connection) -> None:
        audit.record(connection, portal=user.portal, who=user.who, action=action, subject=user.portal, detail=detail)

    await database_of(request).write(keep)


async def told(request: Request, user: SignedInUser, event: Event) -> None:
    """Tells of a release that a change of the portal has put in force."""

    def keep(connection: Connection) -> None:
        promotions.record(connection, portal=event.portal, release=event.release, action=event.action, who=user.who)

    await database_of(request).write(keep)


async def contacts_put_in_force(request: Request, user: SignedInUser) -> bool:
    """Has citizens see the emergency numbers of the folder at once; False if that cannot be now."""
    settings: Settings = request.app.state.settings

    def publish() -> Event | None:
        folder = portal_folders.portal_folder(settings, user.portal)
        return portal_release.publish_contacts(settings.registry, folder, user.who)

    try:
        event = await asyncio.to_thread(publish)
    except ReleaseError:
        return False
    if event:
        await told(request, user, event)
    return True


def _by_field(problems: Iterable[str], columns: set[str]) -> dict[str, str]:
    found = ((match[1], problem) for problem in problems if (match := _COLUMN.search(problem)))
    return {column: problem for column, problem in found if column in columns}


def typed_in(form: FormData) -> dict[str, Any]:
    """The fields of a form; those that may be ticked several times as lists."""
    many = {"codes", "categories", "units", "report_types", "never"}
    single = {name: value[:LONGEST_FIELD] for name, value in form.items() if isinstance(value, str)}
    lists = {name: [value for value in form.getlist(name) if isinstance(value, str)] for name in many & single.keys()}
    return single | lists


def text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:LONGEST_FIELD] if isinstance(value, str) else ""


def day_of(value: str) -> date:
    """Raises `EditRefusedError`."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise EditRefusedError("day", "Isi tanggal, misalnya 2026-03-01.") from None
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise EditRefusedError("day", f"Tahun harus {_FIRST_YEAR} sampai {_LAST_YEAR}.")
    return day


def lines_of(value: str) -> list[str]:
    """The values of a field with one on each line; those separated by ";" as in the files count too."""
    return [part for line in value.replace(";", "\n").splitlines() if (part := " ".join(line.split()))]


def back(place: str, note: str) -> Response:
    return RedirectResponse(f"{place}?pesan={note}", 303)


def database_of(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
