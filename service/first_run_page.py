"""Making the first admin at `/mulai`, which the first start of the service names; see `service.first_run`."""

import asyncio
import math
import time
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from service import passwords
from service.database import users
from service.database.database import Database
from service.database.users import NotFirstError, UserRefusedError
from service.first_run import PATH, first_key_fits
from service.pages import templates
from service.passwords import LONGEST, SHORTEST, PasswordRefusedError
from service.portal_folders import SAMPLE, known_portals, portal_name, sample_portal
from service.sessions import CSRF_FIELD, STALE_FORM, Sessions, begun, csrf_fits
from service.settings import Settings

router = APIRouter(include_in_schema=False)
WRONG = "Alamat ini tidak cocok. Salin seluruhnya dari pesan yang tampil ketika layanan dimulai."
USED = str(NotFirstError())
FIELDS = ("kunci", "portal", "nama", "sandi", "ulang")


@router.get(PATH)
async def first_run_page(request: Request, kunci: str = "") -> Response:
    if refused := await _refused(request, kunci):
        return refused
    return await _page(request, key=kunci)


@router.post(PATH)
async def make_first_admin(request: Request) -> Response:
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    async with request.form() as form:
        given = {name: value[:LONGEST] for name in FIELDS if isinstance(value := form.get(name, ""), str)}
        genuine = csrf_fits(sessions.of(request), form.get(CSRF_FIELD))
    key, portal, name, password, again = (given.get(field, "") for field in FIELDS)
    if refused := await _refused(request, key):
        return refused
    typed = {"key": key, "portal": portal, "name": name}
    if not genuine:
        return await _page(request, 403, problem=STALE_FORM, **typed)
    portals = await asyncio.to_thread(_portals, request.app.state.settings)
    if not portal and len(portals) == 1:
        portal = next(iter(portals))
    if portal not in portals:
        return await _page(request, 422, problem="Pilih portal.", wrong="portal", **typed)
    if password != again:
        return await _page(request, 422, problem="Kedua kata sandi tidak sama.", wrong="ulang", **typed)
    try:
        passwords.check(password)
        async with sessions.hashing:
            password_hash = await asyncio.to_thread(passwords.hashed, password)
        user = await database.write(lambda connection: users.create_first(connection, portal, name, password_hash))
    except PasswordRefusedError as error:
        return await _page(request, 422, problem=str(error), wrong="sandi", **typed)
    except UserRefusedError as error:
        return await _page(request, 422, problem=str(error), wrong="nama", **typed)
    except NotFirstError:
        return _closed(request, 410, USED)
    response = RedirectResponse("/admin", 303)
    sessions.give(response, begun(user, time.time()))
    return response


async def _refused(request: Request, key: str) -> Response | None:
    """Why the page is not shown; wrong keys count as failed sign-ins do."""
    sessions: Sessions = request.app.state.sessions
    database: Database = request.app.state.database
    where, now = request.client.host if request.client else "", time.time()
    if wait := sessions.addresses.wait(where, now):
        response = _closed(request, 429, f"Terlalu sering gagal. Coba lagi {math.ceil(wait / 60)} menit lagi.")
        response.headers["Retry-After"] = str(math.ceil(wait))
        return response
    if not first_key_fits(request.app.state.secret, key):
        sessions.addresses.failed(where, now)
        return _closed(request, 404, WRONG)
    if not await database.read(users.is_empty):
        return _closed(request, 410, USED)
    return None


def _closed(request: Request, status: int, why: str) -> Response:
    context = {"portal_name": "", "release_id": "", "closed": why}
    return templates.TemplateResponse(request, "first_run.html", context, status_code=status)


async def _page(request: Request, status: int = 200, **said: Any) -> Response:
    sessions: Sessions = request.app.state.sessions
    session = sessions.of(request)
    if session is None or session.user_id:
        session = begun(None, time.time())
    context = {
        "portal_name": "",
        "release_id": "",
        "portals": await asyncio.to_thread(_portals, request.app.state.settings),
        "csrf": session.csrf,
        "shortest": SHORTEST,
        "closed": "",
        "problem": "",
        "wrong": "",
        "portal": "",
        "name": "",
        **said,
    }
    response = templates.TemplateResponse(request, "first_run.html", context, status_code=status)
    sessions.give(response, session)
    return response


def _portals(settings: Settings) -> dict[str, str]:
    """Portals to be the admin of, by code; where there is none, the shipped sample to begin with."""
    known = known_portals(settings)
    return known or ({sample_portal(): portal_name(SAMPLE)} if sample_portal() else {})
