"""Putting a release in force and taking it back: first a page that says what changes, then the act, done once."""

import asyncio
import re
import secrets
from pathlib import Path as Folder
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from service import release_changes
from service.admin import release_view
from service.choices import masked
from service.database.database import Database
from service.database.repeats import KeyReusedError
from service.pages import Administrator, page
from service.serving import NoReleaseError, ReleaseRefusedError
from service.sessions import CheckedForm, SignedInUser
from service.settings import Settings

PAGE = "/admin/rilis"
router = APIRouter()
ReleaseId = Annotated[str, Path(max_length=100, pattern=r"^[^\x00-\x1f\x7f/]+$")]
LONGEST_REASON = 500
WRONG = "Tulis alasannya: uji banding keberatan, jadi alasan Anda dicatat dalam riwayat."
_TOKEN = re.compile(r"[\w-]{8,64}")


def registry_of(request: Request) -> Folder:
    settings: Settings = request.app.state.settings
    return settings.registry


async def found(request: Request, user: SignedInUser, release_id: str, answer: str = "") -> release_view.Shown:
    """Raises 404 for a release that is not the portal's."""
    try:
        return await asyncio.to_thread(release_view.shown, registry_of(request), user.portal, release_id, answer)
    except NoReleaseError:
        raise HTTPException(404, "Rilis ini tidak ada pada portal Anda.") from None


@router.get("/kembali")
async def rollback_page(request: Request, user: Administrator) -> Response:
    return await _rollback_page(request, user)


async def _rollback_page(request: Request, user: SignedInUser, status: int = 200, **context: Any) -> Response:
    registry = registry_of(request)
    in_force, before = await asyncio.to_thread(release_view.in_force_and_before, registry, user.portal)
    if not before:
        raise HTTPException(409, "Tidak ada rilis sebelumnya yang dapat dipakai lagi.")
    changes = await asyncio.to_thread(release_view.what_changes, registry, user.portal, in_force, before)
    frame = {"release": before, "in_force": in_force, "changes": changes, **_fresh_form()}
    return page(request, "admin/release_rollback.html", user, status, **{**frame, **context})


@router.post("/kembali")
async def rollback(request: Request, user: Administrator, form: CheckedForm) -> Response:
    registry, target = registry_of(request), _text(form, "ke")
    in_force, before = await asyncio.to_thread(release_view.in_force_and_before, registry, user.portal)
    done = RedirectResponse(f"{PAGE}/{before}?pesan=kembali", 303)
    if in_force != _text(form, "berlaku") or before != target:
        # The second of two clicks finds it done.
        return RedirectResponse(f"{PAGE}/{in_force}?pesan=kembali", 303) if in_force == target else _changed_meanwhile()
    typed = _text(form, "alasan").strip()
    reason = masked(typed)[:LONGEST_REASON]
    asked = release_changes.rolling_back(user.portal, _key(form, user), request.app.state.secret, reason)
    try:
        await release_changes.rollback(_database(request), registry, asked, who=user.who, reason=reason)
    except ReleaseRefusedError as error:
        return await _rollback_page(request, user, 409, problem=str(error), reason=typed)
    except KeyReusedError:
        return _changed_meanwhile()
    return done


@router.get("/{release_id}/berlakukan")
async def promotion_page(request: Request, user: Administrator, release_id: ReleaseId) -> Response:
    return await _promotion_page(request, user, release_id)


async def _promotion_page(
    request: Request, user: SignedInUser, release_id: str, status: int = 200, **context: Any
) -> Response:
    shown, registry = await found(request, user, release_id), registry_of(request)
    if shown.line.in_force or shown.line.fault:
        return RedirectResponse(f"{PAGE}/{release_id}", 303)
    changes = await asyncio.to_thread(release_view.what_changes, registry, user.portal, shown.in_force, release_id)
    frame = {"release": release_id, "shown": shown, "in_force": shown.in_force, "changes": changes, **_fresh_form()}
    return page(request, "admin/release_promote.html", user, status, **{**frame, **context})


@router.post("/{release_id}/berlakukan")
async def promote(request: Request, user: Administrator, form: CheckedForm, release_id: ReleaseId) -> Response:
    shown, registry = await found(request, user, release_id), registry_of(request)
    done = RedirectResponse(f"{PAGE}/{release_id}?pesan=berlaku", 303)
    if shown.in_force != _text(form, "berlaku"):
        return done if shown.line.in_force else _changed_meanwhile()
    typed = _text(form, "alasan").strip()
    reason = masked(typed)[:LONGEST_REASON]
    if shown.objections and not reason:
        return await _promotion_page(request, user, release_id, 422, wrong=WRONG)
    asked = release_changes.promoting(user.portal, _key(form, user), request.app.state.secret, release_id, reason)
    try:
        await release_changes.promote(_database(request), registry, asked, release_id, who=user.who, reason=reason)
    except ReleaseRefusedError as error:
        return await _promotion_page(request, user, release_id, 409, problem=str(error), reason=typed)
    except KeyReusedError:
        return _changed_meanwhile()
    return done


def _changed_meanwhile() -> Response:
    return RedirectResponse(f"{PAGE}?pesan=berganti", 303)


def _fresh_form() -> dict[str, Any]:
    """The number of the request makes a double click one act."""
    return {"token": secrets.token_urlsafe(12), "longest": LONGEST_REASON, "reason": "", "problem": "", "wrong": ""}


def _key(form: FormData, user: SignedInUser) -> str:
    """Raises 422 for a form that is not one of ours."""
    token = _text(form, "permintaan")
    if not _TOKEN.fullmatch(token):
        raise HTTPException(422, "Formulir ini tidak lengkap. Muat ulang halamannya, lalu kirim sekali lagi.")
    return f"{user.id}:{token}"


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value if isinstance(value, str) else ""


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
