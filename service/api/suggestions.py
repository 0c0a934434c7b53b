"""Complaint in, suggestion out."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import ValidationError
from sqlalchemy import Connection

from service.access import Answering, Asker, Scope, answering_of, charge, database_of
from service.database import suggestions
from service.database.database import Database
from service.database.repeats import Answer, Repeat, once
from service.database.suggestions import Asked
from service.metrics import Metrics
from service.once import IdempotencyKey, response
from service.problems import described, faults_of, problem_of
from service.suggesting import Suggested, fingerprint, suggest
from service.wire import BatchIn, BatchOut, ComplaintIn, Problem, SuggestionId, SuggestionOut, Taxonomy, taxonomy_of

router = APIRouter(tags=["Saran"])
Asking = Annotated[Asker, Depends(Scope("suggest"))]
Db = Annotated[Database, Depends(database_of)]
REFUSED = "Perbaiki kolom yang disebut, lalu kirim ulang."


def count(metrics: Metrics, suggested: Suggested) -> None:
    new = suggested.asked.suggestion
    metrics.suggested(
        portal=new.portal,
        route=new.route,
        agency=new.agency,
        agency_p=new.agency_p,
        known_words=new.known_words,
        reasons=[reason.code for reason in suggested.suggestion.reasons] if suggested.suggestion else ["no_model"],
    )


async def answered(body: ComplaintIn, asker: Asker, answering: Answering, idempotency_key: str) -> Answer:
    """Asks, stores and counts one complaint; the JSON text of the answer is a `SuggestionOut`."""
    suggested = await answering.lane.run(suggest, body, asker, answering.secret, datetime.now(UTC), idempotency_key)
    answer: Answer = await answering.database.write_together(suggestions.add_all, suggested.asked)
    if not answer.repeated:
        count(answering.metrics, suggested)
    return answer


@router.post(
    "/v1/suggestions",
    status_code=201,
    response_model=SuggestionOut,
    summary="Laporan masuk, saran keluar",
    responses={200: {"model": SuggestionOut, "description": "Sudah pernah dijawab"}, **described(409, 422)},
)
async def ask(
    body: ComplaintIn,
    request: Request,
    asker: Asking,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Predicts agency, category, urgency and report type, stores the answer with the masked text, and gives it
    back. The same complaint under the same `external_id` gets the same answer."""
    return response(await answered(body, asker, answering_of(request), idempotency_key))


@router.post(
    "/v1/suggestions/batch",
    response_model=BatchOut,
    summary="Banyak laporan sekaligus",
    responses=described(413, 422),
)
async def ask_many(
    body: BatchIn,
    request: Request,
    asker: Asking,
    idempotency_key: IdempotencyKey = "",
) -> Response:
    """Up to 500 complaints, each answered or refused by itself, in their order. All that are answered are stored
    together."""
    charge(request, asker, len(body.complaints) - 1)
    now = datetime.now(UTC)
    answering = answering_of(request)
    outcomes: list[Suggested | Problem] = []
    for complaint in body.complaints:
        outcomes.append(await answering.lane.run(_one, complaint, asker, answering.secret, now))
    asked = [outcome.asked for outcome in outcomes if isinstance(outcome, Suggested)]
    repeat = Repeat(asker.portal)
    if idempotency_key:
        content = fingerprint(answering.secret, b"batch", await request.body())
        repeat = Repeat(asker.portal, idempotency_key, content)
    kept: list[Answer | Exception] = []

    def keep(connection: Connection) -> Answer:
        kept[:] = _kept_each(connection, asked)
        return Answer(200, _batch(outcomes, kept).decode())

    answer = await answering.database.write(lambda connection: once(connection, repeat, keep))
    if not answer.repeated:
        done = (outcome for outcome in outcomes if isinstance(outcome, Suggested))
        for suggested, each in zip(done, kept, strict=True):
            if isinstance(each, Answer) and not each.repeated:
                count(answering.metrics, suggested)
    return response(answer)


def _one(complaint: Mapping[str, Any], asker: Asker, secret: bytes, now: datetime) -> Suggested | Problem:
    try:
        return suggest(ComplaintIn.model_validate(complaint), asker, secret, now)
    except ValidationError as error:
        return Problem(title="Isi laporan belum benar", status=422, detail=REFUSED, errors=faults_of(error.errors()))


def _kept_each(connection: Connection, asked: list[Asked]) -> list[Answer | Exception]:
    return suggestions.add_all(connection, asked) if asked else []


def _batch(outcomes: list[Suggested | Problem], kept: list[Answer | Exception]) -> bytes:
    """The answers are JSON already; only what stands around them is written here."""
    answers = iter(kept)
    items = []
    for outcome in outcomes:
        found = outcome if isinstance(outcome, Problem) else next(answers)
        if isinstance(found, Answer):
            items.append(b'{"status":%d,"suggestion":%s,"problem":null}' % (found.status, found.body.encode()))
        else:
            problem = found if isinstance(found, Problem) else problem_of(found)
            text = problem.model_dump_json().encode()
            items.append(b'{"status":%d,"suggestion":null,"problem":%s}' % (problem.status, text))
    return b'{"items":[%s]}' % b",".join(items)


@router.get(
    "/v1/suggestions/{suggestion_id}",
    response_model=SuggestionOut,
    summary="Saran yang tersimpan",
    responses=described(404, 422),
)
async def stored(suggestion_id: SuggestionId, asker: Asking, database: Db) -> Response:
    """As it was answered; with the deadline of the disposition in force, and without agencies that refused."""
    text = await database.read(lambda connection: suggestions.answer_of(connection, asker.portal, suggestion_id))
    if text is None:
        raise HTTPException(404, "Saran ini tidak ada pada portal Anda.")
    return Response(text, media_type="application/json")


@router.get("/v1/taxonomy", summary="Instansi, kategori, dan tingkat urgensi yang berlaku", responses=described(404))
async def taxonomy(asker: Asking) -> Taxonomy:
    if asker.serving is None:
        raise HTTPException(404, "Portal ini belum punya rilis yang berlaku.")
    return taxonomy_of(asker.serving.release.portal)
