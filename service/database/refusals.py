"""Agencies that said a complaint is not theirs ("bukan wewenang"). They stay in the record for ever and are not advised
for it again; what is advised instead stands beside them."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from service.database import audit, dispositions, webhooks
from service.database.dispositions import IMPORT
from service.database.schema import dispositions as disposition_rows
from service.database.schema import judgements, refusals, suggestions
from service.database.webhooks import Event


@dataclass(frozen=True, slots=True)
class Refusal:
    """`by` and `reason` arrive masked; `source` is as in a disposition."""

    id: str
    suggestion_id: str
    agency: str
    by: str
    reason: str
    source: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Advised:
    """What is advised once more: the JSON text of the answer, what it ranks first ("" for nothing), and where it
    stands in the queue."""

    answer: str
    route: str
    priority: float
    agency: str = ""
    category: str = ""
    urgency: str = ""


Advise = Callable[[RowMapping, Sequence[Refusal]], Advised]
"""From the complaint and the answer of a suggestion, and all that refused it so far."""
_COLUMNS = tuple(refusals.c[name] for name in Refusal.__slots__)


def of(connection: Connection, portal: str, suggestion_id: str) -> list[Refusal]:
    """In the order they came."""
    mine = (refusals.c.portal == portal, refusals.c.suggestion_id == suggestion_id)
    query = select(*_COLUMNS).where(*mine).order_by(refusals.c.sequence)
    return [Refusal(**row) for row in connection.execute(query).mappings()]


def advised(name: str) -> ColumnElement[Any]:
    """For a query of suggestions: `agency`, `category` or `urgency` as they are advised now."""
    return _newest(f"advised_{name}", name)


def answer_now() -> ColumnElement[str]:
    """For a query of suggestions: the answer as it is now."""
    return _newest("answer", "answer")


def _newest(here: str, there: str) -> ColumnElement[Any]:
    columns = refusals.c
    newest = (
        select(columns[here])
        .where(columns.suggestion_id == suggestions.c.id)
        .order_by(columns.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(newest, suggestions.c[there])


def first_route() -> ColumnElement[str]:
    """For a query of suggestions: the route that the model gave before anybody refused. It is measured by that."""
    return _newest("first_route", "route")


def record(
    connection: Connection,
    portal: str,
    agency: str,
    advise: Advise,
    *,
    who: str,
    source: str,
    by: str = "",
    reason: str = "",
    suggestion_id: str = "",
    external_id: str = "",
) -> tuple[Refusal, bool]:
    """Keeps that an agency refused, and whether that is new: said again it changes nothing, unless somebody sent the
    complaint there once more since. Files are sent over and over, so from one it is never new again.

    What had been chosen loses its force, nobody learns from it, and the complaint waits for a person again; unless it
    has gone to another agency meanwhile.

    Raises:
        NoSuchSuggestionError: there is no such suggestion in this portal.
    """
    suggestion_id = dispositions.asked_about(connection, portal, suggestion_id, external_id)["id"]
    before, chosen = of(connection, portal, suggestion_id), dispositions.newest(connection, suggestion_id)
    theirs = [refusal for refusal in before if refusal.agency == agency]
    sent_there = chosen is not None and chosen["agency"] == agency
    if theirs and (source == IMPORT or not sent_there):
        return theirs[-1], False
    row = connection.execute(select(suggestions).where(suggestions.c.id == suggestion_id)).mappings().one()
    refusal = Refusal(secrets.token_urlsafe(12), suggestion_id, agency, by, reason, source, datetime.now(UTC))
    now = advise(row, (*before, refusal))
    reopened = chosen is None or sent_there
    _add(connection, row, refusal, len(before) + 1, now)
    _take_back(connection, suggestion_id, "" if reopened else agency)
    _move(connection, row, now, reopened)
    detail = {"agency": agency, "source": source, "reopened": reopened}
    audit.record(
        connection,
        portal=portal,
        who=who,
        action="disposition.refuse",
        subject=suggestion_id,
        release=row["release"],
        detail=detail,
    )
    webhooks.enqueue(connection, [_event(row, refusal, now, reopened)])
    return refusal, True


def _add(connection: Connection, row: RowMapping, refusal: Refusal, sequence: int, now: Advised) -> None:
    values = {name: getattr(refusal, name) for name in Refusal.__slots__}
    first = connection.scalar(select(first_route()).where(suggestions.c.id == row["id"]))
    advice = {
        "first_route": first,
        "advised_agency": now.agency,
        "advised_category": now.category,
        "advised_urgency": now.urgency,
        "answer": now.answer,
    }
    connection.execute(insert(refusals).values(**values, **advice, portal=row["portal"], sequence=sequence))


def _take_back(connection: Connection, suggestion_id: str, agency: str) -> None:
    """Takes the force from every choice, or from those of one agency that were corrected long since."""
    rows = disposition_rows.c
    taken = [rows.suggestion_id == suggestion_id, rows.undone.is_(False)]
    said = [judgements.c.suggestion_id == suggestion_id, judgements.c.undone.is_(False)]
    if agency:
        taken.append(rows.agency == agency)
        said.append(judgements.c.id.in_(list(connection.scalars(select(rows.id).where(*taken)))))
    connection.execute(update(judgements).where(*said).values(undone=True))
    connection.execute(update(disposition_rows).where(*taken).values(undone=True))


def _move(connection: Connection, row: RowMapping, now: Advised, reopened: bool) -> None:
    """Whoever has it on the screen keeps it; the deadline stays as it was."""
    values: dict[str, Any] = {"route": now.route}
    if reopened:
        values |= {"state": "open", "priority": now.priority}
        if row["state"] != "open":
            values |= {"leased_by": None, "leased_until": None}
    connection.execute(update(suggestions).where(suggestions.c.id == row["id"]).values(values))


def _event(row: RowMapping, refusal: Refusal, now: Advised, reopened: bool) -> Event:
    data = {
        "id": refusal.id,
        "suggestion_id": row["id"],
        "external_id": row["external_id"] or "",
        "refused_by": refusal.agency,
        "source": refusal.source,
        "reopened": reopened,
        "agency": now.agency or None,
        "route": now.route,
    }
    return Event(row["portal"], "disposition.refused", row["id"], data)
