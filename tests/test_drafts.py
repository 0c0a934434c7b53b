"""Drafts of data sets: what is to be mended is kept, erased rows are gone from them, and they do not stay for ever."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from service.database import audit, drafts, erasure, jobs
from service.database.database import Database
from service.database.drafts import Draft, DraftChangedError, Fix, NoDraftError
from service.database.schema import drafts as table
from service.dataset_content import WHERE, as_content, from_content, mended, rows_left
from service.retention import sweep
from service.settings import Settings
from training.reading import COLUMNS


def row(number: int, **cells: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | {"id": f"A-{number}", "text": "lampu mati", WHERE: f"baris {number}", **cells}


ROWS = (row(1, agency="Satu"), row(2, agency="Dua", category="Lampu"), row(3, agency="Tiga"))
LEFT_OUT = Fix("leaked", "", "buang", ["baris 1"])
RENAMED = Fix("unknown_label", "0", "ganti", ["baris 2", "baris 3"], "agency", "Empat")
EMPTIED = Fix("unknown_label", "1", "kosongkan", ["baris 2", "baris 3"], "agency", "")


def keep(database: Database, portal: str = "p", rows: Sequence[dict[str, str]] = ROWS) -> str:
    content = as_content(rows, (*COLUMNS, WHERE))
    with database.begin() as connection:
        return drafts.add(
            connection, portal=portal, name="d", content=content, rows=len(rows), read={}, replaces=None, by="user:u"
        )


def opened(database: Database, draft_id: str, portal: str = "p") -> Draft:
    with database.connect() as connection:
        return drafts.one(connection, portal, draft_id)


def change(database: Database, draft_id: str, *fixes: Fix) -> None:
    with database.begin() as connection:
        drafts.change_fixes(connection, "p", draft_id, lambda draft: [*draft.fixes, *fixes], "user:u", {})


def result(database: Database, draft_id: str) -> list[tuple[str, str]]:
    """Id and agency of the rows that adding would keep."""
    draft = opened(database, draft_id)
    with database.connect() as connection:
        before = drafts.content(connection, "p", draft_id)
    content, count = mended(before, draft.dropped, draft.cells)
    rows = list(from_content(content))
    assert count == len(rows) == rows_left(before, draft.dropped, draft.cells)
    assert all(tuple(found) == COLUMNS for found in rows)
    return [(found["id"], found["agency"]) for found in rows]


@pytest.mark.parametrize(
    ("fixes", "kept"),
    [
        ((), [("A-1", "Satu"), ("A-2", "Dua"), ("A-3", "Tiga")]),
        ((LEFT_OUT,), [("A-2", "Dua"), ("A-3", "Tiga")]),
        ((RENAMED,), [("A-1", "Satu"), ("A-2", "Empat"), ("A-3", "Empat")]),
        ((EMPTIED,), [("A-1", "Satu"), ("A-2", "")]),
        ((EMPTIED, RENAMED), [("A-1", "Satu"), ("A-2", "Empat"), ("A-3", "Empat")]),
        ((LEFT_OUT, RENAMED), [("A-2", "Empat"), ("A-3", "Empat")]),
    ],
)
def test_fixes_change_the_rows_they_name_and_a_row_without_a_label_goes(
    database: Database, fixes: tuple[Fix, ...], kept: list[tuple[str, str]]
) -> None:
    draft_id = keep(database)
    change(database, draft_id, *fixes)
    assert result(database, draft_id) == kept


def test_a_draft_belongs_to_its_portal(database: Database) -> None:
    draft_id = keep(database)
    with database.begin() as connection:
        assert drafts.every(connection, "q") == []
        for act in (drafts.one, drafts.content):
            with pytest.raises(NoDraftError):
                act(connection, "q", draft_id)
        with pytest.raises(NoDraftError):
            drafts.change_fixes(connection, "q", draft_id, lambda _: [LEFT_OUT], "user:u", {})
        for change_it in (drafts.discard, drafts.check):
            with pytest.raises(NoDraftError):
                change_it(connection, "q", draft_id, "user:u")
    assert opened(database, draft_id).fixes == []


def test_what_another_check_found_is_not_kept(database: Database) -> None:
    draft_id = keep(database)
    old = opened(database, draft_id).job_id or ""
    with database.begin() as connection:
        drafts.check(connection, "p", draft_id, "user:u")
        assert jobs.one(connection, "p", old).state == "cancelled"
        assert not drafts.keep_findings(connection, "p", draft_id, old, {"findings": []})
    new = opened(database, draft_id)
    assert new.findings is None
    with database.begin() as connection:
        assert drafts.keep_findings(connection, "p", draft_id, new.job_id or "", {"findings": []})
    assert opened(database, draft_id).findings == {"findings": []}


def test_a_draft_that_somebody_changed_since_it_was_read_is_not_added(database: Database) -> None:
    draft_id = keep(database)
    read = opened(database, draft_id)
    change(database, draft_id, LEFT_OUT)
    with database.begin() as connection, pytest.raises(DraftChangedError):
        drafts.taken(connection, read, "user:u")
    with database.begin() as connection:
        drafts.taken(connection, opened(database, draft_id), "user:u")
    with pytest.raises(NoDraftError):
        opened(database, draft_id)


def test_erasing_a_complaint_erases_its_row_and_what_was_quoted_of_it(database: Database) -> None:
    draft_id, other = keep(database), keep(database, rows=[row(7, agency="Satu")])
    change(database, draft_id, RENAMED)
    for one in (draft_id, other):
        job = opened(database, one).job_id or ""
        with database.begin() as connection:
            drafts.keep_findings(connection, "p", one, job, {"findings": ["“lampu mati”"]})
    with database.begin() as connection:
        assert erasure.erase(connection, "p", "A-2", "user:u")["drafts"] == 1
        assert not erasure.erase(connection, "p", "A-2", "user:u")
    draft = opened(database, draft_id)
    assert (draft.rows, draft.findings, draft.job_id) == (2, None, None)
    assert result(database, draft_id) == [("A-1", "Satu"), ("A-3", "Empat")]
    assert opened(database, other).findings is not None


def test_drafts_that_nobody_added_are_forgotten_after_seven_days(database: Database, tmp_path: Path) -> None:
    old, new = keep(database), keep(database)
    now = datetime.now(UTC)
    with database.begin() as connection:
        for draft_id, days in ((old, 7.1), (new, 6.9)):
            moved = update(table).where(table.c.id == draft_id)
            connection.execute(moved.values(created_at=now - timedelta(days=days)))
    sweep(database, Settings(home=tmp_path), now)
    with database.connect() as connection:
        assert [draft.id for draft in drafts.every(connection, "p")] == [new]


def test_each_act_on_a_draft_is_recorded(database: Database) -> None:
    draft_id = keep(database)
    change(database, draft_id, LEFT_OUT)
    with database.begin() as connection:
        drafts.discard(connection, "p", draft_id, "user:u")
        acts = [entry.action for entry in reversed(audit.entries(connection, "p"))]
    assert acts == ["draft.add", "check.start", "draft.fix", "check.cancel", "draft.discard"]
