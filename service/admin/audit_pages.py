"""Who did what, when."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Connection

from router_model.errors import AduanError
from router_model.portal import load_portal
from service.database import audit, keys, users
from service.database.audit import AuditEntry, Sought
from service.database.database import Database
from service.pages import Reader, page
from service.portal_folders import described
from service.sessions import SignedInUser

router = APIRouter(prefix="/admin/audit", include_in_schema=False)
MOST = 100
EXPORTED_TOGETHER = 2_000
LONGEST = 100
ACTIONS = {
    "user.first": "Membuat admin pertama",
    "user.create": "Membuat pengguna",
    "user.role": "Mengganti peran pengguna",
    "user.password": "Mengganti kata sandi",
    "user.disable": "Menonaktifkan pengguna",
    "user.enable": "Mengaktifkan pengguna",
    "user.login": "Masuk",
    "user.logout": "Mengakhiri sesi",
    "key.create": "Membuat kunci API",
    "key.rotate": "Mengganti kunci API",
    "key.revoke": "Mencabut kunci API",
    "portal.change": "Mengubah portal",
    "portal.restore": "Mengembalikan versi portal",
    "settings.change": "Mengubah pengaturan portal",
    "dataset.add": "Menambah data",
    "dataset.replace": "Mengganti data dengan versi baru",
    "dataset.use_again": "Memakai lagi versi data",
    "dataset.remove": "Menghapus data",
    "draft.add": "Mengunggah draf data",
    "draft.fix": "Memperbaiki draf data",
    "draft.discard": "Membuang draf data",
    "check.start": "Memulai pemeriksaan data",
    "check.cancel": "Membatalkan pemeriksaan data",
    "check.finish": "Pemeriksaan data berakhir",
    "training.start": "Memulai pelatihan",
    "training.cancel": "Membatalkan pelatihan",
    "training.finish": "Pelatihan berakhir",
    "release.promote": "Memberlakukan rilis",
    "release.rollback": "Kembali ke rilis sebelumnya",
    "shadow.begin": "Menjalankan rilis bayangan",
    "shadow.end": "Menghentikan rilis bayangan",
    "suggestion.try": "Mencoba saran",
    "disposition.record": "Mencatat disposisi",
    "disposition.refuse": "Mencatat penolakan instansi",
    "review.judge": "Meninjau laporan",
    "review.skip": "Melewati laporan",
    "review.undo": "Membatalkan keputusan",
    "history.export": "Mengekspor riwayat",
    "webhook.add": "Menambah webhook",
    "webhook.remove": "Menghapus webhook",
    "webhook.replay": "Mengirim ulang webhook",
    "erase": "Menghapus laporan",
    "keep": "Mengubah lama simpan",
    "restore": "Memulihkan cadangan",
}
DETAILS = {
    "action": "cara",
    "agency": "instansi",
    "days": "hari",
    "deliveries": "kiriman",
    "events": "peristiwa",
    "job": "pekerjaan",
    "look": "tinjauan ke",
    "outcome": "hasil",
    "role": "peran",
    "rows": "baris",
    "scopes": "lingkup",
    "state": "keadaan",
    "to": "menjadi",
    "version": "versi",
}
"""What the details of entries are called."""
VALUES = {
    **users.ROLES,
    "done": "selesai",
    "failed": "gagal",
    "cancelled": "dibatalkan",
    "accepted": "diterima",
    "changed": "diubah",
    "scratch": "tanpa saran",
}
_PLACES = {
    "training": "/admin/pelatihan/{}",
    "check": "/admin/pelatihan/{}",
    "shadow": "/admin/rilis/{}",
    "dataset": "/admin/data/{}",
    "user": "/admin/akses#{}",
    "key": "/admin/akses#{}",
    "release": "/admin/rilis/{}",
    "suggestion": "/admin/rilis/{}",
    "portal": "/admin/portal/versi",
    "review": "/desk/riwayat/{}",
    "disposition": "/desk/riwayat/{}",
}
"""Where a subject can be looked at, by the first part of the action."""


@dataclass(frozen=True, slots=True)
class Filters:
    """As they stand in the address."""

    siapa: str = ""
    tindakan: str = ""
    dari: str = ""
    sampai: str = ""
    hal: str = ""

    def address(self, **more: str) -> str:
        values = {"siapa": self.siapa, "tindakan": self.tindakan, "dari": self.dari, "sampai": self.sampai}
        values |= {"hal": self.hal, **more}
        return urlencode({name: value for name, value in values.items() if value})

    def sought(self, zone: ZoneInfo, names: Mapping[str, str]) -> Sought:
        """`names` gives what keys and users are called; days are those of the portal. Raises `ValueError`."""
        until = _midnight(self.sampai, zone)
        wanted = self.siapa.casefold()
        return Sought(
            who=self.siapa,
            also=[who for who, name in names.items() if wanted and wanted in name.casefold()],
            actions=[action for action in ACTIONS if _is(action, self.tindakan)] or [self.tindakan]
            if self.tindakan
            else (),
            subject=self.hal,
            since=_midnight(self.dari, zone),
            until=until + timedelta(days=1) if until else None,
        )


def _is(action: str, wanted: str) -> bool:
    """A group such as "user." stands for all of its actions."""
    return action == wanted or (wanted.endswith(".") and action.startswith(wanted))


def _midnight(day: str, zone: ZoneInfo) -> datetime | None:
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), zone) if day else None


@router.get("")
async def log(
    request: Request,
    user: Reader,
    siapa: str = "",
    tindakan: str = "",
    dari: str = "",
    sampai: str = "",
    hal: str = "",
    sebelum: str = "",
) -> Response:
    filters = Filters(*(value.strip()[:LONGEST] for value in (siapa, tindakan, dari, sampai, hal)))
    zone = await _zone(request, user)
    names = await _names(request, user)
    before = int(sebelum) if sebelum.isascii() and sebelum.isdigit() and len(sebelum) < 19 else None
    problem, found = "", list[AuditEntry]()
    try:
        sought = filters.sought(zone, names)
    except ValueError:
        problem = "Tanggal tidak dapat dibaca. Contoh: 2026-03-01."
    else:
        found = await _database(request).read(
            lambda connection: audit.entries(connection, user.portal, before, MOST + 1, sought)
        )
    more = filters.address(sebelum=str(found[MOST - 1].id)) if len(found) > MOST else ""
    return page(
        request,
        "admin/audit.html",
        user,
        422 if problem else 200,
        lines=[_line(entry, names, user.role) for entry in found[:MOST]],
        filters=filters,
        address=filters.address(),
        more=more,
        later=bool(before),
        problem=problem,
        actions=ACTIONS,
        zone=zone.key,
    )


@router.get("/catatan.csv")
async def exported(
    request: Request,
    user: Reader,
    siapa: str = "",
    tindakan: str = "",
    dari: str = "",
    sampai: str = "",
    hal: str = "",
) -> Response:
    """All that the filters leave, newest first; moments in the portal's zone."""
    filters = Filters(siapa, tindakan, dari, sampai, hal)
    zone, names = await _zone(request, user), await _names(request, user)
    try:
        sought = filters.sought(zone, names)
    except ValueError:
        sought = Sought(since=datetime.max.replace(tzinfo=UTC))
    database = _database(request)

    async def pieces() -> AsyncIterator[str]:
        before: int | None = None
        yield "\ufeff" + _csv([["waktu", "siapa", "tindakan", "kode", "tentang", "rilis", "rincian"]])
        while True:

            def read(connection: Connection, before: int | None = before) -> list[AuditEntry]:
                return audit.entries(connection, user.portal, before, EXPORTED_TOGETHER, sought)

            found = await database.read(read)
            yield _csv([_row(entry, zone, names) for entry in found])
            if len(found) < EXPORTED_TOGETHER:
                return
            before = found[-1].id

    headers = {"Content-Disposition": f'attachment; filename="audit-{quote(user.portal)}.csv"'}
    return StreamingResponse(pieces(), media_type="text/csv; charset=utf-8", headers=headers)


