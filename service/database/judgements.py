"""What each reviewer said of a complaint, look by look, and how far two who did not know of each other agree."""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, RowMapping, exists, insert, select, update

from service.database.dispositions import Chosen
from service.database.schema import judgements, suggestions

ANSWERS = ("agency", "category", "urgency", "report_type")
Labels = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """`labels` are codes in the order of `ANSWERS`, `None` where nothing was said."""

    id: str
    look: int
    by: str
    labels: Labels
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """Over `n` complaints of which both said something: the share where they said the same, and Cohen's kappa.
    `None` without complaints; no kappa where only one class was ever said."""

    n: int
    equal: float | None
    kappa: float | None


@dataclass(frozen=True, slots=True)
class ByAnswer:
    agency: Agreed
    category: Agreed
    urgency: Agreed
    report_type: Agreed


@dataclass(frozen=True, slots=True)
class Agreement:
    """Over complaints that two people looked at. `people` holds, for each of them, those they had a part in."""

    pairs: int
    answers: ByAnswer
    people: Mapping[str, ByAnswer]


def add(
    connection: Connection,
    portal: str,
    suggestion_id: str,
    look: int,
    chosen: Chosen,
    *,
    seconds: float | None,
    now: datetime,
    disposition_id: str = "",
) -> Judgement:
    """Has the id of the disposition that came of it, if one did. Later than all that was said of the complaint
    before, so that the newest of a look is always known."""
    before = select(judgements.c.created_at).where(judgements.c.suggestion_id == suggestion_id)
    newest = max(connection.scalars(before), default=None)
    values = {
        "id": disposition_id or secrets.token_urlsafe(12),
        "portal": portal,
        "suggestion_id": suggestion_id,
        "look": look,
        "by": chosen.by,
        **dict(zip(ANSWERS, chosen.labels, strict=True)),
        "seconds": seconds,
        "undone": False,
        "created_at": max(now, newest + timedelta(microseconds=1)) if newest else now,
    }
    connection.execute(insert(judgements).values(values))
    return _judgement(values)


def in_force(connection: Connection, suggestion_id: str) -> dict[int, Judgement]:
    """The newest of each look that was not undone."""
    columns = judgements.c
    query = select(judgements).where(columns.suggestion_id == suggestion_id, columns.undone.is_(False))
    rows = connection.execute(query.order_by(columns.created_at)).mappings()
    return {row["look"]: _judgement(row) for row in rows}


def take_back(connection: Connection, judgement_id: str) -> None:
    connection.execute(update(judgements).where(judgements.c.id == judgement_id).values(undone=True))


def said_by(by: str) -> ColumnElement[bool]:
    """For a query of suggestions: those of which `by` has said something."""
    columns = judgements.c
    return exists().where(columns.suggestion_id == suggestions.c.id, columns.by == by, columns.undone.is_(False))


def agree(first: Labels, second: Labels) -> bool:
    """The same agency, and the same of all else of which both said something."""
    return all(one == other or None in (one, other) for one, other in zip(first, second, strict=True))


def _judgement(row: RowMapping | Mapping[str, Any]) -> Judgement:
    return Judgement(row["id"], row["look"], row["by"], labels_of(row), row["created_at"])


def labels_of(row: RowMapping | Mapping[str, Any]) -> Labels:
    return tuple(row[name] for name in ANSWERS)


def agreement(connection: Connection, portal: str, since: datetime) -> Agreement:
    """Of complaints whose second look came since then; what a third person said plays no part."""
    pairs = _pairs(connection, portal, since)
    people: dict[str, list[tuple[Labels, Labels]]] = {}
    for first, second in pairs:
        people.setdefault(first.by, []).append((first.labels, second.labels))
        people.setdefault(second.by, []).append((second.labels, first.labels))
    return Agreement(
        pairs=len(pairs),
        answers=_by_answer([(first.labels, second.labels) for first, second in pairs]),
        people={by: _by_answer(theirs) for by, theirs in sorted(people.items())},
    )


def _pairs(connection: Connection, portal: str, since: datetime) -> list[tuple[Judgement, Judgement]]:
    columns = judgements.c
    mine = (columns.portal == portal, columns.undone.is_(False))
    again = select(columns.suggestion_id).where(*mine, columns.look == 2, columns.created_at >= since)
    query = select(judgements).where(*mine, columns.look.in_((1, 2)), columns.suggestion_id.in_(again))
    looks: dict[str, dict[int, Judgement]] = {}
    for row in connection.execute(query.order_by(columns.created_at)).mappings():
        looks.setdefault(row["suggestion_id"], {})[row["look"]] = _judgement(row)
    return [(said[1], said[2]) for said in looks.values() if len(said) == 2]


def _by_answer(pairs: Sequence[tuple[Labels, Labels]]) -> ByAnswer:
    return ByAnswer(*(_agreed((one[place], other[place]) for one, other in pairs) for place in range(len(ANSWERS))))


def _agreed(pairs: Iterable[tuple[str | None, str | None]]) -> Agreed:
    both = [(one, other) for one, other in pairs if one is not None and other is not None]
    if not both:
        return Agreed(0, None, None)
    equal = sum(one == other for one, other in both) / len(both)
    return Agreed(len(both), equal, kappa([one for one, _ in both], [other for _, other in both]))


def kappa(first: Sequence[str], second: Sequence[str]) -> float | None:
    """Cohen's kappa: (observed - expected) / (1 - expected), the expected agreement being that of two who say each
    class as often as these did, but at random. `None` where that is certain: both said one and the same class.

    J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological Measurement 20 (1960).
    """
    classes, codes = np.unique([first, second], return_inverse=True)
    one, other = codes.reshape(2, len(first))
    shares = [np.bincount(said, minlength=len(classes)) / len(first) for said in (one, other)]
    observed, expected = float(np.mean(one == other)), float(shares[0] @ shares[1])
    return (observed - expected) / (1.0 - expected) if len(classes) > 1 else None
