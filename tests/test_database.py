"""The database: the same on SQLite and PostgreSQL, and brought to its present form without losing anything."""

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.database import audit, connection
from service.database.connection import DatabaseError, open_engine, writing
from service.database.database import Database
from service.database.schema import audit_log, portal_settings, schema, suggestions


def add(opened: Connection, name: str) -> str:
    opened.execute(insert(portal_settings).values(portal=name))
    return name


def names(opened: Connection) -> set[str]:
    return set(opened.scalars(select(portal_settings.c.portal)))


def test_the_migrations_lead_to_the_tables_the_code_uses(database: Database) -> None:
    with database.connect() as opened:
        assert compare_metadata(MigrationContext.configure(opened), schema) == []


def test_a_database_of_the_first_version_keeps_its_suggestions(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = open_engine(url)
    configuration = connection._configuration()
    with writing(engine) as opened:
        configuration.attributes["connection"] = opened
        command.upgrade(configuration, connection.FIRST_REVISION)
        opened.execute(text("DROP TABLE alembic_version"))
        body = {"agencies": [{"code": "dishub", "p": 0.9}], "category": [], "urgency": None, "route": "review"}
        opened.execute(
            text("INSERT INTO suggestions VALUES ('s1', 'p', 'A-1', 'h', 'r1', '2026-01-02 03:04:05.0', :c, :b)"),
            {"c": json.dumps({"text": "lampu mati"}), "b": json.dumps(body)},
        )
    engine.dispose()
    database = Database(url)
    with database.connect() as opened:
        row = opened.execute(select(suggestions)).mappings().one()
    database.close()
    assert (row["agency"], row["route"], row["created_at"]) == (
        "dishub",
        "review",
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    assert json.loads(row["answer"])["external_id"] == "A-1"


def test_a_database_of_a_newer_version_is_left_alone(database_url: str) -> None:
    Database(database_url).close()
    engine = open_engine(database_url)
    with writing(engine) as opened:
        opened.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(DatabaseError, match="versi yang lebih baru"):
        Database(database_url)


def test_an_address_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="ADUAN_DATABASE_URL"):
        open_engine("bukan alamat")


@pytest.mark.parametrize("change", [update(audit_log).values(who="lain"), delete(audit_log)])
def test_the_audit_log_can_only_grow(database: Database, change: Any) -> None:
    with database.begin() as opened:
        audit.record(opened, portal="p", who="admin", action="key.create", subject="k1", detail={"n": 1})
    with pytest.raises(DBAPIError, match="append-only"), database.begin() as opened:
        opened.execute(change)
    with database.connect() as opened:
        assert [entry.who for entry in audit.entries(opened, "p")] == ["admin"]
        assert audit.entries(opened, "lain") == []


def test_writes_of_many_callers_are_all_kept_and_one_that_fails_fails_alone(database: Database) -> None:
    async def scenario() -> list[Any]:
        writes = [database.write(lambda opened, n=n: add(opened, f"p{n % 50}")) for n in range(100)]  # type: ignore[misc]
        return await asyncio.gather(*writes, return_exceptions=True)

    results = asyncio.run(scenario())
    assert sum(isinstance(result, IntegrityError) for result in results) == 50
    with database.connect() as opened:
        assert names(opened) == {f"p{n}" for n in range(50)}


def test_items_written_together_each_get_their_own_result(database: Database) -> None:
    def add_all(opened: Connection, items: Any) -> list[Any]:
        opened.execute(insert(portal_settings), [{"portal": item} for item in items])
        return [item.upper() for item in items]

    async def scenario() -> list[Any]:
        writes = [database.write_together(add_all, name) for name in ("a", "b", "a", "c")]
        return await asyncio.gather(*writes, return_exceptions=True)

    first, second, again, last = asyncio.run(scenario())
    assert (first, second, last) == ("A", "B", "C")
    assert isinstance(again, IntegrityError)
    with database.connect() as opened:
        assert names(opened) == {"a", "b", "c"}


def test_what_was_submitted_before_closing_is_written(database_url: str) -> None:
    async def scenario() -> None:
        database = Database(database_url)
        pending = [asyncio.ensure_future(database.write(lambda opened, n=n: add(opened, str(n)))) for n in range(20)]  # type: ignore[misc]
        await asyncio.sleep(0)
        await asyncio.to_thread(database.close)
        await asyncio.gather(*pending)

    asyncio.run(scenario())
    database = Database(database_url)
    with database.connect() as opened:
        assert len(names(opened)) == 20
    database.close()