def _row(entry: AuditEntry, zone: ZoneInfo, names: Mapping[str, str]) -> list[str]:
    when = entry.at.astimezone(zone).isoformat(timespec="seconds")
    detail = orjson.dumps(dict(entry.detail)).decode() if entry.detail else ""
    who = named(entry.who, names)
    return [when, who, action_words(entry.action), entry.action, entry.subject, entry.release or "", detail]


def _csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(
        [f"'{cell}" if cell.startswith(("=", "+", "-", "@")) else cell for cell in row] for row in rows
    )
    return text.getvalue()


def action_words(action: str) -> str:
    """What was done, in words; the code itself where nobody has named it."""
    return ACTIONS.get(action, action)


def named(who: str, names: Mapping[str, str]) -> str:
    """Who acted, as people know them."""
    kind, _, rest = who.partition(":")
    if kind == "user":
        return rest
    if kind == "key":
        return f"kunci {names.get(who) or rest}"
    if kind == "cli":
        return f"operator {rest}"
    return {"worker": "pekerja latar", "": "sistem"}.get(who, who)


def _line(entry: AuditEntry, names: Mapping[str, str], role: str) -> dict[str, Any]:
    kind = entry.action.partition(".")[0]
    place = _PLACES.get(kind, "") if entry.subject else ""
    if role == "auditor" and place.startswith("/desk"):
        place = ""
    called = {"user": names.get(f"id:{entry.subject}"), "key": names.get(f"key:{entry.subject}")}.get(kind)
    return {
        "at": entry.at,
        "who": named(entry.who, names),
        "what": action_words(entry.action),
        "subject": called or entry.subject,
        "place": place.format(quote(entry.subject, safe="")),
        "release": entry.release if entry.release != entry.subject else "",
        "detail": _told(entry.detail),
    }


def _told(detail: Mapping[str, Any]) -> str:
    """Codes and counts in one line; a sentence where one was kept."""
    if isinstance(what := detail.get("what"), str):
        return what
    return ", ".join(f"{DETAILS.get(name, name)}: {_short(value)}" for name, value in detail.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return VALUES.get(value, value) if isinstance(value, str) else orjson.dumps(value).decode()


async def _names(request: Request, user: SignedInUser) -> dict[str, str]:
    """What keys are called by `key:<id>`, and users by `id:<id>`."""

    def read(connection: Connection) -> dict[str, str]:
        found = {f"key:{key.id}": key.name for key in keys.of_portal(connection, user.portal)}
        return found | {f"id:{one.id}": one.name for one in users.of_portal(connection, user.portal)}

    return await _database(request).read(read)


async def _zone(request: Request, user: SignedInUser) -> ZoneInfo:
    """The portal's zone, also before its first release."""
    serving = request.app.state.in_force.of(user.portal)
    if serving:
        return ZoneInfo(serving.release.portal.timezone)
    try:
        folder = await asyncio.to_thread(described, request.app.state.settings, user.portal)
        return ZoneInfo((await asyncio.to_thread(load_portal, folder)).timezone)
    except (AduanError, ValueError, OSError):
        return ZoneInfo("UTC")


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
