"""Signing in at `/masuk`, signing out at `/keluar`, and one's own account at `/akun`."""

import asyncio
import math
import re
import time
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from service import passwords
from service.database import users
from service.database.database import Database
from service.database.users import User
from service.pages import page, templates
from service.passwords import LONGEST, SHORTEST, PasswordRefusedError
from service.sessions import (
    CSRF_FIELD,
    STALE_FORM,
    AnyUser,
    CheckedForm,
    Sessions,
    SignedInUser,
    begun,
    csrf_fits,
    signed_in_user,
)

router = APIRouter(include_in_schema=False)
ACCOUNT = "/akun"
NOTES = {
    "keluar": "Anda sudah keluar. Semua sesi Anda di perangkat lain juga berakhir.",
    "lama": STALE_FORM,
    "diganti": "Kata sandi diganti. Sesi Anda di perangkat lain sudah berakhir.",
}
REFUSED = "Nama atau kata sandi tidak cocok, atau akun ini tidak aktif lagi."
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]{0,2000}")


def local_path(given: object) -> str:
    """Where to go after signing in: a path of this site, and the account page for anything else."""
    return given if isinstance(given, str) and _LOCAL.fullmatch(given) else ACCOUNT


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


@router.get("/masuk")
async def sign_in_page(request: Request, lanjut: str = "", pesan: str = "") -> Response:
    if await signed_in_user(request):
        return RedirectResponse(local_path(lanjut), 303)
    return await _sign_in_page(request, local_path(lanjut), note=NOTES.get(pesan, ""))


async def _sign_in_page(
    request: Request, onward: str, note: str = "", problem: str = "", status: int = 200, **typed: str
) -> Response:
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    session = sessions.of(request)
    if session is None or session.user_id:
        session = begun(None, time.time())
    context = {
        "portal_name": "",
        "release_id": "",
        "portals": {code: _portal_name(request, code) for code in await database.read(users.portals)},
        "csrf": session.csrf,
        "onward": onward,
        "note": note,
        "problem": problem,
        "name": typed.get("name", ""),
        "portal": typed.get("portal", ""),
    }
    response = templates.TemplateResponse(request, "login.html", context, status_code=status)
    sessions.give(response, session)
    return response


@router.post("/masuk")
async def sign_in(request: Request) -> Response:
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    async with request.form() as form:
        onward = local_path(form.get("lanjut"))
        name, portal, password = (_text(form, field)[:LONGEST] for field in ("nama", "portal", "sandi"))
        if not csrf_fits(sessions.of(request), form.get(CSRF_FIELD)):
            # Not answered with the form itself: its cookie would end the session of somebody who is signed in.
            return RedirectResponse(f"/masuk?pesan=lama&lanjut={quote(onward)}", 303)
    known = await database.read(users.portals)
    if not portal and len(known) == 1:
        portal = known[0]
    found = await _admitted(request, portal, name, password)
    if isinstance(found, User):
        await database.write(lambda connection: users.login(connection, found))
        response = RedirectResponse(onward, 303)
        sessions.give(response, begun(found, time.time()))
        return response
    problem, status = (_too_often(found), 429) if found else (REFUSED, 422)
    again = await _sign_in_page(request, onward, problem=problem, status=status, name=name, portal=portal)
    if found:
        again.headers["Retry-After"] = str(math.ceil(found))
    return again


def _portal_name(request: Request, code: str) -> str:
    """What people call a portal, as far as its release in force tells."""
    serving = request.app.state.in_force.of(code)
    return serving.release.portal.name if serving else code


def _too_often(seconds: float) -> str:
    return f"Terlalu sering gagal. Coba lagi {_duration(seconds)} lagi."


def _duration(seconds: float) -> str:
    return f"{math.ceil(seconds)} detik" if seconds < 90 else f"{math.ceil(seconds / 60)} menit"


async def _admitted(request: Request, portal: str, name: str, password: str) -> User | float:
    """The user if the password fits; else the seconds until the next try, 0 if it may be made at once."""
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    who, where = (portal, users.folded(name)), request.client.host if request.client else ""
    async with sessions.hashing:
        if wait := max(sessions.names.wait(who, time.time()), sessions.addresses.wait(where, time.time())):
            return wait
        found = await database.read(lambda connection: users.credentials(connection, portal, name))
        fits = await asyncio.to_thread(passwords.fits, password, found[1] if found else None)
        if found is None or not fits or found[0].disabled_at:
            sessions.names.failed(who, time.time())
            sessions.addresses.failed(where, time.time())
            return 0.0
        sessions.names.forget(who)
        user, old_hash = found
        if passwords.outdated(old_hash):
            new_hash = await asyncio.to_thread(passwords.hashed, password)
            await database.write(lambda connection: users.rehash(connection, user.id, old_hash, new_hash))
        return user


@router.post("/keluar")
async def sign_out(request: Request, user: AnyUser, form: CheckedForm) -> Response:
    database: Database = request.app.state.database
    await database.write(lambda connection: users.logout(connection, user.id, user.who))
    response = RedirectResponse("/masuk?pesan=keluar", 303)
    request.app.state.sessions.take_back(response)
    return response


@router.get(ACCOUNT)
async def account(request: Request, user: AnyUser, pesan: str = "") -> Response:
    return _account_page(request, user, note=NOTES.get(pesan, ""))


def _account_page(request: Request, user: SignedInUser, status: int = 200, **said: Any) -> Response:
    context = {"shortest": SHORTEST, "note": "", "problem": "", "wrong": "", **said}
    return page(request, "account.html", user, status, **context)


@router.post(ACCOUNT)
async def change_password(request: Request, user: AnyUser, form: CheckedForm) -> Response:
    """Ends all sessions of the user and begins a new one in this browser."""
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    old, new, again = (_text(form, field) for field in ("lama", "baru", "ulang"))
    if new != again:
        return _wrong(request, user, "ulang", "Kedua kata sandi baru tidak sama.")
    if new == old:
        return _wrong(request, user, "baru", "Kata sandi baru sama dengan yang lama.")
    try:
        passwords.check(new)
    except PasswordRefusedError as error:
        return _wrong(request, user, "baru", str(error))
    found = await _admitted(request, user.portal, user.name, old)
    if not isinstance(found, User):
        return _wrong(request, user, "lama", _too_often(found) if found else "Kata sandi lama tidak cocok.")
    async with sessions.hashing:
        password_hash = await asyncio.to_thread(passwords.hashed, new)
    changed = await database.write(lambda connection: users.set_password(connection, user.id, password_hash, user.who))
    response = RedirectResponse(f"{ACCOUNT}?pesan=diganti", 303)
    sessions.give(response, begun(changed, time.time()))
    return response


def _wrong(request: Request, user: SignedInUser, field: str, problem: str) -> Response:
    return _account_page(request, user, 422, problem=problem, wrong=field)
