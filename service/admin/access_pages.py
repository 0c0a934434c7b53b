"""Users, their roles, and keys; and the addresses that messages go to."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy import Connection
from starlette.datastructures import FormData

from service import passwords
from service.database import keys, users, webhooks
from service.database.database import Database
from service.database.keys import ApiKey, KeyRefusedError
from service.database.users import ROLES, LastAdminError, User, UserRefusedError
from service.database.webhooks import NoWebhookError, WebhookRefusedError
from service.pages import Administrator, Reader, page
from service.sessions import CheckedForm, Sessions, SignedInUser

router = APIRouter(prefix="/admin/akses", include_in_schema=False)
NOTES = {
    "peran": "Peran diganti; berlaku sejak permintaan berikutnya.",
    "nonaktif": "Pengguna dinonaktifkan dan semua sesinya berakhir.",
    "aktif": "Pengguna aktif kembali dengan kata sandinya yang lama.",
    "keluar": "Semua sesi pengguna itu berakhir; ia harus masuk lagi.",
    "dicabut": "Kunci dicabut. Layanan menolaknya dalam dua detik.",
    "ulang": "Pesan yang gagal dikirim lagi; hasilnya tampak dalam beberapa menit.",
}
ROLE_HINTS = {
    "staff": "meninjau laporan",
    "senior": "meninjau dan menengahi beda pendapat",
    "admin": "semua yang di atas, dan mengatur portal ini",
    "auditor": "melihat meja admin tanpa mengubah apa pun",
}
SCOPE_HINTS = {
    "suggest": "mengirim laporan dan menerima saran",
    "dispose": "mengirim pilihan akhir, yang dipelajari model",
    "review": "mengambil dan memutus antrean tinjau",
    "admin": "data, pelatihan, rilis, webhook dan catatan audit",
}
LIFETIMES = {"0": "Tanpa batas", "30": "30 hari", "90": "90 hari", "365": "1 tahun", "730": "2 tahun"}
OVERLAPS = {"0": "berakhir seketika", "24": "1 hari", "72": "3 hari", "168": "7 hari"}
OWN = "Ini akun Anda sendiri. Kata sandi diganti di Akun saya; peran dan keadaannya diubah oleh admin lain."
SEEN_DAYS = 30
LONGEST_NAME = 100
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_REFUSALS = (UserRefusedError, LastAdminError, KeyRefusedError, WebhookRefusedError, NoWebhookError)


@dataclass(frozen=True, slots=True)
class ShownOnce:
    """A secret that this answer shows and nobody keeps."""

    title: str
    secret: str
    advice: str
    curl: bool = False


def initial_password() -> str:
    """80 random bits in groups that can be read out."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4))


@router.get("")
async def access(request: Request, user: Reader, pesan: str = "") -> Response:
    return await shown(request, user, note=NOTES.get(pesan, ""))


async def shown(request: Request, user: SignedInUser, status: int = 200, **context: Any) -> Response:
    """The page, with a secret where one was just made."""
    database: Database = request.app.state.database
    now = datetime.now(UTC)

    def read(connection: Connection) -> dict[str, Any]:
        return {
            "people": users.of_portal(connection, user.portal),
            "keys": keys.of_portal(connection, user.portal),
            "asked": keys.last_asked(connection, user.portal, now - timedelta(days=SEEN_DAYS)),
            "endpoints": webhooks.endpoints(connection, user.portal),
            "dead": Counter(found.endpoint_id for found in webhooks.dead(connection, user.portal)),
        }

    found = await database.read(read)
    return page(
        request,
        "admin/access.html",
        user,
        status,
        **{
            **found,
            "now": now,
            "roles": ROLES,
            "role_hints": ROLE_HINTS,
            "scope_hints": SCOPE_HINTS,
            "lifetimes": LIFETIMES,
            "overlaps": OVERLAPS,
            "seen_days": SEEN_DAYS,
            "may_change": user.role == "admin",
            "base_url": str(request.base_url).rstrip("/"),
            "note": "",
            "problem": "",
            "wrong": "",
            "typed": {},
            "once": None,
            **context,
        },
    )


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:LONGEST_NAME] if isinstance(value, str) else ""


@router.post("/pengguna")
async def add_user(request: Request, user: Administrator, form: CheckedForm) -> Response:
    name, role = _text(form, "nama"), _text(form, "peran")
    password = initial_password()
    password_hash = await _hashed(request, password)
    try:
        made = await _database(request).write(
            lambda connection: users.create(connection, user.portal, name, role, password_hash, by=user.who)
        )
    except UserRefusedError as error:
        wrong = "peran" if role not in ROLES else "nama"
        return await shown(request, user, 422, problem=str(error), wrong=wrong, typed={"nama": name, "peran": role})
    return await shown(request, user, once=_password_of(f"Pengguna {made.name} dibuat", password))


@router.post("/pengguna/{user_id}/sandi")
async def new_password(request: Request, user: Administrator, form: CheckedForm, user_id: str) -> Response:
    password = initial_password()
    password_hash = await _hashed(request, password)

    def change(connection: Connection) -> User:
        _other(connection, user, user_id)
        return users.set_password(connection, user_id, password_hash, by=user.who)

    try:
        changed = await _database(request).write(change)
    except UserRefusedError as error:
        return await shown(request, user, 422, problem=str(error))
    return await shown(request, user, once=_password_of(f"Kata sandi {changed.name} diganti", password))


