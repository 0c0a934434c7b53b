"""My progress, and how the office's backlog burns down."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import Response
from sqlalchemy import Connection

from service.charts import Chart, Series, line_chart, stacked_bars
from service.database import judgements, review, review_history
from service.database.database import Database
from service.database.judgements import Agreed, Agreement, ByAnswer
from service.database.review import Stats
from service.database.review_history import Day, Mine
from service.desk.alarm import banner
from service.desk.filters import queue_of
from service.pages import MONTHS, Reviewer, local, number, page
from service.tables import Unit

router = APIRouter(include_in_schema=False)
DAYS, MY_DAYS = 30, 14
AGREEMENT_DAYS = 90
ANSWERS = {"agency": "Instansi", "category": "Kategori", "urgency": "Urgensi", "report_type": "Klasifikasi"}
NOTES = {"dikembalikan": "Laporan dikembalikan ke antrean. Petugas lain dapat mengambilnya sekarang."}
SEES_ALL = ("senior", "admin")
"""Roles that see how far each person agrees with others; the rest see their own."""


@dataclass(frozen=True, slots=True)
class Read:
    today: Mine
    lately: Mine
    stats: Stats
    days: list[Day]
    agreement: Agreement
    alarm: review.Alarm


@dataclass(frozen=True, slots=True)
class Person:
    """How far one person, or all, agree with others; `figures` in the order of `ANSWERS`."""

    name: str
    figures: Sequence[Agreed]


@router.get("/desk/kemajuan")
async def progress(request: Request, user: Reviewer, pesan: str = "") -> Response:
    database: Database = request.app.state.database
    serving = request.app.state.in_force.of(user.portal)
    zone = ZoneInfo(serving.release.portal.timezone if serving else "UTC")
    now = datetime.now(UTC)
    midnight = local(now, zone.key).replace(hour=0, minute=0, second=0, microsecond=0)

    def read(connection: Connection) -> Read:
        first = midnight - timedelta(days=MY_DAYS - 1)
        return Read(
            today=review_history.mine(connection, user.portal, user.name, midnight, now),
            lately=review_history.mine(connection, user.portal, user.name, first, now),
            stats=review.stats(connection, user.portal, user.name, midnight, now),
            days=review_history.burn_down(connection, user.portal, DAYS, zone, now),
            agreement=judgements.agreement(connection, user.portal, now - timedelta(days=AGREEMENT_DAYS)),
            alarm=review.alarm(connection, user.portal),
        )

    found = await database.read(read)
    context: dict[str, Any] = {
        "note": NOTES.get(pesan, ""),
        "today": found.today,
        "lately": found.lately,
        "my_days": MY_DAYS,
        "stats": found.stats,
        "queue": queue_of(found.stats),
        "charts": [_backlog(found.days), _mine(found.lately, midnight.date())],
        "pairs": found.agreement.pairs,
        "agreement_days": AGREEMENT_DAYS,
        "answers": list(ANSWERS.values()),
        "people": list(_people(found.agreement, "" if user.role in SEES_ALL else user.name)),
        "alarm": banner(found.alarm, now),
    }
    return page(request, "desk/progress.html", user, **context)


def _short(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]}"


def _backlog(days: Sequence[Day]) -> Chart:
    first, last = max(days[0].open, 0), days[-1].open
    change = "tetap" if first == last else f"{'turun' if last < first else 'naik'} dari {number(first)}"
    return line_chart(
        "antrean",
        f"Antrean kantor, {len(days)} hari terakhir",
        f"Laporan yang belum diputuskan sekarang {number(last)}, {change}.",
        [_short(day.day) for day in days],
        [
            Series("belum diputuskan", [max(day.open, 0) for day in days]),
            Series("masuk", [day.came for day in days]),
            Series("selesai", [day.settled for day in days]),
        ],
        Unit.COUNT,
        of="Hari",
    )


def _mine(lately: Mine, today: date) -> Chart:
    days = [today - timedelta(days=back) for back in reversed(range(MY_DAYS))]
    counts = [lately.by_day.get(day, 0) for day in days]
    return stacked_bars(
        "keputusan-saya",
        f"Keputusan saya, {MY_DAYS} hari terakhir",
        f"Anda memutuskan {number(sum(counts))} laporan.",
        [_short(day) for day in days],
        [Series("keputusan", counts)],
        running=True,
        of="Hari",
    )


def _people(agreement: Agreement, only: str) -> Iterator[Person]:
    yield Person("Semua petugas", _figures(agreement.answers))
    for name, theirs in agreement.people.items():
        if not only or name == only:
            yield Person("Anda" if name == only else name, _figures(theirs))


def _figures(said: ByAnswer) -> list[Agreed]:
    return [getattr(said, answer) for answer in ANSWERS]
