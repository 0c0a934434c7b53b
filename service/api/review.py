"""The queue as an API: what the web desk uses too."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from service.access import Asker, Scope, database_of, secret_of
from service.api.dispositions import DispositionOut, Label, disposition_out
from service.choices import LONGEST_NAME, LONGEST_REASON, chosen, masked
from service.database import review
from service.database.database import Database
from service.database.review import Filters, Waiting
from service.deadline_counting import counting
from service.once import IdempotencyKey, done_once
from service.problems import described
from service.wire import Body, SuggestionId, SuggestionOut, suggestion_of

router = APIRouter(tags=["Peninjauan"])
Reviewing = Annotated[Asker, Depends(Scope("review"))]
Db = Annotated[Database, Depends(database_of)]
Secret = Annotated[bytes, Depends(secret_of)]
By = Annotated[str, Field(max_length=LONGEST_NAME, description="Akun kerja petugas; bawaan kunci API ini")]
Route = Annotated[
    str,
    Query(pattern="^(auto|prefill|review|emergency|external|incomplete)?$", description="Rute ini dan yang darurat"),
]
STATISTICS_DAYS = 1


class ComplaintOut(BaseModel):
    """The masked complaint."""

    title: str = ""
    text: str = ""
    address: str = ""
    village: str = ""
    district: str = ""
    channel: str = ""
    received_at: datetime | None = None
    report_type: str = ""
    chosen_agency: str = ""
    anonymous: bool = False
    confidential: bool = False


class WaitingOut(BaseModel):
    id: str
    complaint: ComplaintOut
    suggestion: SuggestionOut
    leased_until: datetime


class NextOut(BaseModel):
    item: Annotated[WaitingOut | None, Field(description="Kosong bila tidak ada yang menunggu")]


class DecisionIn(Body):
    agency: Annotated[Label, Field(min_length=1)]
    category: Label = ""
    urgency: Label = ""
    report_type: Label = ""
    by: By = ""
    reason: Annotated[str, Field(max_length=LONGEST_REASON)] = ""


class SkipIn(Body):
    by: By = ""
    reason: Annotated[str, Field(min_length=1, max_length=LONGEST_REASON)]


class UndoIn(Body):
    by: By = ""


class ActOut(BaseModel):
    id: str
    state: str


class StatsOut(BaseModel):
    open: Annotated[dict[str, int], Field(description="Laporan yang menunggu, menurut rute")]
    oldest: datetime | None
    leased: int
    decided: Annotated[int, Field(description="Disposisi dalam 24 jam terakhir")]
    decided_by_me: int
    accepted_by_me: int


def waiting_out(waiting: Waiting) -> WaitingOut:
    return WaitingOut(
        id=waiting.id,
        complaint=ComplaintOut.model_validate(orjson.loads(waiting.complaint)),
        suggestion=suggestion_of(waiting.answer),
        leased_until=waiting.leased_until,
    )


def _account(by: str, asker: Asker) -> str:
    return masked(by)[:LONGEST_NAME] or asker.who


@router.get("/v1/review/next", summary="Laporan berikutnya untuk ditinjau", responses=described(422))
async def next_waiting(
    asker: Reviewing, database: Db, by: Annotated[str, Query(max_length=LONGEST_NAME)] = "", route: Route = ""
) -> NextOut:
    """Emergencies first, then by deadline, then the least sure. It is yours for ten minutes; asking again gives the
    same one, unless an emergency came."""
    account = _account(by, asker)
    found = await database.write(
        lambda connection: review.next_for(connection, asker.portal, account, Filters(route=route))
    )
    return NextOut(item=waiting_out(found) if found else None)


@router.post(
    "/v1/review/{suggestion_id}/decision",
    status_code=201,
    response_model=DispositionOut,
    summary="Keputusan peninjau",
    responses={200: {"model": DispositionOut, "description": "Sudah tercatat sama"}, **described(404, 409, 422)},
)
async def decide(
    suggestion_id: SuggestionId,
    body: DecisionIn,
    request: Request,
    asker: Reviewing,
    database: Db,
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """The first answer wins: what another person holds or has decided is refused. A second look at what was decided
    is answered with what this person said; the disposition in force stays."""
    if asker.serving is None:
        raise HTTPException(409, "Portal ini belum punya rilis yang berlaku.")
    account = _account(body.by, asker)
    portal = asker.serving.release.portal
    labels = chosen(portal, body.agency, body.category, body.urgency, body.report_type, reason=body.reason)
    # Masked already; a key's id may look like a number of a person and must stay what holds the lease.
    picked = replace(labels, by=account)

    def act(connection: Connection) -> tuple[int, DispositionOut]:
        decided = review.decide(
            connection, asker.portal, suggestion_id, picked, by=account, who=asker.who, count=counting(portal)
        )
        return (201 if decided.new else 200), disposition_out(decided.disposition)

    return await done_once(request, asker, database, secret, idempotency_key, act)


@router.post(
    "/v1/review/{suggestion_id}/skip",
    response_model=ActOut,
    summary="Lewati, beri kepada yang lain",
    responses=described(404, 409, 422),
)
async def skip(
    suggestion_id: SuggestionId,
    body: SkipIn,
    request: Request,
    asker: Reviewing,
    database: Db,
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    account, reason = _account(body.by, asker), masked(body.reason)

    def act(connection: Connection) -> tuple[int, ActOut]:
        review.skip(connection, asker.portal, suggestion_id, by=account, who=asker.who, reason=reason)
        return 200, ActOut(id=suggestion_id, state="open")

    return await done_once(request, asker, database, secret, idempotency_key, act)


@router.post(
    "/v1/review/{suggestion_id}/undo",
    response_model=ActOut,
    summary="Batalkan keputusan terakhir Anda",
    responses=described(404, 409, 422),
)
async def undo(
    suggestion_id: SuggestionId,
    body: UndoIn,
    request: Request,
    asker: Reviewing,
    database: Db,
    secret: Secret,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    account = _account(body.by, asker)

    def act(connection: Connection) -> tuple[int, ActOut]:
        review.undo(connection, asker.portal, suggestion_id, by=account, who=asker.who)
        return 200, ActOut(id=suggestion_id, state="open")

    return await done_once(request, asker, database, secret, idempotency_key, act)


@router.get("/v1/review/stats", summary="Keadaan antrean", responses=described(422))
async def stats(asker: Reviewing, database: Db, by: Annotated[str, Query(max_length=LONGEST_NAME)] = "") -> StatsOut:
    account, since = _account(by, asker), datetime.now(UTC) - timedelta(days=STATISTICS_DAYS)
    found = await database.read(lambda connection: review.stats(connection, asker.portal, account, since))
    return StatsOut(
        open=dict(found.open),
        oldest=found.oldest,
        leased=found.leased,
        decided=found.decided,
        decided_by_me=found.decided_by_me,
        accepted_by_me=found.accepted_by_me,
    )
