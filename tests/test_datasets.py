"""Data sets that portals sent, and everything a portal can learn from, together with what its people chose."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, insert, update

from service.database import audit, datasets, dispositions
from service.database.database import Database
from service.database.datasets import Dataset, NoDatasetError
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
