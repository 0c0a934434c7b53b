"""A portal's releases: which there are, and how each fared beside the one it met."""

import asyncio
from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, PlainTextResponse
from sqlalchemy import Connection

from service.admin import release_change_pages, release_view
from service.admin.comparison import NAMES, texts
from service.admin.release_change_pages import PAGE, ReleaseId, found, registry_of
from service.admin.release_view import CARD, REPORT
from service.admin.training_pages import shadow_context
from service.database import portal_settings, shadow
from service.database.database import Database
from service.database.shadow import Comparison
from service.pages import Reader, page
from service.release_changes import told
from service.sessions import SignedInUser

router = APIRouter(prefix=PAGE, include_in_schema=False)
router.include_router(release_change_pages.router)
MOST_CLASSES = 12
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; sandbox"
)
"""A report brings its own styles and drawings, and needs nothing else."""
NOTES = {
    "berlaku": "Rilis ini sekarang berlaku. Laporan berikutnya dijawab olehnya.",
    "kembali": "Rilis ini berlaku lagi. Laporan berikutnya dijawab olehnya.",
    "berganti": "Rilis yang berlaku berganti sejak halaman Anda dibuka, jadi tidak ada yang diubah. Periksa lagi.",
    "bayangan": "Rilis ini sekarang berjalan sebagai bayangan.",
    "bayangan-berhenti": "Rilis bayangan dihentikan. Jawabannya tetap tersimpan.",
}


@router.get("")
async def every(request: Request, user: Reader, pesan: str = "") -> Response:
    registry = registry_of(request)
    listed = await asyncio.to_thread(release_view.listed, registry, user.portal)
    refused = request.app.state.in_force.refused.get(user.portal)
    fault = told(refused.fault, registry) if refused else ""
    return page(
        request, "admin/releases.html", user, listed=listed, refused=fault, note=NOTES.get(pesan, ""), code=pesan
    )


@router.get("/{release_id}")
async def one(request: Request, user: Reader, release_id: ReleaseId, jawaban: str = "", pesan: str = "") -> Response:
    shown = await found(request, user, release_id, jawaban)
    compared = shown.comparison
    examples = (*compared.better, *compared.worse) if compared else ()

    def read(connection: Connection) -> tuple[dict[int, str], str, Comparison | None]:
        beside = portal_settings.of(connection, user.portal).shadow_release
        fares = shadow.compare(connection, user.portal, beside) if beside == release_id != shown.in_force else None
        return texts(connection, user.portal, examples), beside, fares

    database: Database = request.app.state.database
    words, beside, fares = await database.read(read)
    context = {
        "shown": shown,
        "line": shown.line,
        "compared": compared,
        "texts": words,
        "names": NAMES,
        "most_classes": MOST_CLASSES,
        "other_shadow": beside if beside not in (release_id, shown.in_force) else "",
        "note": NOTES.get(pesan, ""),
        **shadow_context(fares, f"{PAGE}/{release_id}", datetime.now(UTC)),
    }
    return page(request, "admin/release.html", user, **context)


@router.get("/{release_id}/laporan")
async def report(request: Request, user: Reader, release_id: ReleaseId) -> Response:
    """The evaluation as it was published; its own policy keeps it from running or asking for anything."""
    return HTMLResponse(
        await _kept(request, user, release_id, REPORT), headers={"Content-Security-Policy": REPORT_POLICY}
    )


@router.get("/{release_id}/kartu")
async def card(request: Request, user: Reader, release_id: ReleaseId) -> Response:
    return PlainTextResponse(await _kept(request, user, release_id, CARD))


async def _kept(request: Request, user: SignedInUser, release_id: str, name: str) -> str:
    content = await asyncio.to_thread(release_view.kept, registry_of(request), user.portal, release_id, name)
    if content is None:
        raise HTTPException(404, "Berkas ini tidak ada pada rilis itu, atau sudah berubah sejak diterbitkan.")
    return content