def _password_of(title: str, password: str) -> ShownOnce:
    advice = (
        "Ini kata sandi awalnya dan hanya tampil sekali ini. Sampaikan langsung kepada orangnya; "
        "mintalah ia menggantinya di Akun saya setelah masuk."
    )
    return ShownOnce(title, password, advice)


async def _hashed(request: Request, password: str) -> str:
    sessions: Sessions = request.app.state.sessions
    async with sessions.hashing:
        return await asyncio.to_thread(passwords.hashed, password)


@router.post("/pengguna/{user_id}/peran")
async def change_role(request: Request, user: Administrator, form: CheckedForm, user_id: str) -> Response:
    role = _text(form, "peran")

    def change(connection: Connection) -> None:
        if _other(connection, user, user_id).role == "admin" and role != "admin":
            users.spare_an_admin(connection, user.portal, user_id)
        users.set_role(connection, user_id, role, by=user.who)

    return await _done(request, user, change, "peran")


@router.post("/pengguna/{user_id}/nonaktif")
async def disable(request: Request, user: Administrator, form: CheckedForm, user_id: str) -> Response:
    def change(connection: Connection) -> None:
        _other(connection, user, user_id)
        users.spare_an_admin(connection, user.portal, user_id)
        users.disable(connection, user_id, by=user.who)

    return await _done(request, user, change, "nonaktif")


@router.post("/pengguna/{user_id}/aktif")
async def enable(request: Request, user: Administrator, form: CheckedForm, user_id: str) -> Response:
    def change(connection: Connection) -> None:
        _other(connection, user, user_id)
        users.enable(connection, user_id, by=user.who)

    return await _done(request, user, change, "aktif")


@router.post("/pengguna/{user_id}/keluar")
async def end_sessions(request: Request, user: Administrator, form: CheckedForm, user_id: str) -> Response:
    def change(connection: Connection) -> None:
        _other(connection, user, user_id)
        users.logout(connection, user_id, by=user.who)

    return await _done(request, user, change, "keluar")


@router.post("/kunci")
async def add_key(request: Request, user: Administrator, form: CheckedForm) -> Response:
    name, scopes = _text(form, "nama"), [scope for scope in form.getlist("lingkup") if isinstance(scope, str)]
    lifetime = _text(form, "masa") or "0"
    typed = {"nama_kunci": name, "lingkup": scopes, "masa": lifetime}
    if lifetime not in LIFETIMES:
        return await shown(request, user, 422, problem="Pilih masa berlaku dari daftar.", wrong="masa", typed=typed)
    expires_at = datetime.now(UTC) + timedelta(days=int(lifetime)) if int(lifetime) else None
    try:
        made, secret = await _database(request).write(
            lambda connection: keys.create(connection, user.portal, name, scopes, expires_at=expires_at, by=user.who)
        )
    except KeyRefusedError as error:
        return await shown(request, user, 422, problem=str(error), wrong="lingkup", typed=typed)
    return await shown(request, user, once=_secret_of("Kunci dibuat", made, secret))


@router.post("/kunci/{key_id}/ganti")
async def rotate(request: Request, user: Administrator, form: CheckedForm, key_id: str) -> Response:
    overlap = _text(form, "tumpang")
    if overlap not in OVERLAPS:
        return await shown(request, user, 422, problem="Pilih sampai kapan kunci lama berlaku.")

    def change(connection: Connection) -> tuple[ApiKey, str]:
        keys.in_portal(connection, user.portal, key_id)
        return keys.rotate(connection, key_id, timedelta(hours=int(overlap)), by=user.who)

    try:
        made, secret = await _database(request).write(change)
    except KeyRefusedError as error:
        return await shown(request, user, 422, problem=str(error))
    return await shown(request, user, once=_secret_of("Kunci pengganti dibuat", made, secret))


def _secret_of(title: str, made: ApiKey, secret: str) -> ShownOnce:
    called = f" untuk {made.name}" if made.name else ""
    advice = "Rahasianya hanya tampil sekali ini. Simpan di pengaturan portal, bukan di surel atau pesan."
    return ShownOnce(f"{title}{called}", secret, advice, curl="suggest" in made.scopes)


@router.post("/kunci/{key_id}/cabut")
async def revoke(request: Request, user: Administrator, form: CheckedForm, key_id: str) -> Response:
    def change(connection: Connection) -> None:
        keys.in_portal(connection, user.portal, key_id)
        keys.revoke(connection, key_id, by=user.who)

    return await _done(request, user, change, "dicabut")


@router.post("/webhook/{endpoint_id}/ulang")
async def replay(request: Request, user: Administrator, form: CheckedForm, endpoint_id: str) -> Response:
    """Sends again all that could not be delivered to one address."""

    def change(connection: Connection) -> None:
        webhooks.replay(connection, user.portal, endpoint_id, by=user.who)

    return await _done(request, user, change, "ulang")


def _other(connection: Connection, user: SignedInUser, user_id: str) -> User:
    """Somebody else of the same portal; nobody shuts the door behind themselves."""
    found = users.in_portal(connection, user.portal, user_id)
    if found.id == user.id:
        raise UserRefusedError(OWN)
    return found


async def _done(request: Request, user: SignedInUser, change: Callable[[Connection], None], note: str) -> Response:
    try:
        await _database(request).write(change)
    except _REFUSALS as error:
        return await shown(request, user, 422, problem=str(error))
    return RedirectResponse(f"/admin/akses?pesan={note}", 303)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
