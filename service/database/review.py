"""The queue of those who review: who looks at what, and what they decided.

Of a complaint that two people should look at, what the first says counts at once, so that nobody waits for the
second, who does not know of it. Where they differ, a third settles it. Emergencies are looked at once.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    union_all,
)

from router_model.policy import Route
from service.database import audit, deadlines, dispositions, leases, looks, refusals
from service.database import judgements as judging
from service.database.dispositions import REVIEW, Chosen, Count, Disposition, as_answered
from service.database.judgements import Judgement
from service.database.leases import WAITING
from service.database.looks import NotYoursError as NotYoursError
from service.database.looks import Said
from service.database.schema import dispositions as disposition_rows
from service.database.schema import judgements, skips, suggestions

SKIPPED_RESTS = timedelta(hours=8)
"""For how long what somebody skipped does not come back to them."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What somebody wants to see; empty means any. Agency, category and urgency are those the model ranked first.
    An emergency that nobody decided is shown all the same."""

    route: str = ""
    agency: str = ""
    category: str = ""
    urgency: str = ""
    channel: str = ""
    older_than_hours: float = 0


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A complaint that was handed out. `complaint` and `answer` are JSON texts, the answer as it is now. `look` is 1, 2
    or 3; whoever looks should not be able to tell, so from the second on the deadline is the one that was answered."""

    id: str
    external_id: str
    complaint: str
    answer: str
    route: str
    look: int
    created_at: datetime
    received_at: datetime | None
    due_at: datetime | None
    leased_until: datetime
    release: str | None


@dataclass(frozen=True, slots=True)
class Decided:
    """`disposition` is what this person said, which for a second look is not in force. `new` is false for the same
    again; `settled` when nobody has to look any more."""

    disposition: Disposition
    new: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """Emergencies that nobody decided yet. `unseen` of them were on nobody's screen, and one of those is first."""

    open: int
    unseen: int
    oldest: datetime | None
    first_id: str | None


@dataclass(frozen=True, slots=True)
class Stats:
    """`open` counts complaints by route, `second` and `third` those that wait for another look, `overdue` the open
    ones past their deadline; `decided_by_me` and `accepted_by_me` count since `since`."""

    open: Mapping[str, int]
    oldest: datetime | None
    leased: int
    decided: int
    decided_by_me: int
    accepted_by_me: int
    second: int
    third: int
    overdue: int


def next_for(
    connection: Connection, portal: str, by: str, filters: Filters = EVERYTHING, now: datetime | None = None
) -> Waiting | None:
    """Hands out the first of the queue, for `leases.LEASE`, and takes back whatever else `by` has.

    Emergencies come first, the oldest before the others; then what `by` has already; then by deadline, priority and
    age. Two people never get the same, and nobody what they have judged already or skipped lately.
    """
    now = now or datetime.now(UTC)
    leases.one_at_a_time(connection, portal, by)
    columns = suggestions.c
    first = _first(connection, portal, by, now, _emergency(), columns.created_at) or _first(
        connection,
        portal,
        by,
        now,
        and_(~_emergency(), *_chosen_by(filters, now)),
        columns.due_at.asc().nulls_last(),
        columns.priority.desc(),
        columns.created_at,
    )
    if first is None:
        leases.let_go(connection, portal, by)
        return None
    return _handed(connection, portal, first, by, now)


def _emergency() -> ColumnElement[bool]:
    return and_(suggestions.c.state == "open", suggestions.c.route == Route.EMERGENCY.value)


def _chosen_by(filters: Filters, now: datetime) -> list[ColumnElement[bool]]:
    columns = suggestions.c
    wanted = {name: getattr(filters, name) for name in ("route", "agency", "category", "urgency", "channel")}
    advised = {name: refusals.advised(name) for name in ("agency", "category", "urgency")}
    conditions = [advised.get(name, columns[name]) == value for name, value in wanted.items() if value]
    if filters.older_than_hours:
        came = func.coalesce(columns.received_at, columns.created_at)
        conditions.append(came <= now - timedelta(hours=filters.older_than_hours))
    return conditions


