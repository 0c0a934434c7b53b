"""What was decided, by whom and why; and how the work of an office and of one person goes."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    and_,
    case,
    exists,
    func,
    or_,
    select,
)

from router_model.policy import Route
from service.database.dispositions import REVIEW, Chosen, outcome
from service.database.refusals import first_route
from service.database.schema import dispositions, judgements, refusals, skips, suggestions

_TOGETHER = 500


@dataclass(frozen=True, slots=True)
class HistoryFilters:
    """Empty means any; `since` is within the period, `until` is not. `text` may stand in the complaint, its number or
    the reason."""

    by: str = ""
    agency: str = ""
    outcome: str = ""
    route: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


ALL = HistoryFilters()


@dataclass(frozen=True, slots=True)
class Entry:
    """A disposition, next to what the model said: `suggested_agency` with probability `suggested_p`, and the rest it
    ranked first. `refused` if it lost its force because the agency refused."""

    id: str
    suggestion_id: str
    external_id: str
    created_at: datetime
    by: str
    agency: str
    category: str | None
    urgency: str | None
    report_type: str | None
    reason: str
    source: str
    outcome: str
    suggested_agency: str | None
    suggested_p: float | None
    suggested_category: str | None
    suggested_urgency: str | None
    route: str
    release: str | None
    looks: int
    undone: bool
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Happened:
    """`kind` is "disposition", "judgement", "refusal" or "skip"; what a kind does not have is empty or `None`. A
    judgement that made a disposition has its `id`. `look` is 0 but for judgements. Of a refusal `agency` is who
    refused, `advised_agency` what is advised since. `deadline` and `deadline_before` are as in the table."""

    kind: str
    id: str
    at: datetime
    by: str
    look: int = 0
    agency: str = ""
    category: str | None = None
    urgency: str | None = None
    report_type: str | None = None
    reason: str = ""
    source: str = ""
    outcome: str = ""
    seconds: float | None = None
    undone: bool = False
    advised_agency: str = ""
    deadline: str | None = None
    deadline_before: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """How many complaints that a person has to see came and were settled, and were open when the day ended."""

    day: date
    came: int
    settled: int
    open: int


@dataclass(frozen=True, slots=True)
class Mine:
    """`decided` counts complaints, also those that others had decided before; `accepted` and `changed` compare with
    the model. `median_seconds` is `None` without any."""

    decided: int
    accepted: int
    changed: int
    skipped: int
    median_seconds: float | None
    by_day: Mapping[date, int]


def page(
    connection: Connection, portal: str, filters: HistoryFilters = ALL, before: str = "", most: int = 50
) -> list[Entry]:
    """Newest first; `before` is the `id` that the previous page ended with."""
    query = _entries(portal, filters).limit(most)
    if before:
        columns = dispositions.c
        last = select(columns.created_at, columns.id).where(columns.portal == portal, columns.id == before)
        place = connection.execute(last).first()
        if place is None:
            return []
        query = query.where(
            or_(
                columns.created_at < place.created_at,
                and_(columns.created_at == place.created_at, columns.id < place.id),
            )
        )
    return [Entry(**row) for row in connection.execute(query).mappings()]


def rows(connection: Connection, portal: str, filters: HistoryFilters = ALL) -> Iterator[Entry]:
    """All of them, newest first, however many there are: they are fetched a few at a time."""
    query = _entries(portal, filters).execution_options(yield_per=_TOGETHER)
    for row in connection.execute(query).mappings():
        yield Entry(**row)


def _entries(portal: str, filters: HistoryFilters) -> Select[Any]:
    made, asked = dispositions.c, suggestions.c
    own = ("by", "agency", "category", "urgency", "report_type", "reason", "source", "outcome", "undone")
    refused = exists().where(
        refusals.c.suggestion_id == made.suggestion_id,
        refusals.c.agency == made.agency,
        refusals.c.created_at >= made.created_at,
    )
    return (
        select(
            made.id,
            made.suggestion_id,
            func.coalesce(asked.external_id, "").label("external_id"),
            made.created_at,
            *(made[name] for name in own),
            asked.agency.label("suggested_agency"),
            asked.agency_p.label("suggested_p"),
            asked.category.label("suggested_category"),
            asked.urgency.label("suggested_urgency"),
            first_route().label("route"),
            asked.release,
            asked.looks,
            and_(made.undone, refused).label("refused"),
        )
        .join_from(dispositions, suggestions)
        .where(made.portal == portal, *_wanted(filters))
        .order_by(made.created_at.desc(), made.id.desc())
    )


def _wanted(filters: HistoryFilters) -> Iterator[ColumnElement[bool]]:
    made, asked = dispositions.c, suggestions.c
    exact = {
        made.by: filters.by,
        made.agency: filters.agency,
        made.outcome: filters.outcome,
        first_route(): filters.route,
    }
    yield from (column == value for column, value in exact.items() if value)
    if filters.since:
        yield made.created_at >= filters.since
    if filters.until:
        yield made.created_at < filters.until
    if filters.text:
        searched = (asked.external_id, asked.complaint, made.reason)
        yield or_(*(column.icontains(filters.text, autoescape=True) for column in searched))


def of(connection: Connection, portal: str, suggestion_id: str) -> list[Happened]:
    """All that was decided, said, refused and skipped on one complaint, in the order of time."""
    found: list[Happened] = []
    tables = {"judgement": judgements, "disposition": dispositions, "refusal": refusals, "skip": skips}
    for kind, table in tables.items():
        columns = [column for column in table.c if column.name in Happened.__dataclass_fields__]
        query = select(*columns, table.c.created_at.label("at")).where(
            table.c.portal == portal, table.c.suggestion_id == suggestion_id
        )
        found.extend(Happened(kind=kind, **row) for row in connection.execute(query).mappings())
    return sorted(found, key=lambda item: item.at)


def burn_down(connection: Connection, portal: str, days: int, zone: ZoneInfo, now: datetime) -> list[Day]:
    """The last `days` days of a time zone, today's as it stands. Settled is a complaint on the day of its first
    disposition; that a portal carries out a sure answer does not settle what a person should look at all the same."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    ends = [datetime.combine(day + timedelta(days=1), time(), zone) for day in dates]
    start = datetime.combine(dates[0], time(), zone)
    came = _by_day(connection, suggestions.c.created_at, start, ends, suggestions.c.portal == portal, _needed())
    settled = _by_day(connection, dispositions.c.created_at, start, ends, dispositions.c.portal == portal, *_settling())
    waiting = select(func.count()).where(suggestions.c.portal == portal, suggestions.c.state == "open")
    left = connection.execute(waiting).scalar_one()
    found = []
    for place, day in reversed(list(enumerate(dates))):
        found.append(Day(day, came.get(place, 0), settled.get(place, 0), left))
        left += settled.get(place, 0) - came.get(place, 0)
    return found[::-1]


