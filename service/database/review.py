"""The queue of those who review: who looks at what, for how long, and what they decided."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, case, exists, func, insert, or_, select, update

from router_model.errors import AduanError
from service.database import audit, dispositions
from service.database.dispositions import REVIEW, Chosen, Disposition, NoSuchSuggestionError
from service.database.schema import dispositions as disposition_rows
from service.database.schema import skips, suggestions

LEASE = timedelta(minutes=10)


class NotYoursError(AduanError):
    """Somebody else has decided, or is looking at it now; or there is nothing to undo."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A complaint that was handed out. `complaint` and `answer` are the JSON texts as they were kept."""

    id: str
    complaint: str
    answer: str
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class Stats:
    """`open` counts complaints by route; `decided_by_me` and `accepted_by_me` count since `since`."""

    open: Mapping[str, int]
    oldest: datetime | None
    leased: int
    decided: int
    decided_by_me: int
    accepted_by_me: int


def next_for(
    connection: Connection, portal: str, by: str, route: str = "", now: datetime | None = None
) -> Waiting | None:
    """Hands out the first of the queue, for `LEASE`; the one that `by` already holds before any other.

    Two people never get the same: whoever is first takes the lease in the database. What `by` skipped does not
    come back to them.
    """
    now = now or datetime.now(UTC)
    columns = suggestions.c
    mine = and_(columns.leased_by == by, columns.leased_until > now)
    skipped = exists().where(skips.c.suggestion_id == columns.id, skips.c.by == by)
    query = (
        select(columns.id, columns.complaint, columns.answer)
        .where(columns.portal == portal, columns.state == "open", or_(_free(now), mine), ~skipped)
        .order_by(case((mine, 0), else_=1), columns.priority.desc(), columns.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if route:
        query = query.where(columns.route == route)
    row = connection.execute(query).first()
    if row is None:
        return None
    until = now + LEASE
    connection.execute(update(suggestions).where(columns.id == row.id).values(leased_by=by, leased_until=until))
    return Waiting(row.id, row.complaint, row.answer, until)


def _free(now: datetime) -> ColumnElement[bool]:
    return or_(suggestions.c.leased_until.is_(None), suggestions.c.leased_until <= now)


def decide(
    connection: Connection,
    portal: str,
    suggestion_id: str,
    chosen: Chosen,
    *,
    by: str,
    who: str,
    now: datetime | None = None,
) -> tuple[Disposition, bool]:
    """Keeps a decision, and whether it is new. The first answer wins.

    Raises:
        NoSuchSuggestionError: there is no such complaint in this portal.
        NotYoursError: somebody else has decided it, or is looking at it.
    """
    row = _locked(connection, portal, suggestion_id)
    before = dispositions.newest(connection, suggestion_id)
    if before and before["by"] == by and before["source"] == REVIEW:
        return dispositions.record(connection, portal, chosen, who=who, source=REVIEW, suggestion_id=suggestion_id)
    _yours(row, by, now or datetime.now(UTC))
    return dispositions.record(connection, portal, chosen, who=who, source=REVIEW, suggestion_id=suggestion_id)


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
    _yours(_locked(connection, portal, suggestion_id), by, now)
    values = {"id": secrets.token_urlsafe(12), "portal": portal, "suggestion_id": suggestion_id}
    connection.execute(insert(skips).values(**values, by=by, reason=reason, created_at=now))
    _give(connection, suggestion_id, "open", None, None)
    audit.record(connection, portal=portal, who=who, action="review.skip", subject=suggestion_id)


def undo(
    connection: Connection, portal: str, suggestion_id: str, *, by: str, who: str, now: datetime | None = None
) -> None:
    """Takes back what `by` decided or skipped last on this complaint, and hands it to them again.

    Raises:
        NoSuchSuggestionError: there is no such complaint in this portal.
        NotYoursError: the last act on it was not theirs.
    """
    now = now or datetime.now(UTC)
    row = _locked(connection, portal, suggestion_id)
    newest = dispositions.newest(connection, suggestion_id)
    skipped = (
        connection.execute(
            select(skips)
            .where(skips.c.suggestion_id == suggestion_id, skips.c.by == by)
            .order_by(skips.c.created_at.desc())
        )
        .mappings()
        .first()
    )
    if newest and newest["by"] == by and newest["source"] == REVIEW:
        taken_back = disposition_rows.c.id == newest["id"]
        connection.execute(update(disposition_rows).where(taken_back).values(undone=True))
        earlier = dispositions.newest(connection, suggestion_id)
        _give(connection, suggestion_id, "done" if earlier else "open", by, now + LEASE)
    elif skipped and row["state"] == "open":
        connection.execute(skips.delete().where(skips.c.id == skipped["id"]))
        if row["leased_until"] is None or row["leased_until"] <= now:
            _give(connection, suggestion_id, "open", by, now + LEASE)
    else:
        raise NotYoursError("Tidak ada keputusan Anda pada laporan ini yang dapat dibatalkan.")
    audit.record(connection, portal=portal, who=who, action="review.undo", subject=suggestion_id)


def stats(connection: Connection, portal: str, by: str, since: datetime, now: datetime | None = None) -> Stats:
    now = now or datetime.now(UTC)
    columns, decided = suggestions.c, disposition_rows.c
    waiting = and_(columns.portal == portal, columns.state == "open")
    routes = connection.execute(select(columns.route, func.count()).where(waiting).group_by(columns.route)).all()
    oldest = connection.execute(
        select(columns.created_at).where(waiting).order_by(columns.created_at).limit(1)
    ).scalar()
    leased = connection.execute(select(func.count()).where(waiting, columns.leased_until > now)).scalar_one()
    lately = and_(decided.portal == portal, decided.created_at >= since, decided.undone.is_(False))
    counts = connection.execute(
        select(
            func.count(),
            func.count(case((decided.by == by, 1))),
            func.count(case((and_(decided.by == by, decided.outcome == "accepted"), 1))),
        ).where(lately)
    ).one()
    return Stats(dict(routes), oldest, leased, *counts)


def _locked(connection: Connection, portal: str, suggestion_id: str) -> RowMapping:
    columns = (suggestions.c[name] for name in ("id", "state", "leased_by", "leased_until"))
    query = select(*columns).where(suggestions.c.portal == portal, suggestions.c.id == suggestion_id).with_for_update()
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NoSuchSuggestionError
    return row


def _yours(row: RowMapping, by: str, now: datetime) -> None:
    if row["state"] != "open":
        raise NotYoursError("Laporan ini sudah diputuskan.")
    if row["leased_by"] not in (None, by) and row["leased_until"] and row["leased_until"] > now:
        raise NotYoursError("Laporan ini sedang dilihat petugas lain.")


def _give(connection: Connection, suggestion_id: str, state: str, by: str | None, until: datetime | None) -> None:
    values = {"state": state, "leased_by": by, "leased_until": until}
    connection.execute(update(suggestions).where(suggestions.c.id == suggestion_id).values(values))