def _first(
    connection: Connection,
    portal: str,
    by: str,
    now: datetime,
    which: ColumnElement[bool],
    *order: ColumnElement[object],
) -> str | None:
    """What `by` has already, or else the first in this order that they may have; rows that others are just taking
    are passed over."""
    columns, skipped = suggestions.c, skips.c
    lately = (skipped.portal == portal, skipped.by == by, skipped.created_at > now - SKIPPED_RESTS)
    query = (
        select(columns.id)
        .where(
            columns.portal == portal,
            columns.state.in_(WAITING),
            leases.free_for(by, now),
            which,
            columns.id.not_in(select(skipped.suggestion_id).where(*lately)),
            or_(columns.state == "open", ~judging.said_by(by)),
        )
        .order_by(case((columns.leased_by == by, 0), else_=1), *order, columns.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return connection.scalar(query)


def _handed(connection: Connection, portal: str, suggestion_id: str, by: str, now: datetime) -> Waiting:
    until = leases.take(connection, portal, suggestion_id, by, now)
    query = select(suggestions, refusals.answer_now().label("now")).where(suggestions.c.id == suggestion_id)
    row = connection.execute(query).mappings().one()
    look = looks.look_of(row["state"])
    counted = row["deadline"] if look == 1 else None
    return Waiting(
        id=row["id"],
        external_id=row["external_id"] or "",
        complaint=row["complaint"],
        answer=deadlines.told_in(row["now"], counted),
        route=row["route"],
        look=look,
        created_at=row["created_at"],
        received_at=row["received_at"],
        due_at=row["due_at"] if look == 1 else deadlines.due(deadlines.in_force(row["answer"], None)),
        leased_until=until,
        release=row["release"],
    )


def one(connection: Connection, portal: str, suggestion_id: str, by: str, now: datetime | None = None) -> Waiting:
    """Hands out this complaint, as `next_for` does.

    Raises:
        NoSuchSuggestionError: there is no such complaint in this portal.
        NotYoursError: it is decided, or somebody else has it.
    """
    now = now or datetime.now(UTC)
    leases.one_at_a_time(connection, portal, by)
    row = looks.locked(connection, portal, suggestion_id)
    looks.may_look(row, judging.in_force(connection, suggestion_id), by, now)
    return _handed(connection, portal, suggestion_id, by, now)


def hold(connection: Connection, portal: str, suggestion_id: str, by: str, now: datetime | None = None) -> bool:
    """Keeps what is still on the screen for another `LEASE`; false if it is no longer theirs."""
    leases.one_at_a_time(connection, portal, by)
    return leases.renew(connection, portal, suggestion_id, by, now or datetime.now(UTC))


def give_back(connection: Connection, portal: str, suggestion_id: str, by: str) -> None:
    """Lets others have it at once, if `by` has it."""
    leases.give_back(connection, portal, suggestion_id, by)


def decide(
    connection: Connection,
    portal: str,
    suggestion_id: str,
    chosen: Chosen,
    *,
    by: str,
    who: str,
    seconds: float | None = None,
    now: datetime | None = None,
    count: Count = as_answered,
) -> Decided:
    """Keeps what `by` says; `seconds` is how long they had it on the screen. The first answer wins. Whoever decided
    may correct it until somebody else looks.

    Raises:
        NoSuchSuggestionError: there is no such complaint in this portal.
        NotYoursError: somebody else has decided it, or is looking at it.
    """
    now, chosen = now or datetime.now(UTC), replace(chosen, by=by)
    leases.one_at_a_time(connection, portal, by)
    row = looks.locked(connection, portal, suggestion_id)
    said = judging.in_force(connection, suggestion_id)
    before = looks.judgement_of(by, said)
    if before:
        looks.not_overruled(connection, suggestion_id, said)
        if before.labels == chosen.labels:
            return Decided(_as_said(row, before, chosen), new=False, settled=row["state"] == "done")
        looks.is_last(before, said)
    else:
        looks.may_act(row, said, by, now)
    look = before.look if before else looks.look_of(row["state"])
    kept = _recorded(connection, portal, suggestion_id, chosen, who, count) if look != 2 else None
    judgement = judging.add(
        connection,
        portal,
        suggestion_id,
        look,
        chosen,
        seconds=seconds,
        now=now,
        disposition_id=kept.id if kept else "",
    )
    if kept is None:
        detail = {"look": look, "agency": chosen.agency}
        _audit(connection, portal, who, "review.judge", row, detail)
    state = looks.move(connection, row, {**said, look: judgement}, by)
    return Decided(kept or _as_said(row, judgement, chosen), new=True, settled=state == "done")


def _recorded(
    connection: Connection, portal: str, suggestion_id: str, chosen: Chosen, who: str, count: Count
) -> Disposition | None:
    """None if the same is in force already."""
    kept, new = dispositions.record(
        connection, portal, chosen, who=who, source=REVIEW, suggestion_id=suggestion_id, count=count
    )
    return kept if new else None


def _as_said(row: RowMapping, said: Judgement, chosen: Chosen) -> Disposition:
    return Disposition(
        id=said.id,
        portal=row["portal"],
        suggestion_id=row["id"],
        external_id=row["external_id"] or "",
        chosen=chosen,
        source=REVIEW,
        outcome=dispositions.outcome(row["agency"], row["category"], chosen),
        created_at=said.created_at,
        release=row["release"],
        deadline=deadlines.in_force(row["answer"], row["deadline"]),
    )


def skip(
    connection: Connection,
    portal: str,
    suggestion_id: str,
    *,
    by: str,
    who: str,
    reason: str,
    now: datetime | None = None,
) -> None:
    """Gives a complaint back for others to look at. Raises as `decide` does."""
    now = now or datetime.now(UTC)
    leases.one_at_a_time(connection, portal, by)
    row = looks.locked(connection, portal, suggestion_id)
    looks.may_act(row, judging.in_force(connection, suggestion_id), by, now)
    values = {"id": secrets.token_urlsafe(12), "portal": portal, "suggestion_id": suggestion_id}
    connection.execute(insert(skips).values(**values, by=by, reason=reason, created_at=now))
    leases.give_back(connection, portal, suggestion_id, by)
    _audit(connection, portal, who, "review.skip", row)


def undo(
    connection: Connection, portal: str, suggestion_id: str, *, by: str, who: str, now: datetime | None = None
) -> None:
    """Takes back what `by` decided or skipped last on this complaint, and hands it to them again.

    Raises:
        NoSuchSuggestionError: there is no such complaint in this portal.
        NotYoursError: there is nothing of theirs, or somebody else has acted since.
    """
    now = now or datetime.now(UTC)
    leases.one_at_a_time(connection, portal, by)
    row = looks.locked(connection, portal, suggestion_id)
    said = judging.in_force(connection, suggestion_id)
    mine = looks.judgement_of(by, said)
    free = _take_back(connection, row, said, mine, by) if mine else _unskip(connection, row, said, by, now)
    if free:
        leases.take(connection, portal, suggestion_id, by, now)
    _audit(connection, portal, who, "review.undo", row)


def _take_back(connection: Connection, row: RowMapping, said: Said, mine: Judgement, by: str) -> bool:
    """Whether it waits for them again, and not for somebody else because what they corrected counts once more."""
    looks.not_overruled(connection, row["id"], said)
    looks.is_last(mine, said)
    judging.take_back(connection, mine.id)
    dispositions.take_back(connection, mine.id)
    left = judging.in_force(connection, row["id"])
    looks.move(connection, row, left, by)
    return not looks.judgement_of(by, left)


def _unskip(connection: Connection, row: RowMapping, said: Said, by: str, now: datetime) -> bool:
    """Whether nobody has it by now."""
    query = select(skips.c.id, skips.c.created_at).where(skips.c.suggestion_id == row["id"], skips.c.by == by)
    skipped = connection.execute(query.order_by(skips.c.created_at.desc())).first()
    if skipped is None:
        raise NotYoursError("Tidak ada keputusan Anda pada laporan ini yang dapat dibatalkan.")
    if row["state"] not in WAITING or any(other.created_at > skipped.created_at for other in said.values()):
        raise NotYoursError("Laporan ini sudah diputuskan petugas lain setelah Anda lewati.")
    connection.execute(delete(skips).where(skips.c.id == skipped.id))
    return looks.holder(row, by, now) is None


def last_act(connection: Connection, portal: str, by: str, since: datetime) -> str | None:
    """The complaint that `by` decided or skipped last, of what was not undone."""
    acts = union_all(
        *(
            select(table.c.suggestion_id, table.c.created_at).where(
                table.c.portal == portal, table.c.by == by, table.c.created_at >= since, *conditions
            )
            for table, conditions in ((judgements, [judgements.c.undone.is_(False)]), (skips, []))
        )
    ).subquery()
    return connection.scalar(select(acts.c.suggestion_id).order_by(acts.c.created_at.desc()).limit(1))


def alarm(connection: Connection, portal: str) -> Alarm:
    columns = suggestions.c
    waiting, unseen = and_(columns.portal == portal, _emergency()), columns.seen_at.is_(None)
    counts = select(func.count(), func.count(case((unseen, 1))), func.min(columns.created_at)).where(waiting)
    many, many_unseen, oldest = connection.execute(counts).one()
    unseen_first = (case((unseen, 0), else_=1), columns.created_at, columns.id)
    first = connection.scalar(select(columns.id).where(waiting).order_by(*unseen_first).limit(1))
    return Alarm(many, many_unseen, oldest, first)


def stats(connection: Connection, portal: str, by: str, since: datetime, now: datetime | None = None) -> Stats:
    now = now or datetime.now(UTC)
    columns, decided = suggestions.c, disposition_rows.c
    in_queue = and_(columns.portal == portal, columns.state.in_(WAITING))
    is_open = and_(columns.portal == portal, columns.state == "open")
    routes = connection.execute(select(columns.route, func.count()).where(is_open).group_by(columns.route)).all()
    oldest, leased, second, third, overdue = connection.execute(
        select(
            func.min(case((columns.state == "open", columns.created_at))),
            func.count(case((columns.leased_until > now, 1))),
            func.count(case((columns.state == "second", 1))),
            func.count(case((columns.state == "third", 1))),
            func.count(case((and_(columns.state == "open", columns.due_at < now), 1))),
        ).where(in_queue)
    ).one()
    lately = and_(decided.portal == portal, decided.created_at >= since, decided.undone.is_(False))
    counts = connection.execute(
        select(
            func.count(),
            func.count(case((decided.by == by, 1))),
            func.count(case((and_(decided.by == by, decided.outcome == "accepted"), 1))),
        ).where(lately)
    ).one()
    return Stats(dict(routes), oldest, leased, *counts, second, third, overdue)


def _audit(
    connection: Connection,
    portal: str,
    who: str,
    action: str,
    row: RowMapping,
    detail: Mapping[str, object] | None = None,
) -> None:
    audit.record(
        connection, portal=portal, who=who, action=action, subject=row["id"], release=row["release"], detail=detail
    )
