"""Erasing a complaint leaves nothing of it, and nothing else is touched."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import typer
from sqlalchemy import Connection, func, insert, select, update
from typer.testing import CliRunner

from service import retention
from service.cli import erasing
from service.database import audit, datasets, erasure, rows
from service.database.database import Database
from service.database.schema import (
    audit_log,
    dispositions,
    judgements,
    refusals,
    repeats,
    schema,
    shadow_answers,
    skips,
    suggestions,
    webhook_deliveries,
    webhook_endpoints,
    webhook_messages,
)
from service.dataset_content import as_content, from_content
from service.settings import Settings
from training.reading import COLUMNS

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
OLD = NOW - timedelta(days=100)
cli = typer.Typer()
cli.command()(erasing.erase)
cli.command()(erasing.keep)


def complain(
    connection: Connection, portal: str, external_id: str, text: str, at: datetime = NOW, delivery: str = "delivered"
) -> str:
    """A complaint with all that comes from one. Every row has the text in it, where it has room."""
    name = secrets.token_hex(8)
    endpoint = {"id": name, "portal": portal, "url": "https://a.example", "secret": "s", "events": [], "created_at": at}
    answer = orjson.dumps({"items": [{"suggestion_id": name, "note": text}]}).decode()
    suggestion: dict[str, Any] = {
        "id": name,
        "portal": portal,
        "external_id": external_id,
        "request_hash": "",
        "asked_by": "k",
        "created_at": at,
        "channel": "web",
        "route": "review",
        "state": "open",
        "priority": 1.0,
        "complaint": orjson.dumps({"text": text}).decode(),
        "answer": orjson.dumps({"id": name, "external_id": external_id}).decode(),
    }
    said = {"id": name, "portal": portal, "suggestion_id": name, "by": "a", "created_at": at}
    choice = {**said, "reason": text}
    chosen = {"sequence": 1, "agency": "dishub", "source": "api", "outcome": "changed", "undone": False}
    refused = {**chosen, "first_route": "auto", "answer": text}
    refused |= dict.fromkeys(("advised_agency", "advised_category", "advised_urgency"), "")
    del refused["outcome"], refused["undone"]
    message = {"type": "suggestion.created", "subject": name, "payload": text, "created_at": at}
    sent = {"message_id": name, "endpoint_id": name, "attempts": 1, "last_error": text, "updated_at": at}
    for table, values in (
        (webhook_endpoints, endpoint),
        (suggestions, suggestion),
        (dispositions, choice | chosen),
        (refusals, choice | refused),
        (skips, choice),
        (judgements, {**said, "agency": "dishub", "look": 1, "undone": False}),
        (shadow_answers, {"suggestion_id": name, "release": "r", "portal": portal, "route": "auto", "created_at": at}),
        (webhook_messages, {"id": name, "portal": portal, **message}),
        (webhook_deliveries, {"id": name, "portal": portal, **sent, "state": delivery, "next_attempt_at": at}),
        (repeats, repeat(portal, name, answer, at)),
    ):
        connection.execute(insert(table).values(values))
    return name


def repeat(portal: str, key: str, answer: str, at: datetime = NOW) -> dict[str, Any]:
    return {"portal": portal, "key": key, "fingerprint": "", "status": 201, "answer": answer, "created_at": at}


def everything(database: Database) -> bytes:
    """All rows of all tables, but for the addresses of portals."""
    with database.connect() as connection:
        tables = [table for table in schema.sorted_tables if table is not webhook_endpoints]
        return b"".join(line for table in tables for line in rows.lines(connection, table))


def counts(database: Database, portal: str) -> dict[str, int]:
    with database.connect() as connection:
        return {
            table.name: connection.scalar(select(func.count()).where(table.c.portal == portal)) or 0
            for table in schema.sorted_tables
        }


def test_erasing_a_complaint_leaves_no_word_of_it_in_any_table(database: Database) -> None:
    with database.begin() as connection:
        name = complain(connection, "p", "A-1", "lampu depan rumah padam")
        connection.execute(insert(repeats).values(repeat("p", "k-9", '{"external_id": "A-1", "note": "lampu"}')))
        row = dict.fromkeys(COLUMNS, "") | {"id": "A-1", "text": "lampu depan rumah padam"}
        content = as_content([row, row | {"id": "A-2", "text": "sampah"}])
        datasets.add(connection, portal="p", name="d", content=content, rows=2, fingerprint="f", by="a")
    with database.begin() as connection:
        erased = erasure.erase(connection, "p", "A-1", "petugas")
    left = everything(database)
    assert b"lampu" not in left and b"A-1" not in left
    assert left.count(name.encode()) == 1
    with database.connect() as connection:
        entry = audit.entries(connection, "p")[0]
        ((kept, content),) = datasets.contents(connection, "p")
    assert (entry.who, entry.action, entry.subject, entry.detail["rows"]) == ("petugas", "erase", name, dict(erased))
    assert erased == {
        "suggestions": 1, "dispositions": 1, "refusals": 1, "skips": 1, "judgements": 1, "shadow_answers": 1,
        "repeats": 2, "webhook_messages": 1, "webhook_deliveries": 1, "datasets": 1,
    }  # fmt: skip
    assert kept.rows == 1 and [row["id"] for row in from_content(content)] == ["A-2"]


def test_other_complaints_and_other_portals_keep_everything(database: Database) -> None:
    with database.begin() as connection:
        complain(connection, "p", "A-1", "lampu")
        complain(connection, "p", "A-11", "sampah")
        complain(connection, "q", "A-1", "jalan")
        connection.execute(insert(repeats).values(repeat("p", "k", '{"route":"A-1"}')))
    before = counts(database, "q")
    with database.begin() as connection:
        erasure.erase(connection, "p", "A-1", "petugas")
    assert counts(database, "q") == before
    assert {name: count for name, count in counts(database, "p").items() if count} == {
        "suggestions": 1, "dispositions": 1, "refusals": 1, "skips": 1, "judgements": 1, "shadow_answers": 1,
        "repeats": 2, "webhook_messages": 1, "webhook_deliveries": 1, "webhook_endpoints": 2,
        "audit_log": 1,
    }  # fmt: skip


def test_erasing_what_is_not_there_records_nothing(database: Database) -> None:
    with database.begin() as connection:
        assert not erasure.erase(connection, "p", "A-1", "petugas")
    assert counts(database, "p")["audit_log"] == 0


def test_old_complaints_go_a_few_at_a_time_and_new_ones_stay(database: Database) -> None:
    with database.begin() as connection:
        for number in range(7):
            complain(connection, "p", f"lama-{number}", "lama", OLD)
        complain(connection, "p", "baru", "baru")
        waiting = complain(connection, "q", "q", "lama", OLD, delivery="pending")
        connection.execute(insert(repeats).values(repeat("p", "k", "{}", OLD)))
    steps = []
    while True:
        with database.begin() as connection:
            steps.append(erasure.erase_older(connection, "p", NOW - timedelta(days=30), "petugas", most=3))
        if not steps[-1]:
            break
    assert [step["suggestions"] for step in steps] == [3, 3, 1, 0]
    left = everything(database)
    assert b"lama-" not in left and b"baru" in left and waiting.encode() in left
    assert counts(database, "p")["repeats"] == 1
    with database.connect() as connection:
        erased = [entry.detail["rows"]["suggestions"] for entry in audit.entries(connection, "p")]
    assert sorted(erased) == [1, 3, 3]


def test_old_messages_go_unless_somebody_still_waits_for_them(database: Database) -> None:
    with database.begin() as connection:
        done = complain(connection, "p", "A", "a", OLD)
        waiting = complain(connection, "p", "B", "b", OLD, delivery="pending")
        connection.execute(update(webhook_messages).values(subject="rilis"))
        connection.execute(update(suggestions).values(created_at=NOW))
        erasure.erase_older(connection, "p", NOW - timedelta(days=30), "petugas")
    with database.connect() as connection:
        assert set(connection.scalars(select(webhook_messages.c.id))) == {waiting} != {done}


def test_the_sweep_keeps_to_what_each_portal_set(database: Database) -> None:
    with database.begin() as connection:
        for portal in ("tiga-puluh", "selamanya", "bawaan"):
            complain(connection, portal, "lama", "lama", OLD)
            complain(connection, portal, "baru", "baru", NOW)
        erasure.set_days_kept(connection, "tiga-puluh", 5, "petugas")
        erasure.set_days_kept(connection, "tiga-puluh", 30, "petugas")
        erasure.set_days_kept(connection, "selamanya", 0, "petugas")
    assert retention.sweep(database, Settings(keep_days=365), NOW) == {"tiga-puluh": 1}
    assert retention.sweep(database, Settings(keep_days=99), NOW) == {"bawaan": 1}
    assert retention.sweep(database, Settings(keep_days=99), NOW) == {}
    with database.connect() as connection:
        left = list(connection.execute(select(suggestions.c.portal, suggestions.c.external_id)))
        assert [entry.who for entry in audit.entries(connection, "bawaan")] == ["retention"]
    assert sorted(left) == [
        ("bawaan", "baru"), ("selamanya", "baru"), ("selamanya", "lama"), ("tiga-puluh", "baru"),
    ]  # fmt: skip


def test_no_byte_of_what_was_erased_stays_in_the_files_of_sqlite(tmp_path: Path) -> None:
    """Rows grow as they are worked on, which leaves older copies of them in the free space of pages."""
    database = Database(f"sqlite:///{tmp_path / 'aduan.db'}")
    names = []
    for number in range(600):
        with database.begin() as connection:
            kind, at = ("LENYAP", OLD) if number % 2 else ("TINGGAL", NOW)
            text = f"{kind} lampu padam " * (1 + number % 40)
            names.append(complain(connection, "p", f"{kind}-{number}", text, at))
            changed = names[number // 2]
            longer = suggestions.c.answer + "x" * 200
            connection.execute(update(suggestions).where(suggestions.c.id == changed).values(answer=longer))
    assert b"LENYAP" in files(tmp_path)
    assert retention.sweep(database, Settings(keep_days=30), NOW) == {"p": 300}
    assert b"LENYAP" not in files(tmp_path)
    assert b"TINGGAL" in files(tmp_path)
    database.close()


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("aduan.db*"))


def test_files_that_others_hold_are_not_said_to_be_clean(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'aduan.db'}")
    with database.begin():
        with database.engine.connect() as impatient:
            impatient.exec_driver_sql("PRAGMA busy_timeout=1")
        assert not erasure.scrub(database.engine)
    assert erasure.scrub(database.engine)
    database.close()


def invoke(database_url: str, home: Path, *words: str) -> Any:
    return CliRunner().invoke(cli, words, env={"ADUAN_DATABASE_URL": database_url, "ADUAN_HOME": str(home)})


def test_the_command_erases_by_id_and_names_what_is_not_there(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        complain(connection, "p", "A-1", "lampu")
    asked = ("erase", "--portal", "p", "--external-id", "A-1", "--external-id", "A-2")
    refused = invoke(database_url, tmp_path, *asked)
    assert refused.exit_code == 1 and "--yes" in str(refused.exception)
    assert counts(database, "p")["suggestions"] == 1
    done = invoke(database_url, tmp_path, *asked, "--yes", "--json")
    assert done.exit_code == 0, done.exception
    told = orjson.loads(done.stdout)
    assert (told["missing"], told["rows"]["suggestions"], told["scrubbed"]) == (["A-2"], 1, True)
    assert counts(database, "p")["suggestions"] == 0
    again = invoke(database_url, tmp_path, *asked, "--yes")
    assert again.exit_code == 1 and "A-1, A-2" in str(again.exception)
    database.close()


@pytest.mark.parametrize("words", [(), ("--external-id", "A", "--older-than", "3"), ("--older-than", "-1")])
def test_the_command_wants_one_way_of_choosing(tmp_path: Path, words: tuple[str, ...]) -> None:
    url = f"sqlite:///{tmp_path / 'aduan.db'}"
    assert invoke(url, tmp_path, "erase", "--portal", "p", *words).exit_code == 2


def test_the_command_erases_by_age(database_url: str, tmp_path: Path) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        complain(connection, "p", "A-1", "lampu", OLD)
        complain(connection, "p", "A-2", "lampu", datetime.now(UTC))
    done = invoke(database_url, tmp_path, "erase", "--portal", "p", "--older-than", "30", "--yes")
    assert done.exit_code == 0 and "1 laporan" in done.stdout
    assert counts(database, "p")["suggestions"] == 1
    database.close()


def test_the_days_to_keep_are_set_and_shown(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'aduan.db'}"
    assert "selamanya" in invoke(url, tmp_path, "keep", "--portal", "p").stdout
    assert "30 hari" in invoke(url, tmp_path, "keep", "--portal", "p", "--days", "30").stdout
    assert orjson.loads(invoke(url, tmp_path, "keep", "--portal", "p", "--json").stdout) == {"portal": "p", "days": 30}
    assert "selamanya" in invoke(url, tmp_path, "keep", "--portal", "p", "--days", "0").stdout
    database = Database(url)
    with database.connect() as connection:
        entries = connection.execute(select(audit_log.c.action, audit_log.c.detail).order_by(audit_log.c.id)).all()
    database.close()
    assert [(action, detail["days"]) for action, detail in entries] == [("keep", 30), ("keep", 0)]


def test_answers_are_remembered_for_a_week_whatever_a_portal_keeps(database: Database) -> None:
    with database.begin() as connection:
        row = {"portal": "p", "fingerprint": "f", "status": 201, "answer": "{}"}
        ages = {"baru": NOW - timedelta(days=6), "lama": NOW - timedelta(days=8)}
        connection.execute(insert(repeats), [{**row, "key": key, "created_at": at} for key, at in ages.items()])
    retention.sweep(database, Settings(), NOW)
    with database.connect() as connection:
        assert list(connection.scalars(select(repeats.c.key))) == ["baru"]
