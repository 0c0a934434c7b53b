"""Where staff look at one complaint after the other."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy import Connection

from router_model.policy import Route
from router_model.portal import Portal
from service.choices import LONGEST_REASON, masked
from service.database import complaints, judgements, refusals, resemblances, review, review_history
from service.database.complaints import Earlier
from service.database.database import Database
from service.database.review import Alarm, Filters, NotYoursError, Stats, Waiting
from service.database.review_history import Mine
from service.deadline_counting import counting
from service.desk.alarm import banner
from service.desk.candidates import Labels
from service.desk.complaint_view import TO_SETTLE, agency_name, duplicate, facts, labels_of, named, resembling, why
from service.desk.decision_form import Given, fields, given, picked, refused_before, text_of, told
from service.desk.filters import asked, filters_of, query_of, queue_of
from service.desk.similar import similar
from service.pages import Reviewer, local, page
from service.serving import Serving
from service.sessions import CheckedForm, SignedInUser
from service.wire import ID_PATTERN, SuggestionOut

router = APIRouter(include_in_schema=False)
Id = Annotated[str, Path(min_length=1, max_length=100, pattern=ID_PATTERN)]
DONE = {"tersimpan", "dilewati"}
NOTES = {"dibatalkan": "Dibatalkan. Laporan ini kembali kepada Anda."}
UNDO_WITHIN = timedelta(hours=8)
AGENCIES_COMPARED = 3


@dataclass(frozen=True, slots=True)
class Last:
    """What somebody did last and may take back."""

    id: str
    words: str


@dataclass(frozen=True, slots=True)
class Around:
    """What stands around the complaint on the screen."""

    stats: Stats
    today: Mine
    alarm: Alarm
    last: Last | None
    channels: list[str]


@router.get("/desk")
async def next_complaint(request: Request, user: Reviewer, pesan: str = "") -> Response:
    serving = _serving(request, user)
    if serving is None:
        return page(request, "desk/no_release.html", user)
    filters = filters_of(request.query_params, serving.release.portal)
    waiting = await _database(request).write(lambda c: review.next_for(c, user.portal, user.name, filters))
    if waiting is None:
        return await _nothing(request, user, serving.release.portal, filters, pesan)
    return await _shown(request, user, serving.release.portal, filters, waiting, note=pesan)


@router.get("/desk/alarm")
async def alarm(request: Request, user: Reviewer, di: str = "") -> Response:
    found = await _database(request).read(lambda connection: review.alarm(connection, user.portal))
    raised = banner(found, datetime.now(UTC), di)
    return JSONResponse({name: getattr(raised, name) for name in ("shown", "loud", "words", "address", "on_screen")})


@router.get("/desk/{suggestion_id}")
async def one_complaint(suggestion_id: Id, request: Request, user: Reviewer, pesan: str = "") -> Response:
    serving = _serving(request, user)
    if serving is None:
        return page(request, "desk/no_release.html", user)
    filters = filters_of(request.query_params, serving.release.portal)
    return await _again(request, user, serving.release.portal, filters, suggestion_id, note=pesan)


@router.post("/desk/{suggestion_id}/putusan")
async def decide(suggestion_id: Id, request: Request, user: Reviewer, form: CheckedForm) -> Response:
    serving = _serving(request, user)
    if serving is None:
        return page(request, "desk/no_release.html", user, status=409)
    portal, said = serving.release.portal, given(form)
    filters = filters_of(request.query_params, portal)
    chosen, faults = picked(portal, said)
    if chosen is None:
        return await _again(request, user, portal, filters, suggestion_id, said=said, faults=faults)
    refused = await _database(request).read(lambda c: refusals.of(c, user.portal, suggestion_id))
    if faults := refused_before(portal, chosen, said, refused):
        return await _again(request, user, portal, filters, suggestion_id, said=said, faults=faults)
    try:
        await _database(request).write(
            lambda c: review.decide(
                c,
                user.portal,
                suggestion_id,
                chosen,
                by=user.name,
                who=user.who,
                seconds=said.seconds,
                count=counting(portal),
            )
        )
    except NotYoursError as error:
        return _taken(request, user, suggestion_id, filters, str(error), told(portal, said))
    return _on("/desk", filters, "tersimpan")


@router.post("/desk/{suggestion_id}/lewati")
async def skip(suggestion_id: Id, request: Request, user: Reviewer, form: CheckedForm) -> Response:
    serving = _serving(request, user)
    if serving is None:
        return page(request, "desk/no_release.html", user, status=409)
    portal = serving.release.portal
    filters = filters_of(request.query_params, portal)
    reason = masked(text_of(form, "alasan_lain") or text_of(form, "alasan"))[:LONGEST_REASON]
    if not reason:
        faults = {"skip": "Pilih satu alasan, atau tulis alasan Anda sendiri."}
        return await _again(request, user, portal, filters, suggestion_id, faults=faults)
    try:
        await _database(request).write(
            lambda c: review.skip(c, user.portal, suggestion_id, by=user.name, who=user.who, reason=reason)
        )
    except NotYoursError as error:
        return _taken(request, user, suggestion_id, filters, str(error))
    return _on("/desk", filters, "dilewati")


@router.post("/desk/{suggestion_id}/batal")
async def undo(suggestion_id: Id, request: Request, user: Reviewer, form: CheckedForm) -> Response:
    serving = _serving(request, user)
    filters = filters_of(request.query_params, serving.release.portal) if serving else Filters()
    try:
        await _database(request).write(lambda c: review.undo(c, user.portal, suggestion_id, by=user.name, who=user.who))
    except NotYoursError as error:
        return _taken(request, user, suggestion_id, filters, str(error))
    return _on(f"/desk/{suggestion_id}", filters, "dibatalkan")


@router.post("/desk/{suggestion_id}/pegang")
async def hold(suggestion_id: Id, request: Request, user: Reviewer, form: CheckedForm) -> Response:
    held = await _database(request).write(lambda c: review.hold(c, user.portal, suggestion_id, user.name))
    return JSONResponse({"held": held})


@router.post("/desk/{suggestion_id}/kembali")
async def give_back(suggestion_id: Id, request: Request, user: Reviewer, form: CheckedForm) -> Response:
    await _database(request).write(lambda c: review.give_back(c, user.portal, suggestion_id, user.name))
    return RedirectResponse("/desk/kemajuan?pesan=dikembalikan", 303)


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _serving(request: Request, user: SignedInUser) -> Serving | None:
    serving: Serving | None = request.app.state.in_force.of(user.portal)
    return serving


def _on(address: str, filters: Filters, note: str) -> Response:
    query = query_of(filters)
    return RedirectResponse(f"{address}{query}{'&' if query else '?'}pesan={note}", 303)


async def _again(
    request: Request, user: SignedInUser, portal: Portal, filters: Filters, suggestion_id: str, **more: Any
) -> Response:
    """One complaint by its id, if this person may have it."""
    try:
        waiting = await _database(request).write(lambda c: review.one(c, user.portal, suggestion_id, user.name))
    except NotYoursError as error:
        said: Given | None = more.get("said")
        return _taken(request, user, suggestion_id, filters, str(error), told(portal, said) if said else [])
    return await _shown(request, user, portal, filters, waiting, **more)


def _taken(
    request: Request,
    user: SignedInUser,
    suggestion_id: str,
    filters: Filters,
    detail: str,
    chosen: list[tuple[str, str]] | None = None,
) -> Response:
    """Somebody else has it: says so, with what this person had chosen."""
    context = {"suggestion_id": suggestion_id, "detail": detail, "told": chosen or [], "query": query_of(filters)}
    return page(request, "desk/taken.html", user, status=409, **context)


async def _nothing(request: Request, user: SignedInUser, portal: Portal, filters: Filters, note: str) -> Response:
    now = datetime.now(UTC)
    around = await _database(request).read(lambda connection: _around(connection, user, portal, now))
    return page(request, "desk/empty.html", user, **_frame(around, filters, portal, note, now))


async def _shown(
    request: Request,
    user: SignedInUser,
    portal: Portal,
    filters: Filters,
    waiting: Waiting,
    *,
    note: str = "",
    said: Given | None = None,
    faults: dict[str, str] | None = None,
) -> Response:
    database, now = _database(request), datetime.now(UTC)
    shown = facts(waiting, now, portal)
    answer, complaint = shown["answer"], shown["complaint"]
    around, views, earlier, duplicates = await asyncio.gather(
        database.read(lambda connection: _around(connection, user, portal, now)),
        database.read(lambda connection: _views(connection, waiting)),
        database.read(lambda connection: _similar(connection, waiting, user.portal, answer, shown)),
        database.read(lambda connection: _duplicates(connection, portal, answer)),
    )
    emergency = waiting.route == Route.EMERGENCY.value and waiting.look == 1
    context = {
        **_frame(around, filters, portal, note, now, waiting.id if emergency else ""),
        **shown,
        **fields(portal, answer, complaint.get("report_type") or "", views, said),
        "waiting": waiting,
        "emergency": emergency,
        "duplicates": duplicates,
        "similar": [resembling(portal, item) for item in earlier],
        "views": [" · ".join(named(portal, view)) for view in views],
        "why": TO_SETTLE if views else why(answer),
        "faults": faults or {},
        "path": "/desk",
    }
    return page(request, "desk/review.html", user, status=422 if faults else 200, **context)


def _views(connection: Connection, waiting: Waiting) -> list[Labels]:
    """What two people said who differ, for the one who settles it; in an order that does not tell who was first."""
    if waiting.look < 3:
        return []
    said = judgements.in_force(connection, waiting.id)
    return sorted((labels_of(said[look].labels) for look in (1, 2)), key=lambda view: view.agency)


def _similar(
    connection: Connection, waiting: Waiting, portal: str, answer: SuggestionOut, shown: dict[str, Any]
) -> list[Earlier]:
    agencies = [item.code for item in answer.agencies[:AGENCIES_COMPARED]]
    category = answer.category[0].code if answer.category else ""
    earlier = complaints.earlier(connection, portal, agencies, category, waiting.id)
    words = f"{shown['title']}\n{shown['complaint'].get('text') or ''}"
    named = {item.id for item in answer.duplicates}
    return [item for _, item in similar(words, [item for item in earlier if item.id not in named])]


def _duplicates(connection: Connection, portal: Portal, answer: SuggestionOut) -> list[dict[str, Any]]:
    """Those that the answer names, with where they have gone by now."""
    ids = [item.id for item in answer.duplicates]
    if not ids:
        return []
    written = complaints.each_written(connection, portal.code, ids)
    went = resemblances.agencies_of(connection, portal.code, ids)
    known = (item for item in answer.duplicates if item.id in written)
    return [duplicate(portal, item, written[item.id], went.get(item.id, "")) for item in known]


def _around(connection: Connection, user: SignedInUser, portal: Portal, now: datetime) -> Around:
    midnight = local(now, portal.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Around(
        stats=review.stats(connection, user.portal, user.name, midnight, now),
        today=review_history.mine(connection, user.portal, user.name, midnight, now),
        alarm=review.alarm(connection, user.portal),
        last=_last(connection, user, portal, now),
        channels=complaints.channels(connection, user.portal),
    )


def _last(connection: Connection, user: SignedInUser, portal: Portal, now: datetime) -> Last | None:
    suggestion_id = review.last_act(connection, user.portal, user.name, now - UNDO_WITHIN)
    if suggestion_id is None:
        return None
    happened = review_history.of(connection, user.portal, suggestion_id)
    acts = (item for item in reversed(happened) if item.kind != "refusal")
    act = next(item for item in acts if item.by == user.name and not item.undone)
    skipped = act.kind == "skip"
    return Last(
        suggestion_id, f"Dilewati: {act.reason}" if skipped else f"Tersimpan: {agency_name(portal, act.agency)}"
    )


def _frame(
    around: Around, filters: Filters, portal: Portal, note: str, now: datetime, here: str = ""
) -> dict[str, Any]:
    """What the complaint and the empty queue have in common; `here` is the emergency on the screen."""
    last = around.last
    return {
        "asked": asked(filters, portal, around.channels),
        "queue": queue_of(around.stats),
        "today": around.today.decided,
        "accepted_today": around.today.accepted,
        "everybody_today": around.stats.decided,
        "last": last,
        "note": f"{last.words}. Tekan z untuk membatalkan." if last and note in DONE else NOTES.get(note, ""),
        "alarm": banner(around.alarm, now, here),
    }
