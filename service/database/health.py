"""What the figures of `/admin/kesehatan` are counted from. Weeks are given by their edges, so that the database needs
to know no time zone: week 0 lies between the first two."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    and_,
    case,
    exists,
    extract,
    func,
    literal_column,
    null,
    or_,
    select,
)

from router_model.policy import Route
from service.database.refusals import first_route
from service.database.schema import dispositions, suggestions

LISTED = 3
_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """`n` complaints of a week that were answered alike. `known` is the sum of the shares of known words over the
    `read` of them that the model read."""

    week: int
    agency: str | None
    route: str
    channel: str
    n: int
    read: int
    known: float


@dataclass(frozen=True, slots=True)
class Decided:
    """`n` complaints of a week that were answered alike and went to the same agency, by the disposition in force.
    `audited` are sure answers drawn at random that a person has looked at. `expected` is the sum of the first agency's
    probabilities, `listed` counts those where the agency chosen was among the first three, `recategorised` those where
    only another category was chosen."""

    week: int
    agency: str
    chosen: str
    route: str
    audited: bool
    n: int
    expected: float
    listed: int
    recategorised: int


@dataclass(frozen=True, slots=True)
class Wait:
    """How long complaints of an agency waited for their first disposition, in seconds: the middle one, and the one
    that nine in ten did not exceed."""

    agency: str
    n: int
    median: float
    ninetieth: float


@dataclass(frozen=True, slots=True)
class Emergency:
    """`decided_at` is the first disposition that was not taken back."""

    id: str
    agency: str | None
    state: str
    created_at: datetime
    seen_at: datetime | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Written:
    """A complaint as JSON text, and the agency it was suggested to."""

    agency: str | None
    complaint: str


def asked(connection: Connection, portal: str, edges: Sequence[datetime]) -> list[Asked]:
    columns = suggestions.c
    alike = (_week(edges), columns.agency, first_route(), columns.channel)
    counted = (func.count(), func.count(columns.known_words), func.coalesce(func.sum(columns.known_words), 0.0))
    query = select(*alike, *counted).where(_between(portal, edges[0], edges[-1])).group_by(*alike)
    return [Asked(*row) for row in connection.execute(query)]


def decided(connection: Connection, portal: str, edges: Sequence[datetime]) -> list[Decided]:
    """Complaints for which the model named an agency and a person chose one."""
    said, chose = suggestions.c, dispositions.c
    recategorised = case((and_(said.agency == chose.agency, chose.outcome == "changed"), 1), else_=0)
    alike = (_week(edges), said.agency, chose.agency, first_route(), _audited())
    query = (
        select(*alike, func.count(), func.coalesce(func.sum(said.agency_p), 0.0), func.sum(recategorised))
        .join_from(suggestions, dispositions)
        .where(_between(portal, edges[0], edges[-1]), said.agency.is_not(None), chose.portal == portal, _in_force())
        .group_by(*alike)
    )
    found = _listed(connection, portal, edges)
    groups = []
    for week, agency, chosen, route, audited, n, expected, other in connection.execute(query):
        listed = n if agency == chosen else found[week, agency, chosen, route, bool(audited)]
        groups.append(Decided(week, agency, chosen, route, bool(audited), n, expected, listed, other))
    return groups


def _listed(connection: Connection, portal: str, edges: Sequence[datetime]) -> Counter[tuple[int, str, str, str, bool]]:
    """How often the agency chosen was not the first but among the first three of the stored answer. Only the answers
    that were changed are opened."""
    said, chose = suggestions.c, dispositions.c
    query = (
        select(said.created_at, said.agency, chose.agency, first_route(), _audited(), said.answer)
        .join_from(dispositions, suggestions)
        .where(chose.portal == portal, chose.created_at >= edges[0], chose.outcome == "changed", _in_force())
        .where(_between(portal, edges[0], edges[-1]), said.agency != chose.agency)
        .execution_options(yield_per=_TOGETHER)
    )
    found: Counter[tuple[int, str, str, str, bool]] = Counter()
    for asked_at, agency, chosen, route, audited, answer in connection.execute(query):
        ranked = orjson.loads(answer)["agencies"][1:LISTED]
        found[bisect_right(edges, asked_at) - 1, agency, chosen, route, bool(audited)] += any(
            item["code"] == chosen for item in ranked
        )
    return found


def waits(connection: Connection, portal: str, first: datetime, last: datetime) -> list[Wait]:
    """By the agency that was chosen, of complaints that came in between the two moments and that the model was not sure
    of; without imported dispositions, which do not tell when they were made."""
    said, chose = suggestions.c, dispositions.c
    seconds = extract("epoch", chose.created_at) - extract("epoch", func.coalesce(said.received_at, said.created_at))
    ranked = (
        select(
            chose.agency,
            seconds.label("seconds"),
            func.row_number().over(partition_by=chose.agency, order_by=seconds).label("place"),
            func.count().over(partition_by=chose.agency).label("n"),
        )
        .join_from(suggestions, dispositions)
        .where(_between(portal, first, last), said.route != Route.AUTO.value)
        .where(chose.portal == portal, chose.source != "import", _first())
        .subquery()
    )
    middle, most = (ranked.c.n + 1) // 2, (9 * ranked.c.n + 9) // 10
    query = select(ranked).where(or_(ranked.c.place == middle, ranked.c.place == most)).order_by(ranked.c.place)
    found: dict[str, list[Any]] = {}
    for row in connection.execute(query):
        found.setdefault(row.agency, []).append(row)
    return [Wait(agency, rows[0].n, float(rows[0].seconds), float(rows[-1].seconds)) for agency, rows in found.items()]


def emergencies(connection: Connection, portal: str, first: datetime, last: datetime) -> list[Emergency]:
    """Those of the time between the two moments, and all older ones that still wait; oldest first."""
    said, chose = suggestions.c, dispositions.c
    decided_at = (
        select(chose.created_at)
        .where(chose.suggestion_id == said.id, chose.portal == portal, chose.undone.is_(False))
        .order_by(chose.sequence)
        .limit(1)
        .scalar_subquery()
    )
    columns = (said.id, said.agency, said.state, said.created_at, said.seen_at)
    urgent = said.route == Route.EMERGENCY.value
    query = select(*columns, decided_at).where(urgent, _between(portal, first, last))
    # Without a bound in time, or SQLite would look through all that is older rather than all that waits.
    waiting = select(*columns, null()).where(urgent, said.portal == portal, said.state == "open")
    older = [row for row in connection.execute(waiting) if row.created_at < first]
    rows = [*older, *connection.execute(query)]
    return sorted((Emergency(*row) for row in rows), key=lambda found: found.created_at)


def written(connection: Connection, portal: str, first: datetime, last: datetime, most: int) -> list[Written]:
    """The newest complaints between the two moments, no more than `most`."""
    said = suggestions.c
    query = select(said.agency, said.complaint).where(_between(portal, first, last)).order_by(said.created_at.desc())
    return [Written(*row) for row in connection.execute(query.limit(most))]


def _audited() -> ColumnElement[int]:
    """One that is still open was merely carried out by its portal, which says nothing. Only sure answers are drawn: of
    others the far end of a long row need not be read."""
    columns = suggestions.c
    drawn = and_(first_route() == Route.AUTO.value, columns.state != "open", columns.sampled.is_(True))
    return case((drawn, 1), else_=0)


def _in_force() -> ColumnElement[bool]:
    """Dispositions that no later one has replaced."""
    here, later = dispositions.c, dispositions.alias().c
    same = and_(later.suggestion_id == here.suggestion_id, later.undone.is_(False))
    return and_(here.undone.is_(False), ~exists().where(same, later.sequence > here.sequence))


def _first() -> ColumnElement[bool]:
    here, earlier = dispositions.c, dispositions.alias().c
    same = and_(earlier.suggestion_id == here.suggestion_id, earlier.undone.is_(False))
    return and_(here.undone.is_(False), ~exists().where(same, earlier.sequence < here.sequence))


def _week(edges: Sequence[datetime], first: int = 0) -> ColumnElement[int]:
    """Which week a complaint came in, found by halving."""
    if len(edges) <= 2:
        return literal_column(str(first), Integer)
    half = len(edges) // 2
    earlier, later = _week(edges[: half + 1], first), _week(edges[half:], first + half)
    return case((suggestions.c.created_at < edges[half], earlier), else_=later)


def _between(portal: str, first: datetime, last: datetime) -> ColumnElement[bool]:
    columns = suggestions.c
    return and_(columns.portal == portal, columns.created_at >= first, columns.created_at < last)
