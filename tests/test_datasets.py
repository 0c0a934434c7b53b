"""Data sets that portals sent, and everything a portal can learn from, together with what its people chose."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, insert, update

from service.database import audit, datasets, dispositions
from service.database.database import Database
from service.database.datasets import Dataset, DatasetReplacedError, NoDatasetError
from service.database.dispositions import Chosen
from service.database.learning_data import learning_rows
from service.database.schema import datasets as table
from service.database.schema import suggestions
from service.dataset_content import as_content, fingerprint, from_content
from training.reading import COLUMNS, Row


def row(**cells: str) -> dict[str, str]:
    return dict.fromkeys(COLUMNS, "") | cells


LAMP = row(id="A-1", text="lampu mati", agency="Dinas Perhubungan", category="Lampu jalan")
ROAD = row(id="A-2", text="jalan rusak", agency="Dinas Pekerjaan Umum")
WASTE = row(text="sampah menumpuk", agency="Dinas Kebersihan")


def add(connection: Connection, *rows: dict[str, str], portal: str = "p", name: str = "data") -> tuple[Dataset, bool]:
    return datasets.add(
        connection,
        portal=portal,
        name=name,
        content=as_content(rows),
        rows=len(rows),
        fingerprint=fingerprint(rows),
        by="key:k",
    )


def suggest(connection: Connection, suggestion_id: str, external_id: str | None, **complaint: Any) -> None:
    connection.execute(
        insert(suggestions).values(
            id=suggestion_id,
            portal="p",
            external_id=external_id,
            request_hash="",
            asked_by="k",
            created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
            channel="web",
            route="review",
            state="open",
            priority=0.0,
            complaint=orjson.dumps(
                {"title": "", "address": "", "received_at": None, "lat": None, **complaint}
            ).decode(),
            answer="{}",
        )
    )


def dispose(connection: Connection, suggestion_id: str, agency: str, category: str | None = None) -> None:
    dispositions.record(
        connection, "p", Chosen(agency, category), who="key:k", source="api", suggestion_id=suggestion_id
    )


def learned(rows: list[Row]) -> list[dict[str, str]]:
    return [dict(found.values) for found in rows]


def filled(cells: dict[str, str]) -> dict[str, str]:
    return {column: cell for column, cell in cells.items() if cell}


def test_the_same_rows_again_are_the_same_data_set_of_the_same_portal(database: Database) -> None:
    with database.begin() as connection:
        first, new = add(connection, LAMP, ROAD)
        again, twice = add(connection, LAMP, ROAD, name="nama lain")
        other, new_there = add(connection, LAMP, ROAD, portal="q")
        assert (new, twice, new_there) == (True, False, True)
        assert again == first != other
        assert datasets.every(connection, "p") == [first]
        assert [entry.action for entry in audit.entries(connection, "p")] == ["dataset.add"]


def test_a_data_set_is_read_as_it_was_kept_and_only_by_its_portal(database: Database) -> None:
    with database.begin() as connection:
        first, _ = add(connection, LAMP, ROAD)
        add(connection, WASTE, portal="q")
    with database.connect() as connection:
        ((found, content),) = datasets.contents(connection, "p")
        assert (found, list(from_content(content))) == (first, [LAMP, ROAD])
        assert list(datasets.contents(connection, "q", [first.id])) == []


def test_a_removed_data_set_is_gone_and_another_portal_cannot_remove_it(database: Database) -> None:
    with database.begin() as connection:
        first, _ = add(connection, LAMP)
        with pytest.raises(NoDatasetError):
            datasets.remove(connection, "q", first.id, "key:x")
        datasets.remove(connection, "p", first.id, "key:k")
        assert datasets.every(connection, "p") == []
        assert audit.entries(connection, "p")[0].action == "dataset.remove"


def test_what_was_erased_is_gone_from_every_data_set_and_does_not_come_back(database: Database) -> None:
    with database.begin() as connection:
        add(connection, LAMP, ROAD)
        add(connection, WASTE, LAMP)
        add(connection, LAMP, portal="q")
        assert datasets.remove_rows(connection, "p", "A-1") == 2
        assert datasets.remove_rows(connection, "p", "A-1") == 0
        kept = [list(from_content(content)) for _, content in datasets.contents(connection, "p")]
        assert kept == [[ROAD], [WASTE]]
        assert [found.rows for found in datasets.every(connection, "p")] == [1, 1]
        again, new = add(connection, LAMP, ROAD)
        assert (new, again.rows) == (False, 1)
        assert [found.rows for found in datasets.every(connection, "q")] == [1]


def test_a_portal_learns_from_its_data_sets_and_its_dispositions_alone(database: Database) -> None:
    with database.begin() as connection:
        add(connection, LAMP, WASTE, WASTE)
        add(connection, ROAD, portal="q")
        suggest(
            connection, "s1", "B-1", text="pohon tumbang", village="Sidakarya", received_at="2026-01-01T08:00:00+08:00"
        )
        suggest(connection, "s2", None, text="air keruh")
        suggest(connection, "s3", "B-3", text="tanpa disposisi")
        dispose(connection, "s1", "dlhk", "pohon")
        dispose(connection, "s2", "pdam")
        assert learned(learning_rows(connection, "p")) == [
            filled(LAMP),
            filled(WASTE),
            filled(WASTE),
            {
                "id": "B-1", "text": "pohon tumbang", "village": "Sidakarya",
                "received_at": "2026-01-01T08:00:00+08:00", "agency": "dlhk", "category": "pohon",
            },
            {"id": "s2", "text": "air keruh", "received_at": "2026-01-02T03:04:05+00:00", "agency": "pdam"},
        ]  # fmt: skip
        assert learned(learning_rows(connection, "q")) == [filled(ROAD)]


def test_the_last_choice_that_was_not_undone_is_learned(database: Database) -> None:
    with database.begin() as connection:
        suggest(connection, "s1", "B-1", text="pohon tumbang")
        for agency in ("satu", "dua", "tiga"):
            dispose(connection, "s1", agency)
        connection.execute(update(dispositions.dispositions).values(undone=dispositions.dispositions.c.sequence == 3))
        assert [found.get("agency") for found in learning_rows(connection, "p")] == ["dua"]
        connection.execute(update(dispositions.dispositions).values(undone=True))
        assert learning_rows(connection, "p") == []


def test_of_one_complaint_the_newest_label_counts_and_the_others_stay(database: Database) -> None:
    with database.begin() as connection:
        old, _ = add(connection, LAMP)
        suggest(connection, "s1", "A-1", text="lampu mati")
        dispose(connection, "s1", "dlhk")
        (found,) = learning_rows(connection, "p")
        assert (found.get("agency"), found.get("category")) == ("dlhk", "Lampu jalan")
        connection.execute(
            update(table).where(table.c.id == old.id).values(created_at=datetime(2099, 1, 1, tzinfo=UTC))
        )
        (found,) = learning_rows(connection, "p")
        assert (found.get("agency"), found.get("category")) == ("Dinas Perhubungan", "Lampu jalan")


def test_a_training_may_name_the_data_sets_it_wants(database: Database) -> None:
    with database.begin() as connection:
        add(connection, LAMP)
        second, _ = add(connection, ROAD)
        assert learned(learning_rows(connection, "p", [second.id])) == [filled(ROAD)]


def name_and_version(connection: Connection) -> list[tuple[str, int, bool]]:
    return [(found.name, found.version, found.in_use) for found in datasets.kept(connection, "p")]


def test_of_several_versions_the_newest_is_learned_until_another_is_used_again(database: Database) -> None:
    with database.begin() as connection:
        first, _ = add(connection, LAMP, name="satu")
        second, _ = add(connection, ROAD, name="dua")
        third, _ = add(connection, WASTE, name="tiga")
        datasets.replace(connection, "p", first.id, second.id, "user:u")
        datasets.replace(connection, "p", second.id, third.id, "user:u")
        assert name_and_version(connection) == [("satu", 1, False), ("dua", 2, False), ("tiga", 3, True)]
        assert learned(learning_rows(connection, "p")) == [filled(WASTE)]
        assert learning_rows(connection, "p", [first.id]) == []
        datasets.use_again(connection, "p", first.id, "user:u")
        assert name_and_version(connection) == [("satu", 1, True), ("dua", 2, False), ("tiga", 3, False)]
        assert learned(learning_rows(connection, "p")) == [filled(LAMP)]
        known = datasets.kept(connection, "p")
        assert [found.name for found in datasets.versions(known, known[1])] == ["tiga", "dua", "satu"]
        fourth, _ = add(connection, row(text="air keruh", agency="Perumda"), name="empat")
        datasets.replace(connection, "p", first.id, fourth.id, "user:u")
        assert datasets.one(connection, "p", fourth.id).version == 4
        assert [entry.action for entry in audit.entries(connection, "p")][:2] == ["dataset.replace", "dataset.add"]


def test_only_the_version_in_use_is_replaced_and_only_by_its_own_portal(database: Database) -> None:
    with database.begin() as connection:
        first, second, third = (add(connection, cells)[0] for cells in (LAMP, ROAD, WASTE))
        datasets.replace(connection, "p", first.id, second.id, "user:u")
        with pytest.raises(DatasetReplacedError):
            datasets.replace(connection, "p", first.id, third.id, "user:u")
        for act in (
            lambda: datasets.replace(connection, "q", second.id, third.id, "user:u"),
            lambda: datasets.use_again(connection, "q", first.id, "user:u"),
            lambda: datasets.content(connection, "q", first.id),
        ):
            with pytest.raises(NoDatasetError):
                act()


@pytest.mark.parametrize("removed", [0, 1, 2])
def test_removing_a_version_brings_no_other_one_back_by_itself(database: Database, removed: int) -> None:
    with database.begin() as connection:
        all_three = [add(connection, cells)[0] for cells in (LAMP, ROAD, WASTE)]
        ids = [found.id for found in all_three]
        datasets.replace(connection, "p", ids[0], ids[1], "user:u")
        datasets.replace(connection, "p", ids[1], ids[2], "user:u")
        datasets.remove(connection, "p", ids[removed], "user:u")
        assert {found.id for found in datasets.every(connection, "p")} == ({ids[2]} - {ids[removed]})
        left = datasets.kept(connection, "p")
        assert {found.id for found in datasets.versions(left, left[0])} == set(ids) - {ids[removed]}
        datasets.use_again(connection, "p", left[0].id, "user:u")
        assert [found.id for found in datasets.every(connection, "p")] == [left[0].id]


def test_erasing_reaches_the_versions_that_were_replaced(database: Database) -> None:
    with database.begin() as connection:
        first, _ = add(connection, LAMP, ROAD)
        second, _ = add(connection, LAMP)
        datasets.replace(connection, "p", first.id, second.id, "user:u")
        assert datasets.remove_rows(connection, "p", "A-1") == 2
        assert [found.rows for found in datasets.kept(connection, "p")] == [1, 0]
