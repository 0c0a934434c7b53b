"""A backup is everything at one moment, for any kind of database; restoring it happens whole or not at all."""

import os
import shutil
import signal
import stat
import time
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest
import typer
from publisher import PROCESSES, copy_release, publish_first, small_town
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import DBAPIError
from typer.testing import CliRunner

from router_model.registry import champions, history, promote, rollback
from service.archive import ArchiveError
from service.backup import backup, restore
from service.cli import backups
from service.database import audit, rows
from service.database.connection import DatabaseError, open_engine, writing
from service.database.database import Database
from service.database.rows import RowError
from service.database.schema import Moment, audit_log, dispositions, portal_settings, schema, suggestions

NOW = datetime(2026, 6, 1, 8, 30, 1, 234567, tzinfo=UTC)
TEXTS = "Jalan “rusak” \N{POTABLE WATER SYMBOL}\u2028\n\ttolong, \\ dan 'itu' \N{PILE OF POO}"
cli = typer.Typer()
cli.command()(backups.backup)
cli.command()(backups.restore)


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def value(column: Column[Any], number: int) -> Any:
    """Some value of the column's kind, none now and then where that is allowed."""
    if column.nullable and number % 3 == 0:
        return None
    if column.foreign_keys:
        return f"id-{number}"
    for kind, made in {
        Moment: NOW + timedelta(microseconds=number),
        JSON: {"n": number, "deep": [None, TEXTS, 0.1 * number], "id": "id"},
        LargeBinary: bytes(range(256)) * (number % 5),
        Boolean: number % 2 == 0,
        Float: number / 7,
        Integer: number + 1,
    }.items():
        if isinstance(column.type, kind):
            return made
    return f"id-{number}" if column.name == "id" else f"{number} {TEXTS}"


def row(table: Table, number: int) -> dict[str, Any]:
    return {column.name: value(column, number) for column in table.columns}


def fill(database: Database, most: int = 20) -> None:
    """Rows in every table."""
    with database.begin() as connection:
        for table in schema.sorted_tables:
            connection.execute(insert(table), [row(table, number) for number in range(most)])


