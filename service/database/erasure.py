"""Erases what came from a complaint, and holds how long complaints are kept."""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Engine, Table, delete, func, insert, select, text, union, update

from service.database import audit, datasets, drafts, resemblances, schema
from service.database.schema import (
    dispositions,
    judgements,
    portal_settings,
    refusals,
    repeats,
    shadow_answers,
    skips,
    suggestions,
    webhook_deliveries,
    webhook_messages,
)

MOST_AT_ONCE = 500
OF_A_SUGGESTION = (dispositions, refusals, skips, judgements, shadow_answers)
OF_RESEMBLANCE = (schema.resemblances, schema.resemblance_keys, schema.resemblance_links)
TOUCHED = (
    suggestions,
    *OF_A_SUGGESTION,
    *OF_RESEMBLANCE,
    repeats,
    webhook_messages,
    webhook_deliveries,
    schema.datasets,
    schema.drafts,
)
Erased = Counter[str]
"""Rows by the name of their table; under "datasets" and "drafts", rows within them."""


def found(connection: Connection, portal: str, external_ids: Collection[str]) -> dict[str, str]:
    """The ids of the suggestions that exist, by external id."""
    columns = suggestions.c
    query = select(columns.external_id, columns.id).where(
        columns.portal == portal, columns.external_id.in_(list(external_ids))
    )
    return {row.external_id: row.id for row in connection.execute(query)}


def older(connection: Connection, portal: str, before: datetime) -> int:
    """How many suggestions were made before this moment."""
    query = select(func.count()).where(suggestions.c.portal == portal, suggestions.c.created_at < before)
    return connection.execute(query).scalar_one()


def erase(connection: Connection, portal: str, external_id: str, by: str) -> Erased:
    """All that came from one complaint; nothing is recorded if there is nothing. Repeats that only tell of its
    external id go too."""
    query = (
        select(suggestions.c.id)
        .where(suggestions.c.portal == portal, suggestions.c.external_id == external_id)
        .with_for_update()
    )
    ids = list(connection.scalars(query))
    erased = _erase(connection, portal, ids, [external_id])
    erased["datasets"] = datasets.remove_rows(connection, portal, external_id)
    erased["drafts"] = drafts.remove_rows(connection, portal, external_id)
    erased = +erased
    if erased:
        _record(connection, portal, by, "".join(ids), erased)
    return erased


