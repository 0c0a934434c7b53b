"""Every row as a line of JSON, the same for every kind of database, and back."""

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    Table,
    Text,
    cast,
    delete,
    func,
    insert,
    null,
    or_,
    select,
    text,
)
from sqlalchemy.exc import OperationalError

from router_model.errors import AduanError
from service.database.connection import DatabaseError
from service.database.schema import Moment, audit_log, schema

REPLACED = tuple(table for table in schema.sorted_tables if table is not audit_log)
"""Parents before their children. The audit log only grows."""
_MOST_ROWS = 500
_MOST_BYTES = 8_000_000
_TRIES = 60
Row = dict[str, Any]


class RowError(AduanError):
    """A line that is no row of its table."""

    def __init__(self, table: Table) -> None:
        super().__init__(f"Tabel {table.name}: ada baris yang tidak dapat dibaca; jangan pakai cadangan ini.")


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
    return {
        str(table.name): connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables
    }


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
    """Raises `RowError` for a line that is no row of the table."""
    try:
        values = orjson.loads(line)
        if values.keys() != set(table.columns.keys()):
            raise LookupError
        return {column.name: _decoded(column, values[column.name]) for column in table.columns}
    except (ValueError, TypeError, LookupError, AttributeError):
        raise RowError(table) from None


def _decoded(column: Column[Any], value: Any) -> Any:
    kind = column.type
    if isinstance(kind, JSON):
        # A bare None would become the JSON value null, which is not the same as no value.
        return null() if value is None and column.nullable else value
    if value is None:
        return None
    if isinstance(kind, Moment):
        return datetime.fromisoformat(value)
    if isinstance(kind, LargeBinary):
        return b64decode(value)
    if not isinstance(value, kind.python_type) and not (kind.python_type is float and isinstance(value, int)):
        raise TypeError
    return value


@contextmanager
def staged(
    engine: Engine, read: Callable[[Table], Iterable[bytes]], done: Callable[[int], None]
) -> Iterator[Connection]:
    """A transaction for writing in which the lines that `read` gives for each table lie ready for `replace`. They
    are read before it begins, so that nobody waits for that; `done` is told how many there are so far.

    Raises:
        RowError: a line that is no row.
        DatabaseError: others write without a pause.
    """
    with engine.connect() as connection:
        # Not given back to the pool, so that the temporary tables end with it.
        connection.detach()
        count = 0
        for table in schema.sorted_tables:
            ready = _ready(table)
            ready.create(connection)
            for batch in batches(read(table)):
                connection.execute(insert(ready), [row(table, line) for line in batch])
                count += len(batch)
                done(count)
        connection.commit()
        connection.execution_options(writing=True)
        with connection.begin():
            _hold(connection)
            yield connection


def _ready(table: Table) -> Table:
    columns = (Column(column.name, column.type) for column in table.columns)
    return Table(f"ready_{table.name}", MetaData(), *columns, prefixes=["TEMPORARY"])


def replace(connection: Connection, done: Callable[[int], None]) -> int:
    """Puts the rows that lie ready in place of all others, and adds to the audit log what it lacks. Readers see the
    old rows until the transaction ends; who wants to write waits. `done` is told how many tables are done. Returns
    how many entries the audit log lacked."""
    for table in reversed(REPLACED):
        connection.execute(delete(table))
    for number, table in enumerate(REPLACED, 1):
        ready = _ready(table)
        connection.execute(insert(table).from_select(list(ready.columns), select(ready)))
        done(number)
    added = _add_entries(connection)
    done(len(REPLACED) + 1)
    return added


def batches(read: Iterable[bytes]) -> Iterator[list[bytes]]:
    """So many lines that working on them together pays, and memory holds them."""
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


def _add_entries(connection: Connection) -> int:
    """Those whose number is free under that number, those whose number another entry has after all others."""
    ready = _ready(audit_log)
    same = audit_log.c.id == ready.c.id
    others = [
        cast(ready.c[column.name], Text).is_distinct_from(cast(column, Text))
        for column in audit_log.columns
        if column is not audit_log.c.id
    ]
    moved = [dict(entry) for entry in connection.execute(select(ready).where(same, or_(*others))).mappings()]
    missing = select(ready).where(~select(audit_log.c.id).where(same).exists())
    added = connection.execute(insert(audit_log).from_select(list(ready.columns), missing)).rowcount
    last = connection.execute(select(func.coalesce(func.max(audit_log.c.id), 0))).scalar_one()
    new = [{**entry, "id": last + number} for number, entry in enumerate(_not_there(connection, moved), 1)]
    for start in range(0, len(new), _MOST_ROWS):
        connection.execute(insert(audit_log), new[start : start + _MOST_ROWS])
    if connection.dialect.name == "postgresql":
        following = {"following": last + len(new) + 1}
        connection.execute(
            text("SELECT setval(pg_get_serial_sequence('audit_log', 'id'), :following, false)"), following
        )
    return added + len(new)


def _not_there(connection: Connection, entries: Iterable[Row]) -> Iterator[Row]:
    """Those that the audit log does not hold under another number either."""
    for entry in entries:
        same = [audit_log.c[name] == entry[name] for name in ("at", "portal", "who", "action", "subject")]
        found = connection.execute(select(audit_log).where(*same)).mappings()
        if not any({**row, "id": entry["id"]} == entry for row in found):
            yield entry
