"""Who has which complaint on the screen. A lease that is not renewed runs out; nobody has two."""

from datetime import datetime, timedelta
from hashlib import blake2b

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select, update

from service.database.schema import Moment, suggestions

LEASE = timedelta(minutes=10)
WAITING = ("open", "second", "third")
"""States of a complaint that somebody may have on the screen, by the look that comes next."""


def one_at_a_time(connection: Connection, portal: str, by: str) -> None:
    """Has a second act of the same person wait until the transaction of the first is over, because neither would see
    what the other takes. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        digest = blake2b(f"{portal}\0{by}".encode(), digest_size=8, person=b"aduan lease").digest()
        connection.execute(select(func.pg_advisory_xact_lock(int.from_bytes(digest, signed=True))))


def free_for(by: str, now: datetime) -> ColumnElement[bool]:
    """Nobody else has it."""
    columns = suggestions.c
    return or_(columns.leased_by.is_(None), columns.leased_by == by, columns.leased_until <= now)


def take(connection: Connection, portal: str, suggestion_id: str, by: str, now: datetime) -> datetime:
    """Gives it to `by`, and takes back whatever else they have; returns until when. After `one_at_a_time`."""
    let_go(connection, portal, by, suggestion_id)
    columns, until = suggestions.c, now + LEASE
    connection.execute(
        update(suggestions)
        .where(columns.portal == portal, columns.id == suggestion_id)
        .values(leased_by=by, leased_until=until, seen_at=func.coalesce(columns.seen_at, literal(now, Moment())))
    )
    return until


def let_go(connection: Connection, portal: str, by: str, but: str = "") -> None:
    columns = suggestions.c
    theirs = (columns.portal == portal, columns.state.in_(WAITING), columns.leased_by == by, columns.id != but)
    connection.execute(update(suggestions).where(*theirs).values(leased_by=None, leased_until=None))


def renew(connection: Connection, portal: str, suggestion_id: str, by: str, now: datetime) -> bool:
    """False if it is no longer theirs. One that ran out still is, as long as nobody else took it."""
    columns = suggestions.c
    theirs = (columns.portal == portal, columns.id == suggestion_id, columns.leased_by == by)
    renewed = update(suggestions).where(*theirs, columns.state.in_(WAITING)).values(leased_until=now + LEASE)
    return bool(connection.execute(renewed).rowcount)


def give_back(connection: Connection, portal: str, suggestion_id: str, by: str) -> None:
    """Lets others have it at once; nothing if it is not theirs."""
    columns = suggestions.c
    theirs = (columns.portal == portal, columns.id == suggestion_id, columns.leased_by == by)
    connection.execute(update(suggestions).where(*theirs).values(leased_by=None, leased_until=None))
