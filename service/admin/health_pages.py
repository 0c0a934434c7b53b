"""How the portal fares: volumes, accuracy, drift, emergencies."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from service.admin.health_accuracy import (
    accuracy_chart,
    agency_rows,
    agency_sheet,
    auto_chart,
    calibration_chart,
    corrected_chart,
    pair_sheet,
    prefill_chart,
)
from service.admin.health_change import coverage_chart, shift_sheet, wait_chart, word_sheet
from service.admin.health_emergency import emergency_chart, speed_chart, waiting
from service.admin.health_figures import Stored, week_edges
from service.admin.health_kept import Kept
from service.admin.health_summary import notices, tiles
from service.admin.health_view import View
from service.admin.health_volume import channel_chart, route_chart
from service.admin.health_words import NewWord, new_words
from service.charts import Chart
from service.database import health, judgements
from service.database.database import Database
from service.database.judgements import Agreement
from service.pages import Reader, page
from service.serving import Serving
from service.sessions import SignedInUser
from service.tables import csv_text

router = APIRouter(include_in_schema=False)
PERIODS, USUAL = (4, 12, 26, 52), 12
WORD_WEEKS, MOST_READ = 4, 3_000
"""New words are looked for in no more than so many complaints of so many weeks."""
CHARTS: Mapping[str, Callable[[View], Chart]] = {
    "kanal": channel_chart,
    "rute": route_chart,
    "ketepatan": accuracy_chart,
    "otomatis": auto_chart,
    "dipilihkan": prefill_chart,
    "kalibrasi": calibration_chart,
    "instansi": agency_sheet,
    "koreksi": corrected_chart,
    "tertukar": pair_sheet,
    "lama": wait_chart,
    "kata-dikenal": coverage_chart,
    "pergeseran": shift_sheet,
    "kata-baru": word_sheet,
    "darurat": emergency_chart,
    "kecepatan-darurat": speed_chart,
}


@dataclass(frozen=True, slots=True)
class Counted:
    at: datetime
    stored: Stored
    words: tuple[NewWord, ...]
    agreement: Agreement


@router.get("/admin/kesehatan")
async def health_page(request: Request, user: Reader, pekan: str = "", instansi: str = "") -> Response:
    weeks = _weeks(pekan)
    counted = await _counted(request, user, weeks)
    view = _view(request, user, counted, instansi)
    return page(request, "admin/health.html", user, **await asyncio.to_thread(_context, view))


@router.get("/admin/kesehatan/{chart}.csv")
async def health_file(chart: str, request: Request, user: Reader, pekan: str = "", instansi: str = "") -> Response:
    if chart not in CHARTS:
        raise HTTPException(404)
    weeks = _weeks(pekan)
    view = _view(request, user, await _counted(request, user, weeks), instansi)
    headers = {"Content-Disposition": f'attachment; filename="{chart}-{weeks}-pekan.csv"'}
    text = await asyncio.to_thread(lambda: csv_text(CHARTS[chart](view).table))
    return Response(text, media_type="text/csv; charset=utf-8", headers=headers)


def _context(view: View) -> dict[str, Any]:
    """What the template shows. Takes a moment where much is stored."""
    agencies = {group.agency for group in view.stored.asked if group.agency}
    return {
        "view": view,
        "periods": PERIODS,
        "agencies": sorted((view.name(code), code) for code in agencies),
        "anything": bool(view.asked or view.emergencies),
        "tiles": tiles(view),
        "notices": notices(view),
        "charts": {key: draw(view) for key, draw in CHARTS.items()},
        "agency_rows": agency_rows(view),
        "waiting": waiting(view),
        "query": urlencode({"pekan": view.weeks, "instansi": view.agency}),
    }


def _weeks(given: str) -> int:
    return int(given) if given in map(str, PERIODS) else USUAL


def _serving(request: Request, user: SignedInUser) -> Serving | None:
    found: Serving | None = request.app.state.in_force.of(user.portal)
    return found


def _zone(serving: Serving | None) -> str:
    return serving.release.portal.timezone if serving else "UTC"


def _view(request: Request, user: SignedInUser, counted: Counted, agency: str) -> View:
    serving = _serving(request, user)
    known = {group.agency for group in counted.stored.asked}
    return View(
        stored=counted.stored,
        words=counted.words,
        agency=agency if agency in known else "",
        portal=serving.release.portal if serving else None,
        policy=serving.router.policy if serving else None,
        zone=_zone(serving),
        now=counted.at,
        agreement=counted.agreement,
    )


async def _counted(request: Request, user: SignedInUser, weeks: int) -> Counted:
    """What was counted for the portal a moment ago, or is counted now."""
    state, serving = request.app.state, _serving(request, user)
    if not hasattr(state, "health"):
        state.health = Kept[Counted]()
    kept: Kept[Counted] = state.health
    database: Database = state.database

    async def count() -> Counted:
        return await database.read(lambda connection: _count(connection, user.portal, serving, weeks))

    return await kept.of((user.portal, weeks, serving and serving.release.id), count)


def _count(connection: Connection, portal: str, serving: Serving | None, weeks: int) -> Counted:
    now = datetime.now(UTC)
    edges = week_edges(now, _zone(serving), weeks)
    first, last = edges[0], edges[-1]
    stored = Stored(
        edges=edges,
        asked=tuple(health.asked(connection, portal, edges)),
        decided=tuple(health.decided(connection, portal, edges)),
        waits=tuple(health.waits(connection, portal, first, last)),
        emergencies=tuple(health.emergencies(connection, portal, first, last)),
    )
    words: list[NewWord] = []
    if serving:
        written = health.written(connection, portal, now - timedelta(weeks=WORD_WEEKS), last, MOST_READ)
        words = new_words(written, serving.router.scorer)
    return Counted(now, stored, tuple(words), judgements.agreement(connection, portal, first))
