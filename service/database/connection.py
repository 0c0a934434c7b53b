"""Opens a database and brings it to the present form."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from router_model.errors import AduanError

FIRST_REVISION = "0001"
_MIGRATION_LOCK = 51_71_2026


class DatabaseError(AduanError):
    """A database that cannot be reached, or is not in the form this version needs."""


def open_engine(url: str) -> Engine:
    """An engine whose transactions begin as they say: `writing` takes SQLite's write lock at once, so that what was
    read inside cannot have changed before it is written.

    SQLite keeps a write-ahead log and flushes each commit to the disk; erased rows are overwritten.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, hide_parameters=True, pool_pre_ping=parsed.get_backend_name() != "sqlite")
    except (SQLAlchemyError, ImportError, ValueError):
        raise DatabaseError(
            "ADUAN_DATABASE_URL tidak dapat dipakai. Contoh: postgresql://pengguna:sandi@alamat/aduan"
        ) from None
    if engine.dialect.name == "sqlite":
        if parsed.database:
            path = Path(parsed.database)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Nobody else on the machine may read what citizens wrote; SQLite gives its other files the same mode.
            path.touch(0o600)
        event.listen(engine, "connect", _durable_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _durable_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=10000",
        "foreign_keys=ON",
        "secure_delete=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that is committed at the end, or undone by an exception."""
    with engine.execution_options(writing=True).begin() as connection:
        yield connection


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    return config


def newest_revision() -> str:
    return ScriptDirectory.from_config(_configuration()).get_current_head() or ""


def upgrade(engine: Engine) -> None:
    """Brings the tables to the present form, in one transaction and one process at a time.

    Raises:
        DatabaseError: the database was written by a newer version.
    """
    config = _configuration()
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        found = MigrationContext.configure(connection).get_current_revision()
        _known(found)
        config.attributes["connection"] = connection
        if found is None and inspect(connection).has_table("api_keys"):
            # Version 0.1.0 made its tables without saying so.
            command.stamp(config, FIRST_REVISION)
        command.upgrade(config, "head")


def _known(revision: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseError(f"Basis data ini ditulis oleh versi yang lebih baru ({revision}). Pasang versi itu dahulu.")


def check_revision(connection: Connection) -> None:
    """Raises `DatabaseError` unless the tables have the present form."""
    found = MigrationContext.configure(connection).get_current_revision()
    if found != newest_revision():
        raise DatabaseError(
            f"Bentuk basis data {found or 'kosong'}, perlu {newest_revision()}. Mulai ulang: aduan serve"
        )
