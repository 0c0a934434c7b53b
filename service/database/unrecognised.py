"""Complaints that are kept without what they are recognised by: older than the tables for it, or than their release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, literal, select, tuple_

from router_model.resemblance import Reported, keys_of
from service.database.resemblances import lock, row_of
from service.database.schema import resemblance_keys, resemblances, suggestions

_COLUMNS = suggestions.c
_KNOWN = select(resemblances.c.id).where(resemblances.c.suggestion_id == _COLUMNS.id).exists()


@dataclass(frozen=True, slots=True)
class Unrecognised:
    """`complaint` is the JSON text that was kept; `at` is when it was said."""

    id: str
    complaint: str
    category: str
    created_at: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a complaint is recognised by, and until when others may resemble it."""

    id: str
    reported: Reported
    until: datetime


def portals(connection: Connection, since: datetime) -> list[str]:
    """Those that have any from this moment on."""
    query = select(_COLUMNS.portal).where(_COLUMNS.created_at >= since, ~_KNOWN).distinct()
    return sorted(connection.scalars(query))


def newest(
    connection: Connection, portal: str, since: datetime, before: Unrecognised | None, most: int
) -> list[Unrecognised]:
    """From this moment on and older than `before`, the newest first."""
    query = (
        select(
            _COLUMNS.id,
            _COLUMNS.complaint,
            func.coalesce(_COLUMNS.category, "").label("category"),
            _COLUMNS.created_at,
            func.coalesce(_COLUMNS.received_at, _COLUMNS.created_at, type_=_COLUMNS.created_at.type).label("at"),
        )
        .where(_COLUMNS.portal == portal, _COLUMNS.created_at >= since, ~_KNOWN)
        .order_by(_COLUMNS.created_at.desc(), _COLUMNS.id.desc())
        .limit(most)
    )
    if before:
        last = tuple_(literal(before.created_at, _COLUMNS.created_at.type), literal(before.id))
        query = query.where(tuple_(_COLUMNS.created_at, _COLUMNS.id) < last)
    return [Unrecognised(**row) for row in connection.execute(query).mappings()]


def recognise(connection: Connection, portal: str, found: Sequence[Recognised]) -> int:
    """Keeps what complaints are recognised by, given newest first, and says of how many. Those that were erased
    meanwhile, or that another worker came to first, are left out.

    They get falling numbers below all others, as they are older than those."""
    lock(connection)
    ids = [item.id for item in found]
    still = select(_COLUMNS.id).where(_COLUMNS.portal == portal, _COLUMNS.id.in_(ids), ~_KNOWN)
    wanted = set(connection.scalars(still.with_for_update(skip_locked=True)))
    least = connection.execute(select(func.coalesce(func.min(resemblances.c.id), 1))).scalar_one()
    rows, keys = [], []
    for number, item in enumerate((item for item in found if item.id in wanted), 1):
        own = keys_of(portal, item.reported)
        rows.append(row_of(least - number, portal, item.id, item.reported, own, item.until))
        keys += [{"key": key, "resemblance": least - number, "portal": portal} for key in own]
    if rows:
        connection.execute(insert(resemblances), rows)
        connection.execute(insert(resemblance_keys), keys)
    return len(rows)