def content(database: Database, without: tuple[Table, ...] = ()) -> dict[str, set[bytes]]:
    with database.connect() as connection:
        return {
            table.name: set(rows.lines(connection, table)) for table in schema.sorted_tables if table not in without
        }


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a registry of one release, which is in force, and a portal folder."""
    home = tmp_path_factory.mktemp("town")
    (home / "portals").mkdir()
    folder = small_town(home / "portals" / "kota-kecil")
    promote(home / "registry", publish_first(36, folder, home / "registry"))
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "rumah"


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'other.db'}")
    yield opened
    opened.close()


def save(database: Database, home: Path, target: Path, force: bool = False) -> Path:
    backup(database.engine, home, target, force=force, progress=silent)
    return target


def put_back(database: Database, home: Path, source: Path, replace: bool = False) -> Any:
    return restore(database, home, source, replace=replace, by="petugas", progress=silent)


def test_every_row_comes_back_whatever_kind_of_database_it_was(
    database: Database, other: Database, home: Path, tmp_path: Path
) -> None:
    fill(database)
    before = content(database)
    assert all(before.values())
    first = save(database, home, tmp_path / "first.zip")
    put_back(other, home, first)
    after = content(other)
    assert len(after.pop("audit_log") - before["audit_log"]) == 1
    assert after == {name: lines for name, lines in before.items() if name != "audit_log"}
    second = save(other, home, tmp_path / "second.zip")
    with database.begin() as connection:
        connection.execute(delete(dispositions))
        connection.execute(update(suggestions).values(complaint="lain"))
        connection.execute(insert(portal_settings).values(portal="lain"))
    put_back(database, home, second, replace=True)
    assert content(database, without=(audit_log,)) == after
    put_back(database, home, first, replace=True)
    assert content(database, without=(audit_log,)) == after


def test_the_audit_log_keeps_what_it_has_and_gets_what_it_lacks(
    database: Database, other: Database, home: Path, tmp_path: Path
) -> None:
    def act(opened: Database, *subjects: str) -> None:
        with opened.begin() as connection:
            for subject in subjects:
                audit.record(connection, portal="p", who="a", action="act", subject=subject)

    def subjects(opened: Database) -> list[str]:
        with opened.connect() as connection:
            return [entry.subject for entry in audit.entries(connection, "p")]

    act(other, "1", "2", "3")
    archive = save(other, home, tmp_path / "a.zip")
    act(database, "x", "y")
    for _ in range(2):
        put_back(database, home, archive)
        assert sorted(subjects(database)) == ["1", "2", "3", "x", "y"]
    act(database, "later")
    assert subjects(database)[0] == "later"
    for change in (update(audit_log).values(who="lain"), delete(audit_log)):
        with pytest.raises(DBAPIError, match="append-only"), database.begin() as connection:
            connection.execute(change)
    with database.connect() as connection:
        assert [entry.who for entry in audit.entries(connection, "") if entry.action == "restore"] == ["petugas"] * 2


def test_a_database_with_rows_is_only_replaced_when_that_is_asked_for(
    database: Database, other: Database, home: Path, tmp_path: Path
) -> None:
    archive = save(other, home, tmp_path / "a.zip")
    fill(database, 2)
    before = content(database)
    with pytest.raises(ArchiveError, match="--replace"):
        put_back(database, home, archive)
    assert content(database) == before
    put_back(database, home, archive, replace=True)
    assert not any(content(database, without=(audit_log,)).values())


def test_while_it_is_restored_readers_see_the_old_rows_and_writers_wait(
    database: Database, other: Database, home: Path, tmp_path: Path
) -> None:
    fill(other, 30)
    archive = save(other, home, tmp_path / "a.zip")
    fill(database, 7)
    seen, writers = set(), []

    def write() -> None:
        with database.begin() as connection:
            connection.execute(insert(portal_settings).values(portal="meanwhile"))

    def look(stage: str, done: int, total: int) -> None:
        if stage != "Mengganti isi basis data":
            return
        if done and not writers:
            writers.append(Thread(target=write))
            writers[0].start()
        with database.connect() as connection:
            seen.add(connection.scalar(select(func.count()).select_from(suggestions)))

    restore(database, home, archive, replace=True, by="a", progress=look)
    writers[0].join()
    assert seen == {7}
    with database.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(suggestions)) == 30
        assert "meanwhile" in set(connection.scalars(select(portal_settings.c.portal)))


def write_forever(url: str, wrote: Pipe) -> None:
    """A suggestion, then its disposition, each in its own transaction, again and again."""
    engine = open_engine(url)
    for number in count(100):
        for table in (suggestions, dispositions):
            values = row(table, number) | ({"suggestion_id": f"id-{number}"} if table is dispositions else {})
            with writing(engine) as connection:
                connection.execute(insert(table).values(values))
        wrote.send(number)


def test_a_backup_is_consistent_while_another_process_writes(
    database_url: str, database: Database, home: Path, tmp_path: Path
) -> None:
    fill(database, 3)
    wrote, tell = PROCESSES.Pipe(duplex=False)
    writer = PROCESSES.Process(target=write_forever, args=(database_url, tell))
    writer.start()
    try:
        for turn in range(2):
            backup(
                database.engine,
                home,
                tmp_path / f"{turn}.zip",
                force=False,
                progress=lambda *_: wrote.recv() and None,
            )
    finally:
        writer.kill()
        writer.join()
    with database.connect() as connection:
        written = connection.scalar(select(func.count()).select_from(suggestions)) or 0
    sizes = []
    for turn in range(2):
        asked, chosen = (members(tmp_path / f"{turn}.zip", table.name) for table in (suggestions, dispositions))
        assert {item["suggestion_id"] for item in chosen} <= {item["id"] for item in asked}
        sizes.append(len(asked))
    assert 3 <= sizes[0] < sizes[1] < written


def members(archive: Path, table: str) -> list[Any]:
    with zipfile.ZipFile(archive) as file:
        return [orjson.loads(line) for line in file.read(f"tables/{table}.jsonl").splitlines()]


def restore_until(url: str, home: Path, archive: Path, stop: int, reached: Pipe) -> None:
    """Restores, but stands still for ever after so many tables."""
    steps = count()

    def step(stage: str, *_: int) -> None:
        if stage == "Mengganti isi basis data" and next(steps) == stop:
            reached.send("standing")
            time.sleep(600)

    restore(Database(url), home, archive, replace=True, by="a", progress=step)
    reached.send("done")


def test_a_restore_that_is_killed_leaves_the_old_rows(
    database_url: str, database: Database, other: Database, town: Path, home: Path, tmp_path: Path
) -> None:
    fill(other, 5)
    archive = save(other, town, tmp_path / "a.zip")
    fill(database, 3)
    before = content(database)
    last = len(schema.sorted_tables)
    for stop in (1, last, last + 1):
        reached, tell = PROCESSES.Pipe(duplex=False)
        child = PROCESSES.Process(target=restore_until, args=(database_url, home, archive, stop, tell))
        child.start()
        finished = reached.recv() == "done"
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        assert finished == (stop > last)
        if not finished:
            assert content(database) == before
            assert champions(home / "registry") == {}
    assert content(database, without=(audit_log,)) == content(other, without=(audit_log,))
    assert champions(home / "registry") == champions(town / "registry")


def test_releases_and_portal_folders_come_back_and_can_serve(
    other: Database, town: Path, home: Path, tmp_path: Path
) -> None:
    (town / "registry" / ".draft-x").mkdir(exist_ok=True)
    with (town / "registry" / "history.jsonl").open("ab") as file:
        file.write(b'{"unfinished')
    (release,) = champions(town / "registry").values()
    archive = save(other, town, tmp_path / "a.zip")
    restored = put_back(other, home, archive)
    assert (restored.releases, restored.different, restored.history_kept) == ([release, "kota-kecil"], [], False)
    assert history(home / "registry") == history(town / "registry")
    assert sorted(path.name for path in (home / "registry").iterdir()) == sorted([release, "history.jsonl"])
    for folder in ("registry/" + release, "portals/kota-kecil"):
        assert tree(home / folder) == tree(town / folder)
    again = put_back(other, home, archive)
    assert (again.releases, again.different, again.history_kept) == ([], [], False)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_history_that_goes_on_differently_is_left_alone(
    other: Database, town: Path, home: Path, tmp_path: Path
) -> None:
    shutil.copytree(town, home)
    (first,) = champions(town / "registry").values()
    second = copy_release(home / "registry" / first, home / "registry", "kedua")
    early = save(other, home, tmp_path / "early.zip")
    promote(home / "registry", second, reason="lebih baik")
    late = save(other, home, tmp_path / "late.zip")
    assert put_back(other, home, early).history_kept
    assert champions(home / "registry") == {"kota-kecil": second}
    shutil.rmtree(home)
    put_back(other, home, early)
    assert not put_back(other, home, late).history_kept
    assert champions(home / "registry") == {"kota-kecil": second}
    rollback(home / "registry", "kota-kecil")
    assert champions(home / "registry") == {"kota-kecil": first}


def test_a_release_that_cannot_be_trusted_is_left_out_and_named(
    other: Database, town: Path, home: Path, tmp_path: Path
) -> None:
    shutil.copytree(town, home)
    (release,) = champions(town / "registry").values()
    (home / "registry" / release / "card.md").write_text("diubah")
    made = backup(other.engine, home, tmp_path / "a.zip", force=False, progress=silent)
    assert made.releases == [] and "card.md" in made.left_out[0]
    (home / "portals" / "kota-kecil" / "complaints.csv").write_text("diubah")
    assert put_back(other, home, save(other, town, tmp_path / "b.zip")).different == [release, "kota-kecil"]


def rewritten(archive: Path, target: Path, change: Callable[[dict[str, bytes]], None], sealed: bool) -> Path:
    """The archive with other members; `sealed` as if by somebody who also writes the list of files anew."""
    with zipfile.ZipFile(archive) as file:
        found = {name: file.read(name) for name in file.namelist()}
    manifest = orjson.loads(found.pop("manifest.json"))
    change(found)
    if sealed:
        files = {name: {"sha256": sha256(data).hexdigest(), "bytes": len(data)} for name, data in found.items()}
        manifest["files"] = files
    with zipfile.ZipFile(target, "w") as file:
        for name, data in found.items():
            file.writestr(name, data)
        file.writestr("manifest.json", orjson.dumps(manifest))
    return target


SETTINGS = "tables/portal_settings.jsonl"
LINE = b'{"portal":"id-0","keep_days":7}\n'


def drop_release_file(found: dict[str, bytes]) -> None:
    del found[next(name for name in found if name.endswith("/weights.npy"))]


@pytest.mark.parametrize(
    ("change", "sealed"),
    [
        (lambda found: found.update({SETTINGS: found[SETTINGS].replace(b"1 Jalan", b"9 Jalan")}), False),
        (lambda found: found.update({"tables/lain.jsonl": b""}), False),
        (lambda found: found.pop(SETTINGS), False),
        (lambda found: found.pop(SETTINGS), True),
        (lambda found: found.update({"tables/lain.jsonl": b""}), True),
        (lambda found: found.update({"lain/berkas": b""}), True),
        (lambda found: found.update({"registry/../../keluar": b""}), True),
        (lambda found: found.update({"/registry/keluar": b""}), True),
        (lambda found: found.update({"registry/.draft-x/a": b""}), True),
        (lambda found: found.update({SETTINGS: found[SETTINGS] + LINE}), True),
        (lambda found: found.update({SETTINGS: LINE + LINE}), True),
        (lambda found: found.update({SETTINGS: LINE + LINE.replace(b"id-0", b"id-1").replace(b"7", b'"x"')}), True),
        (lambda found: found.update({SETTINGS: b"{}\n{}\n"}), True),
        (lambda found: found.update({SETTINGS: b"x\n\n"}), True),
        (lambda found: found.update({"registry/asing/manifest.json": b"{}"}), True),
        (drop_release_file, True),
    ],
)
def test_an_archive_that_was_changed_is_refused_and_changes_nothing(
    other: Database, town: Path, home: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], sealed: bool
) -> None:
    fill(other, 2)
    archive = save(other, town, tmp_path / "a.zip")
    before = content(other)
    changed = rewritten(archive, tmp_path / "changed.zip", change, sealed)
    with pytest.raises((ArchiveError, RowError)):
        put_back(other, home, changed, replace=True)
    assert content(other) == before
    assert not list(home.rglob("*")) or not [path for path in home.rglob("*") if path.is_file()]
    put_back(other, home, rewritten(archive, tmp_path / "same.zip", lambda _: None, sealed), replace=True)


def test_links_and_damage_in_an_archive_are_refused(other: Database, home: Path, tmp_path: Path) -> None:
    archive = save(other, home, tmp_path / "a.zip")
    linked = rewritten(archive, tmp_path / "linked.zip", lambda _: None, True)
    with zipfile.ZipFile(linked, "a") as file:
        link = zipfile.ZipInfo("portals/tautan")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(link, "/etc")
    halved = tmp_path / "halved.zip"
    halved.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    flipped = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as file:
        largest = max(file.infolist(), key=lambda member: member.compress_size)
    # Past its header: some of what stands there stands elsewhere too, and is not read.
    flipped[largest.header_offset + 30 + len(largest.filename.encode()) + largest.compress_size // 2] ^= 0xFF
    (tmp_path / "flipped.zip").write_bytes(flipped)
    for name in ("linked.zip", "halved.zip", "flipped.zip"):
        with pytest.raises(ArchiveError, match=name):
            put_back(other, home, tmp_path / name)
    put_back(other, home, archive)


def test_a_backup_of_another_version_is_refused(other: Database, home: Path, tmp_path: Path) -> None:
    archive = save(other, home, tmp_path / "a.zip")
    with zipfile.ZipFile(archive) as file:
        found = {name: file.read(name) for name in file.namelist()}
    old = tmp_path / "old.zip"
    with zipfile.ZipFile(old, "w") as file:
        for name, data in found.items():
            file.writestr(name, data.replace(b'"revision": "', b'"revision": "x') if name == "manifest.json" else data)
    with pytest.raises(ArchiveError, match="versi"):
        put_back(other, home, old)


def test_the_file_is_for_its_owner_only_and_not_overwritten_unasked(
    other: Database, home: Path, tmp_path: Path
) -> None:
    archive = save(other, home, tmp_path / "a.zip")
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    before = archive.read_bytes()
    with pytest.raises(ArchiveError, match="--force"):
        save(other, home, archive)
    assert archive.read_bytes() == before
    fill(other, 2)
    save(other, home, archive, force=True)
    assert archive.read_bytes() != before
    with pytest.raises(ArchiveError, match="tidak-ada"):
        save(other, home, tmp_path / "tidak-ada" / "a.zip")


def test_a_backup_that_fails_leaves_no_file(home: Path, tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'empty' / 'aduan.db'}")
    with pytest.raises(DatabaseError):
        backup(engine, home, tmp_path / "a.zip", force=False, progress=silent)
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_the_commands_back_up_and_restore(database: Database, database_url: str, town: Path, tmp_path: Path) -> None:
    fill(database, 2)
    before = content(database, without=(audit_log,))
    environment = {"ADUAN_DATABASE_URL": database_url, "ADUAN_HOME": str(town)}
    archive = str(tmp_path / "a.zip")
    made = CliRunner().invoke(cli, ["backup", archive, "--json"], env=environment)
    assert made.exit_code == 0, made.exception
    assert orjson.loads(made.stdout)["rows"]["suggestions"] == 2
    assert "secret" in made.stderr
    with database.begin() as connection:
        connection.execute(delete(dispositions))
    refused = CliRunner().invoke(cli, ["restore", archive], env=environment)
    assert refused.exit_code == 1 and "--replace" in str(refused.exception)
    done = CliRunner().invoke(cli, ["restore", archive, "--replace"], env=environment)
    assert done.exit_code == 0 and "baris" in done.stdout
    assert content(database, without=(audit_log,)) == before


def test_the_audit_log_goes_on_counting_after_it_was_moved(database: Database, other: Database, tmp_path: Path) -> None:
    fill(other, 40)
    archive = save(other, tmp_path / "rumah", tmp_path / "a.zip")
    put_back(database, tmp_path / "rumah", archive)
    with database.begin() as connection:
        add_entry(connection)
        add_entry(connection)
        assert connection.scalar(select(func.count()).select_from(audit_log)) == 43


def add_entry(connection: Connection) -> None:
    audit.record(connection, portal="p", who="a", action="act", subject="s")