def erase_older(connection: Connection, portal: str, before: datetime, by: str, most: int = MOST_AT_ONCE) -> Erased:
    """The oldest complaints from before this moment, stored answers and messages that wait for nobody; at most
    `most` of each. Called until it finds nothing, each time in a transaction of its own, it lets others write
    in between. A complaint that somebody is changing is left for the next time."""
    columns = suggestions.c
    query = (
        select(columns.id, columns.external_id)
        .where(columns.portal == portal, columns.created_at < before)
        .order_by(columns.created_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    old = connection.execute(query).all()
    erased = Erased(repeats=_delete_old_repeats(connection, portal, before, most))
    erased += _delete_messages(connection, _old_messages(connection, portal, before, most))
    if old:
        erased += _erase(connection, portal, [row.id for row in old], [row.external_id for row in old])
    erased = +erased
    if erased:
        _record(connection, portal, by, "", erased, before=before.isoformat())
    return erased


def _record(connection: Connection, portal: str, by: str, subject: str, erased: Erased, **detail: str) -> None:
    audit.record(
        connection, portal=portal, who=by, action="erase", subject=subject, detail={**detail, "rows": dict(erased)}
    )


def _erase(connection: Connection, portal: str, ids: list[str], external_ids: Collection[str | None]) -> Erased:
    """The suggestions are locked before, so that no disposition comes in between."""
    messages = select(webhook_messages.c.id).where(
        webhook_messages.c.portal == portal, webhook_messages.c.subject.in_(ids)
    )
    erased = _delete_messages(connection, list(connection.scalars(messages)))
    erased["repeats"] = _delete_repeats(connection, portal, set(ids), set(external_ids) - {None, ""})
    erased += resemblances.forget(connection, portal, ids)
    for table in OF_A_SUGGESTION:
        column = table.c.suggestion_id
        erased[str(table.name)] = _delete(connection, table, table.c.portal == portal, column.in_(ids))
    mine = (suggestions.c.portal == portal, suggestions.c.id.in_(ids))
    erased["suggestions"] = _delete(connection, suggestions, *mine)
    return +erased


def _delete(connection: Connection, table: Table, *where: ColumnElement[bool]) -> int:
    return connection.execute(delete(table).where(*where)).rowcount


def _delete_messages(connection: Connection, ids: list[str]) -> Erased:
    """Deliveries first, which refer to their message."""
    deliveries = _delete(connection, webhook_deliveries, webhook_deliveries.c.message_id.in_(ids))
    messages = _delete(connection, webhook_messages, webhook_messages.c.id.in_(ids))
    return Erased(webhook_deliveries=deliveries, webhook_messages=messages)


def _old_messages(connection: Connection, portal: str, before: datetime, most: int) -> list[str]:
    columns = webhook_messages.c
    waiting = (
        select(webhook_deliveries.c.id)
        .where(webhook_deliveries.c.message_id == columns.id, webhook_deliveries.c.state == "pending")
        .exists()
    )
    query = select(columns.id).where(columns.portal == portal, columns.created_at < before, ~waiting).limit(most)
    return list(connection.scalars(query))


def _delete_old_repeats(connection: Connection, portal: str, before: datetime, most: int) -> int:
    old = select(repeats.c.key).where(repeats.c.portal == portal, repeats.c.created_at < before).limit(most)
    return _delete(connection, repeats, repeats.c.portal == portal, repeats.c.key.in_(list(connection.scalars(old))))


def _delete_repeats(connection: Connection, portal: str, ids: set[str], external_ids: set[str | None]) -> int:
    query = select(repeats.c.key, repeats.c.answer).where(repeats.c.portal == portal)
    rows = connection.execute(query.execution_options(yield_per=MOST_AT_ONCE))
    keys = [row.key for row in rows if _tells_of(row.answer, ids, external_ids)]
    return _delete(connection, repeats, repeats.c.portal == portal, repeats.c.key.in_(keys)) if keys else 0


def _tells_of(answer: str, ids: set[str], external_ids: set[str | None]) -> bool:
    # Most answers are ruled out without being read as JSON.
    pieces = answer.split('"')
    if "\\" not in answer and ids.isdisjoint(pieces) and external_ids.isdisjoint(pieces):
        return False
    return any(
        value in ids or (name == "external_id" and value in external_ids)
        for name, value in _texts(orjson.loads(answer or "null"))
    )


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a JSON value, with the name it stands under."""
    if isinstance(value, dict):
        for inner, item in value.items():
            yield from _texts(item, inner)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, name)
    elif isinstance(value, str):
        yield name, value


def scrub(engine: Engine) -> bool:
    """Has the files of the database forget erased rows; outside any transaction, while others work.

    SQLite overwrites what it deletes, but not what an earlier change of a row left in the free space of a page,
    so its file is written anew and its log emptied. False if others kept it from that.
    """
    if engine.dialect.name == "sqlite":
        raw = engine.raw_connection()
        try:
            cursor = raw.cursor()
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, *_ = cursor.fetchone() or (0,)
            return not busy
        except sqlite3.OperationalError:
            return False
        finally:
            raw.close()
    with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text(f"VACUUM {', '.join(table.name for table in TOUCHED)}"))
    return True


def days_kept(connection: Connection, otherwise: int) -> dict[str, int]:
    """For how many days each portal that has anything keeps it, 0 for ever; `otherwise` where none are set."""
    tables = (suggestions, repeats, webhook_messages, portal_settings)
    known = connection.scalars(union(*(select(table.c.portal) for table in tables)))
    query = select(portal_settings.c.portal, portal_settings.c.keep_days)
    chosen = {portal: days for portal, days in connection.execute(query) if days is not None}
    return {portal: chosen.get(portal, otherwise) for portal in sorted(known)}


def set_days_kept(connection: Connection, portal: str, days: int, by: str) -> None:
    """From the next sweep on; 0 keeps for ever."""
    mine = portal_settings.c.portal == portal
    if not connection.execute(update(portal_settings).where(mine).values(keep_days=days)).rowcount:
        connection.execute(insert(portal_settings).values(portal=portal, keep_days=days))
    audit.record(connection, portal=portal, who=by, action="keep", subject=portal, detail={"days": days})
