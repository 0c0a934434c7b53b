"""Who decided what, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response, StreamingResponse
from sqlalchemy import Connection

from router_model.portal import Portal
from service.database import audit, complaints, review, review_history, users
from service.database.complaints import Kept, Written
from service.database.database import Database
from service.database.leases import WAITING
from service.database.review_history import Entry, Happened
from service.desk.alarm import banner
from service.desk.complaint_view import agency_name, category_name, facts, labels_of, named, why
from service.desk.export import MOST_ROWS, SOURCES, write
from service.desk.history_filters import OUTCOMES, HistoryAsked, history_asked
from service.desk.review_page import Id
from service.pages import local, page
from service.sessions import AnyUser, SignedInUser

router = APIRouter(include_in_schema=False)
MOST = 50
READ_TOGETHER = 500
SENT_TOGETHER = 64 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES = {"accepted": "good", "changed": "warn", "scratch": "neutral"}
LOOKS = {2: "menilai sekali lagi", 3: "menentukan"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a complaint, in words."""

    at: datetime
    who: str
    did: str
    said: Sequence[str] = ()
    outcome: str = ""
    tone: str = "neutral"
    reason: str = ""
    seconds: float | None = None
    undone: bool = False


@router.get("/desk/riwayat")
async def history(request: Request, user: AnyUser, sebelum: str = "") -> Response:
    now = datetime.now(UTC)

    def read(connection: Connection) -> dict[str, Any]:
        asked = _asked(connection, request, user)
        found = review_history.page(connection, user.portal, asked.filters, sebelum, MOST + 1)
        hidden = _hidden(connection, user)
        return {
            "asked": asked,
            "entries": [entry for entry in found[:MOST] if entry.suggestion_id not in hidden],
            "older": found[MOST - 1].id if len(found) > MOST else "",
            "later": bool(sebelum),
            "most_rows": MOST_ROWS,
            "alarm": banner(review.alarm(connection, user.portal), now),
        }

    portal = _portal(request, user)
    context = await _database(request).read(read)
    entries = [_row(portal, entry) for entry in context.pop("entries")]
    return page(request, "desk/history.html", user, rows=entries, **context)


@router.get("/desk/riwayat/unduh")
async def export(request: Request, user: AnyUser) -> Response:
    """Written to a temporary file while the database is read."""
    portal, database = _portal(request, user), _database(request)
    if portal is None:
        return page(request, "desk/no_release.html", user, status=409)

    def read(connection: Connection) -> IO[bytes]:
        asked, hidden = _asked(connection, request, user), _hidden(connection, user)
        entries = review_history.rows(connection, user.portal, asked.filters)
        told = (entry for entry in entries if entry.suggestion_id not in hidden)
        return write(_with_texts(connection, user.portal, told), portal, portal.timezone)

    file = await database.read(read)
    await database.write(
        lambda c: audit.record(c, portal=user.portal, who=user.who, action="history.export", subject=user.portal)
    )
    name = f"riwayat-{user.portal}-{local(datetime.now(UTC), portal.timezone):%Y-%m-%d}.xlsx"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_chunks(file), media_type=XLSX, headers=headers)


@router.get("/desk/riwayat/{suggestion_id}")
async def one_history(suggestion_id: Id, request: Request, user: AnyUser) -> Response:
    now = datetime.now(UTC)

    def read(connection: Connection) -> tuple[Kept, list[Happened], bool]:
        kept = complaints.kept(connection, user.portal, suggestion_id)
        happened = review_history.of(connection, user.portal, suggestion_id)
        return kept, happened, suggestion_id in _hidden(connection, user)

    database, portal = _database(request), _portal(request, user)
    kept, happened, hidden = await database.read(read)
    alarm = await database.read(lambda connection: review.alarm(connection, user.portal))
    shown = facts(kept, now)
    steps = [] if hidden else _steps(portal, happened)
    context = {
        **shown,
        "kept": kept,
        "waits": hidden or kept.state in WAITING,
        "may_review": user.role != "auditor",
        "why": why(shown["answer"]),
        "model": _model(portal, shown),
        "steps": steps,
        "alarm": banner(alarm, now),
    }
    return page(request, "desk/history_one.html", user, **context)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _portal(request: Request, user: SignedInUser) -> Portal | None:
    serving = request.app.state.in_force.of(user.portal)
    portal: Portal | None = serving.release.portal if serving else None
    return portal


def _asked(connection: Connection, request: Request, user: SignedInUser) -> HistoryAsked:
    portal = _portal(request, user)
    people = [other.name for other in users.every(connection) if other.portal == user.portal]
    return history_asked(request.query_params, portal, people, portal.timezone if portal else "UTC")


def _hidden(connection: Connection, user: SignedInUser) -> frozenset[str]:
    """What this person may still have to look at without knowing of others; who never looks may read all."""
    if user.role == "auditor":
        return frozenset()
    return complaints.unread_by(connection, user.portal, user.name)


def _row(portal: Portal | None, entry: Entry) -> dict[str, Any]:
    said = labels_of((entry.agency, entry.category, entry.urgency, entry.report_type))
    return {
        "entry": entry,
        "said": named(portal, said) if portal else [entry.agency],
        "model": agency_name(portal, entry.suggested_agency) if portal else entry.suggested_agency or "",
        "model_category": category_name(portal, entry.suggested_category) if portal else "",
        "outcome": OUTCOMES.get(entry.outcome, entry.outcome),
        "tone": TONES.get(entry.outcome, "neutral"),
        "source": SOURCES.get(entry.source, entry.source),
    }


def _steps(portal: Portal | None, happened: Sequence[Happened]) -> list[Step]:
    """A judgement that made a disposition is told of with it."""
    made = {item.id: item for item in happened if item.kind == "judgement"}
    dispositions = {item.id for item in happened if item.kind == "disposition"}
    return [
        _step(portal, item, made.get(item.id))
        for item in happened
        if item.kind != "judgement" or item.id not in dispositions
    ]


def _step(portal: Portal | None, item: Happened, judgement: Happened | None) -> Step:
    if item.kind == "skip":
        return Step(item.at, item.by, "melewati", reason=item.reason)
    look = judgement.look if judgement else item.look
    did = LOOKS.get(look, "memutuskan") if item.source in ("", "review") else "memutuskan lewat " + SOURCES[item.source]
    labels = labels_of((item.agency, item.category, item.urgency, item.report_type))
    return Step(
        at=item.at,
        who=item.by,
        did=did,
        said=named(portal, labels) if portal else [item.agency],
        outcome=OUTCOMES.get(item.outcome, ""),
        tone=TONES.get(item.outcome, "neutral"),
        reason=item.reason,
        seconds=judgement.seconds if judgement else None,
        undone=item.undone,
    )


def _model(portal: Portal | None, shown: dict[str, Any]) -> list[str]:
    """What the model said first of each answer."""
    answer = shown["answer"]
    if portal is None or not answer.agencies:
        return []
    codes = (
        answer.agencies[0].code,
        answer.category[0].code if answer.category else None,
        answer.urgency.level if answer.urgency else None,
        answer.report_type.code if answer.report_type else None,
    )
    return named(portal, labels_of(codes))


def _with_texts(connection: Connection, portal: str, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Written]]:
    waiting = iter(entries)
    while some := list(islice(waiting, READ_TOGETHER)):
        texts = complaints.each_written(connection, portal, [entry.suggestion_id for entry in some])
        yield from ((entry, texts.get(entry.suggestion_id, Written())) for entry in some)


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(SENT_TOGETHER):
            yield chunk
