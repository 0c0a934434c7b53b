"""Suggestions as they were given, with the masked complaint. `(portal, external_id)` is a natural key."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, tuple_

from router_model.errors import AduanError
from service.database import deadlines, refusals, repeats, webhooks
from service.database.repeats import Answer, KeyReusedError, Repeat
from service.database.resemblances import Compared, Watch
from service.database.schema import suggestions
from service.database.webhooks import Event

CREATED, KNOWN = 201, 200


class AlreadyDifferentError(AduanError):
    """The same external id came before with another complaint."""

    def __init__(self) -> None:
        super().__init__("external_id ini sudah dipakai untuk laporan lain. Pakai nomor baru.")


@dataclass(frozen=True, slots=True)
class NewSuggestion:
    """A row to be, see the table for its columns; `request_hash` is a keyed hash of the whole complaint."""

    id: str
    portal: str
    external_id: str | None
    request_hash: str
    release: str | None
    asked_by: str
    created_at: datetime
    received_at: datetime | None
    channel: str
    route: str
    state: str
    priority: float
    agency: str | None
    agency_p: float | None
    category: str | None
    urgency: str | None
    known_words: float | None
    complaint: str
    answer: str
    sampled: bool = False
    looks: int = 1
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A suggestion to keep, what portals may hear of it, the `Idempotency-Key` it came under, and what it is compared
    with others by; `None` if it has no words."""

    suggestion: NewSuggestion
    events: tuple[Event, ...]
    repeat: Repeat
    compared: Compared | None = None


def add_all(connection: Connection, asked: Sequence[Asked]) -> list[Answer | Exception]:
    """Keeps each suggestion once; the answer of one that came before is the one given then.

    An `AlreadyDifferentError` or `KeyReusedError` takes the place of an answer; the others are kept.
    """
    known = _known(connection, asked)
    before = repeats.find(connection, (item.repeat for item in asked))
    answers: list[Answer | Exception] = []
    rows: list[dict[str, Any]] = []
    events: list[Event] = []
    remembered: dict[Repeat, Answer] = {}
    watch = Watch(connection) if any(item.compared for item in asked) else None
    for item in asked:
        new, repeat = item.suggestion, item.repeat
        earlier = before.get(repeat) or remembered.get(repeat)
        if earlier is not None:
            answers.append(earlier)
            continue
        if any(other.portal == repeat.portal and other.key == repeat.key for other in remembered):
            answers.append(KeyReusedError())
            continue
        natural = (new.portal, new.external_id or "")
        if natural in known:
            fingerprint, text = known[natural]
            if fingerprint not in ("", new.request_hash):
                answers.append(AlreadyDifferentError())
                continue
            answer = Answer(KNOWN, text, True)
        else:
            if watch and item.compared:
                found = watch.look(new.portal, new.id, new.external_id or "", item.compared)
                new = replace(new, answer=item.compared.answer(found))
            answer = Answer(CREATED, new.answer)
            rows.append(asdict(new))
            events.extend(item.events)
            if new.external_id:
                known[natural] = (new.request_hash, new.answer)
        answers.append(answer)
        if repeat.key:
            remembered[repeat] = answer
    if rows:
        # In one order for all, so that two processes do not wait for each other.
        connection.execute(insert(suggestions), sorted(rows, key=lambda row: row["external_id"] or ""))
        if watch:
            watch.keep()
        webhooks.enqueue(connection, events)
    repeats.remember(connection, remembered.items())
    return answers


def _known(connection: Connection, asked: Sequence[Asked]) -> dict[tuple[str, str], tuple[str, str]]:
    wanted = {(item.suggestion.portal, item.suggestion.external_id) for item in asked if item.suggestion.external_id}
    if not wanted:
        return {}
    columns = suggestions.c
    answer = refusals.answer_now().label("answer")
    query = select(columns.portal, columns.external_id, columns.request_hash, answer).where(
        tuple_(columns.portal, columns.external_id).in_(sorted(wanted))
    )
    return {(row.portal, row.external_id): (row.request_hash, row.answer) for row in connection.execute(query)}


def answer_of(connection: Connection, portal: str, suggestion_id: str) -> str | None:
    """The JSON text that was answered, or what is advised since an agency refused; with the deadline in force."""
    mine = (suggestions.c.portal == portal, suggestions.c.id == suggestion_id)
    row = connection.execute(select(refusals.answer_now().label("now"), suggestions.c.deadline).where(*mine)).first()
    return deadlines.told_in(row.now, row.deadline) if row else None
