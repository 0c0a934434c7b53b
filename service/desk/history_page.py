"""Who decided what, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response, StreamingResponse
from sqlalchemy import Connection

from router_model.portal import Portal
from service.choices import LONGEST_REASON, masked
from service.database import audit, complaints, deadlines, review, review_history, users
from service.database.complaints import Kept, Written
from service.database.database import Database
from service.database.dispositions import REVIEW
from service.database.leases import WAITING
from service.database.review import NotYoursError
from service.database.review_history import Entry, Happened
from service.desk.alarm import banner
from service.desk.candidates import agency_groups
from service.desk.complaint_view import agency_name, category_name, facts, labels_of, named, why
from service.desk.decision_form import text_of
from service.desk.export import MOST_ROWS, SOURCES, write
from service.desk.history_filters import OUTCOMES, HistoryAsked, history_asked
from service.desk.review_page import Id
from service.pages import Reviewer, clock, local, page
from service.refusing import refuse
from service.sessions import AnyUser, CheckedForm, SignedInUser
from service.wire import SuggestionOut, deadline_in, suggestion_of

router = APIRouter(include_in_schema=False)
MOST = 50
READ_TOGETHER = 500
SENT_TOGETHER = 64 * 1024
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
TONES = {"accepted": "good", "changed": "warn", "scratch": "neutral"}
NOTES = {"ditolak": "Penolakan tercatat. Instansi itu tidak disarankan lagi untuk laporan ini."}
LOOKS = {2: "menilai sekali lagi", 3: "menentukan"}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened to a complaint, in words; `gone` says why it does not count any more."""

    at: datetime
    who: str
    did: str
    said: Sequence[str] = ()
    outcome: str = ""
    tone: str = "neutral"
    reason: str = ""
    seconds: float | None = None
    gone: str = ""
    deadline: str = ""


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
async def one_history(suggestion_id: Id, request: Request, user: AnyUser, pesan: str = "") -> Response:
    return await _one(suggestion_id, request, user, note=NOTES.get(pesan, ""))


@router.post("/desk/riwayat/{suggestion_id}/tolak")
async def refused(suggestion_id: Id, request: Request, user: Reviewer, form: CheckedForm) -> Response:
    """The agency says that it is not its matter."""
    serving = request.app.state.in_force.of(user.portal)
    if serving is None:
        return page(request, "desk/no_release.html", user, status=409)
    agency, reason = text_of(form, "instansi"), masked(text_of(form, "alasan"))[:LONGEST_REASON]
    if agency not in serving.release.portal.agency:
        return await _one(suggestion_id, request, user, fault="Pilih instansi yang menolak.", reason=reason)

    def keep(connection: Connection) -> None:
        if not _may_refuse(complaints.kept(connection, user.portal, suggestion_id), _hidden(connection, user)):
            raise NotYoursError("Laporan ini masih menunggu petugas; lewati atau putuskan dahulu.")
        refuse(
            connection,
            serving,
            agency,
            who=user.who,
            source=REVIEW,
            by=user.name,
            reason=reason,
            suggestion_id=suggestion_id,
        )

    await _database(request).write(keep)
    return RedirectResponse(f"/desk/riwayat/{suggestion_id}?pesan=ditolak", 303)


def _may_refuse(kept: Kept, hidden: frozenset[str]) -> bool:
    """One that waits was not sent to anybody yet, or somebody may still have to look without knowing of others."""
    return kept.state != "open" and kept.id not in hidden


async def _one(
    suggestion_id: Id, request: Request, user: SignedInUser, note: str = "", fault: str = "", reason: str = ""
) -> Response:
    now = datetime.now(UTC)

    def read(connection: Connection) -> tuple[Kept, list[Happened], frozenset[str]]:
        kept = complaints.kept(connection, user.portal, suggestion_id)
        happened = review_history.of(connection, user.portal, suggestion_id)
        return kept, happened, _hidden(connection, user)

    database, portal = _database(request), _portal(request, user)
    kept, happened, unread = await database.read(read)
    if hidden := suggestion_id in unread:
        kept = replace(kept, due_at=deadlines.due(deadlines.in_force(kept.first_answer, None)))
    alarm = await database.read(lambda connection: review.alarm(connection, user.portal))
    shown, first = facts(kept, now, portal), suggestion_of(kept.first_answer)
    steps = [] if hidden else _steps(portal, happened)
    context = {
        **shown,
        "kept": kept,
        "waits": hidden or kept.state in WAITING,
        "may_review": user.role != "auditor",
        "why": why(first),
        "model": _model(portal, first),
        "model_p": first.agencies[0].p if first.agencies else None,
        "steps": steps,
        "note": note,
        "fault": fault,
        "reason": reason,
        "may_refuse": portal is not None and user.role != "auditor" and _may_refuse(kept, unread),
        "sent_to": _sent_to(happened, shown["answer"]),
        "agency_groups": agency_groups(portal) if portal else [],
        "alarm": banner(alarm, now),
    }
    return page(request, "desk/history_one.html", user, status=422 if fault else 200, **context)


def _sent_to(happened: Sequence[Happened], answer: SuggestionOut) -> str:
    """The code of the agency that has it, as far as anybody told."""
    chosen = [item.agency for item in happened if item.kind == "disposition" and not item.undone]
    return chosen[-1] if chosen else answer.agencies[0].code if answer.agencies else ""


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
    refusals = [item for item in happened if item.kind == "refusal"]
    return [
        _step(portal, item, made.get(item.id), refusals)
        for item in happened
        if item.kind != "judgement" or item.id not in dispositions
    ]


def _step(portal: Portal | None, item: Happened, judgement: Happened | None, refusals: Sequence[Happened]) -> Step:
    if item.kind == "skip":
        return Step(item.at, item.by, "melewati", reason=item.reason)
    if item.kind == "refusal":
        return _refused(portal, item)
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
        gone=_gone(item, refusals),
        deadline=_deadline(item, portal.timezone if portal else "UTC"),
    )


def _deadline(item: Happened, zone: str) -> str:
    """What a choice made of the deadline, if anything."""
    if item.deadline == item.deadline_before:
        return ""
    if item.deadline is None:
        return "Tenggat kembali seperti semula."
    counted = deadline_in(item.deadline)
    if counted is None:
        return "Tanpa tenggat: portal tidak menetapkan batas waktu untuk klasifikasi ini."
    return f"Tenggat dihitung lagi: {counted.working_days} hari kerja, sampai {clock(counted.due, zone)}."


def _refused(portal: Portal | None, item: Happened) -> Step:
    who, now = (agency_name(portal, code) if portal else code for code in (item.agency, item.advised_agency))
    said = [f"{who} menolak: bukan wewenangnya", *([f"disarankan sekarang: {now}"] if now else [])]
    how = "" if item.source == "review" else f" lewat {SOURCES[item.source]}"
    return Step(item.at, item.by, f"mencatat penolakan{how}", said, reason=item.reason)


def _gone(item: Happened, refusals: Sequence[Happened]) -> str:
    if not item.undone:
        return ""
    refused = any(other.agency == item.agency and other.at >= item.at for other in refusals)
    return "ditolak instansinya" if refused else "dibatalkan"


def _model(portal: Portal | None, answer: SuggestionOut) -> list[str]:
    """What the model said first of each answer."""
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
