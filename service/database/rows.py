"""Every row as a line of JSON, the same for every kind of database, and back."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import JSON, Connection, Engine, LargeBinary, Table, delete, func, insert, null, select, text
from sqlalchemy.exc import OperationalError

from service.database.connection import DatabaseError
from service.database.schema import Moment, audit_log, schema

REPLACED = tuple(table for table in schema.sorted_tables if table is not audit_log)
"""Parents before their children. The audit log only grows."""
_MOST_ROWS = 500
_MOST_BYTES = 8_000_000
_TRIES = 60
Row = dict[str, Any]


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """All tables as they are at one moment, however long reading them takes."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    with engine.connect() as connection:
        yield connection


def counts(connection: Connection) -> dict[str, int]:
    """Rows by table."""
    tables = schema.sorted_tables
    return {str(table.name): connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def is_empty(connection: Connection) -> bool:
    """Whether nothing would be lost by replacing all rows."""
    return not any(connection.execute(select(1).select_from(table).limit(1)).first() for table in REPLACED)


def lines(connection: Connection, table: Table) -> Iterator[bytes]:
    """Each row as a line, in the order of the primary key; moments in ISO 8601, bytes in base64."""
    large = any(isinstance(column.type, LargeBinary) for column in table.columns)
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=1 if large else _MOST_ROWS)
    names = [str(column.name) for column in table.columns]
    for values in connection.execute(query):
        line = dict(zip(names, values, strict=True))
        yield orjson.dumps(line, default=_encoded, option=orjson.OPT_APPEND_NEWLINE)


def _encoded(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode()
    raise TypeError


def row(table: Table, line: bytes) -> Row:
    """Raises `ValueError`, `TypeError` or `LookupError` for a line that is no row of the table."""
    values = orjson.loads(line)
    if values.keys() != set(table.columns.keys()):
        raise LookupError
    return {column.name: _decoded(column.type, column.nullable, values[column.name]) for column in table.columns}


def _decoded(kind: Any, nullable: bool | None, value: Any) -> Any:
    if isinstance(kind, JSON):
        # A bare None would become the JSON value null, which is not the same as no value.
        return null() if value is None and nullable else value
    if value is None:
        return None
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    return b64decode(value) if isinstance(kind, LargeBinary) else value


def replace(connection: Connection, read: Callable[[Table], Iterable[bytes]], done: Callable[[int], None]) -> int:
    """Puts the rows that `read` gives in place of all others, and adds to the audit log what it lacks. Readers see
    the old rows until the transaction ends; who wants to write waits. `done` is told how many rows of how many
    there are so far. Returns how many entries the audit log lacked.

    Raises:
        ValueError, TypeError, LookupError: a line that is no row.
        DatabaseError: others write without a pause.
    """
    _hold(connection)
    for table in reversed(REPLACED):
        connection.execute(delete(table))
    count = 0
    for table in REPLACED:
        for batch in _batches(read(table)):
            connection.execute(insert(table), [row(table, line) for line in batch])
            count += len(batch)
            done(count)
    added = 0
    other: list[Row] = []
    for batch in _batches(read(audit_log)):
        missing, moved = _unknown(connection, [row(audit_log, line) for line in batch])
        added += _add_entries(connection, missing)
        other += moved
        count += len(batch)
        done(count)
    return added + _append(connection, [entry for entry in other if not _is_there(connection, entry)])


def _batches(read: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for line in read:
        batch.append(line)
        size += len(line)
        if len(batch) == _MOST_ROWS or size > _MOST_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _hold(connection: Connection) -> None:
    """SQLite has one writer at a time anyhow. Giving up before PostgreSQL looks for deadlocks (1 second) and trying
    again keeps it from ending another's transaction instead."""
    if connection.dialect.name != "postgresql":
        return
    names = ", ".join(table.name for table in (*REPLACED, audit_log))
    connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
    for _ in range(_TRIES):
        try:
            with connection.begin_nested():
                connection.execute(text(f"LOCK TABLE {names} IN EXCLUSIVE MODE"))
        except OperationalError:
            continue
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        return
    raise DatabaseError("Basis data terus ditulis pihak lain. Ulangi saat lebih lengang.")


def _unknown(connection: Connection, entries: list[Row]) -> tuple[list[Row], list[Row]]:
    """Entries whose number is free, and those whose number another entry has."""
    query = select(audit_log).where(audit_log.c.id.in_([entry["id"] for entry in entries]))
    present = {found["id"]: dict(found) for found in connection.execute(query).mappings()}
    missing = [entry for entry in entries if entry["id"] not in present]
    return missing, [entry for entry in entries if present.get(entry["id"], entry) != entry]


def _is_there(connection: Connection, entry: Row) -> bool:
    """Whether the audit log holds this entry under another number."""
    same = [audit_log.c[name] == entry[name] for name in ("at", "portal", "who", "action", "subject")]
    found = connection.execute(select(audit_log).where(*same)).mappings()
    return any({**row, "id": entry["id"]} == entry for row in found)


def _append(connection: Connection, entries: list[Row]) -> int:
    """Under new numbers, after all others."""
    last = connection.execute(select(func.coalesce(func.max(audit_log.c.id), 0))).scalar_one()
    numbered = [{**entry, "id": number} for number, entry in enumerate(entries, last + 1)]
    added = _add_entries(connection, numbered)
    if connection.dialect.name == "postgresql":
        after = max(last + added, 1)
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence('audit_log', 'id'), :last, :used)"),
            {"last": after, "used": last + added > 0},
        )
    return added


def _add_entries(connection: Connection, entries: list[Row]) -> int:
    for start in range(0, len(entries), _MOST_ROWS):
        connection.execute(insert(audit_log), entries[start : start + _MOST_ROWS])
    return len(entries)