def _needed() -> ColumnElement[bool]:
    return or_(suggestions.c.route != Route.AUTO.value, suggestions.c.sampled)


def _settling() -> list[ColumnElement[bool]]:
    """Dispositions that were the first to settle a complaint which a person had to see."""
    here, earlier = dispositions, dispositions.alias()

    def settles(table: Any) -> ColumnElement[bool]:
        by_a_person = or_(~suggestions.c.sampled, table.c.source == REVIEW, table.c.outcome != "accepted")
        return and_(table.c.undone.is_(False), by_a_person)

    before = exists().where(
        earlier.c.suggestion_id == here.c.suggestion_id, earlier.c.sequence < here.c.sequence, settles(earlier)
    )
    return [here.c.suggestion_id == suggestions.c.id, _needed(), settles(here), ~before]


def _by_day(
    connection: Connection,
    moment: Column[datetime],
    start: datetime,
    ends: list[datetime],
    *conditions: ColumnElement[bool],
) -> Mapping[int, int]:
    place = case(*((moment < end, number) for number, end in enumerate(ends)), else_=len(ends))
    days = select(place.label("place")).where(moment >= start, *conditions).subquery()
    counts = connection.execute(select(days.c.place, func.count()).group_by(days.c.place))
    return dict(counts.all())


def mine(connection: Connection, portal: str, by: str, since: datetime, now: datetime) -> Mine:
    """What `by` did from `since` to `now`; the days are those of the time zone of `since`."""
    said = _said(connection, portal, by, since, now)
    outcomes = [
        outcome(row["suggested_agency"], row["suggested_category"], Chosen(row["agency"], row["category"]))
        for row in said
    ]
    skipped = select(func.count()).where(
        skips.c.portal == portal, skips.c.by == by, skips.c.created_at.between(since, now)
    )
    seconds = [row["seconds"] for row in said if row["seconds"] is not None]
    return Mine(
        decided=len(said),
        accepted=outcomes.count("accepted"),
        changed=outcomes.count("changed"),
        skipped=connection.execute(skipped).scalar_one(),
        median_seconds=median(seconds) if seconds else None,
        by_day=Counter(row["created_at"].astimezone(since.tzinfo).date() for row in said),
    )


def _said(connection: Connection, portal: str, by: str, since: datetime, now: datetime) -> list[RowMapping]:
    """The newest judgement of `by` on each complaint."""
    said = judgements.c
    query = (
        select(
            judgements,
            suggestions.c.agency.label("suggested_agency"),
            suggestions.c.category.label("suggested_category"),
        )
        .join_from(judgements, suggestions)
        .where(said.portal == portal, said.by == by, said.undone.is_(False), said.created_at.between(since, now))
        .order_by(said.created_at)
    )
    return list({row["suggestion_id"]: row for row in connection.execute(query).mappings()}.values())
