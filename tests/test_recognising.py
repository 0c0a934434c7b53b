"""Complaints that were stored before there was anything to recognise them by are recognised later, by the worker."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from publisher import publish_first, small_town
from served import LAMP, RUBBISH, Service, serving
from sqlalchemy import delete, select, update

from router_model.registry import promote
from service.database import erasure, unrecognised
from service.database.schema import resemblance_keys, resemblances, suggestions
from service.recognising import TOGETHER, recognise_earlier
from service.settings import Settings
from service.worker import work

TOWN = "kota-kecil"
LONGEST = 60.0


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kota")
    promote(folder / "registry", publish_first(36, small_town(folder / TOWN), folder / "registry"))
    return folder / "registry"


@pytest.fixture
def service(town: Path, tmp_path: Path, database_url: str) -> Iterator[Service]:
    with serving(tmp_path / "home", town, database_url) as started:
        yield started


def kept(service: Service) -> list[dict[str, Any]]:
    """The oldest first."""
    with service.database.connect() as connection:
        return [dict(row) for row in connection.execute(select(resemblances).order_by(resemblances.c.id)).mappings()]


def keys(service: Service) -> dict[int, set[int]]:
    with service.database.connect() as connection:
        found: dict[int, set[int]] = {}
        for row in connection.execute(select(resemblance_keys)):
            found.setdefault(row.resemblance, set()).add(row.key)
        return found


def forgotten(service: Service, *names: str) -> None:
    """As if they had been stored by a version that recognised nothing."""
    with service.database.begin() as connection:
        gone = select(resemblances.c.id).where(resemblances.c.suggestion_id.in_(names)) if names else None
        for table, column in ((resemblance_keys, resemblance_keys.c.resemblance), (resemblances, resemblances.c.id)):
            connection.execute(delete(table) if gone is None else delete(table).where(column.in_(gone)))


def recognised(service: Service) -> int:
    return sum(recognise_earlier(service.database, service.home / "registry", datetime.now(UTC)))


def named(answer: dict[str, Any]) -> list[str]:
    return [item["id"] for item in answer["duplicates"]]


def test_a_repeat_of_a_complaint_from_before_is_found_once_it_is_recognised(service: Service) -> None:
    place = {"lat": -8.67, "lon": 115.2, "village": "Sidakarya"}
    first = service.asked(location=place, received_at=(datetime.now(UTC) - timedelta(days=2)).isoformat())
    other = service.asked(text=RUBBISH)
    rows, under = kept(service), keys(service)
    forgotten(service)
    newer = service.asked(location=place)
    assert named(newer) == []
    assert recognised(service) == 2
    after = {row["suggestion_id"]: row for row in kept(service)}
    for row in rows:
        again = after[row["suggestion_id"]]
        assert {**again, "id": row["id"]} == row
        assert keys(service)[again["id"]] == under[row["id"]]
    assert [row["suggestion_id"] for row in kept(service)] == [first["id"], other["id"], newer["id"]]
    assert sorted(named(service.asked(location=place))) == sorted([first["id"], newer["id"]])
    assert recognised(service) == 0


def test_where_all_are_from_before_new_ones_come_after_them(service: Service) -> None:
    first = service.asked()
    forgotten(service)
    assert recognised(service) == 1
    second = service.asked()
    assert named(second) == [first["id"]]
    assert [row["suggestion_id"] for row in kept(service)] == [first["id"], second["id"]]


def test_stopped_at_any_moment_it_goes_on_with_what_is_missing(service: Service) -> None:
    complaints = [{"text": f"{LAMP} {turn}"} for turn in range(TOGETHER + 20)]
    assert service.small.post("/v1/suggestions/batch", json={"complaints": complaints}).is_success
    forgotten(service)
    steps = recognise_earlier(service.database, service.home / "registry", datetime.now(UTC))
    assert next(steps) == TOGETHER == len(kept(service))
    steps.close()  # type: ignore[attr-defined]
    assert recognised(service) == 20
    assert len({row["suggestion_id"] for row in kept(service)}) == TOGETHER + 20


def test_two_workers_and_an_erasure_do_not_disturb_each_other(service: Service) -> None:
    service.asked(external_id="A-1")
    service.asked(text=RUBBISH)
    forgotten(service)
    now = datetime.now(UTC)
    with service.database.connect() as connection:
        seen = unrecognised.newest(connection, TOWN, now - timedelta(days=1), None, 10)
    assert [item.category for item in seen] != ["", ""] and len(seen) == 2
    steps = recognise_earlier(service.database, service.home / "registry", now)
    with service.database.begin() as connection:
        assert erasure.erase(connection, TOWN, "A-1", "uji")["suggestions"] == 1
    assert sum(steps) == 1
    assert recognised(service) == 0
    assert len(kept(service)) == 1


def test_what_nothing_can_resemble_and_what_has_no_words_is_passed_over(service: Service) -> None:
    old, odd = service.asked(), service.asked(text=RUBBISH)
    service.asked(text="?!")
    forgotten(service)
    with service.database.begin() as connection:
        for name, value in (
            (old["id"], {"created_at": datetime.now(UTC) - timedelta(days=31)}),
            (odd["id"], {"complaint": '{"text": "lampu"}'}),
        ):
            connection.execute(update(suggestions).where(suggestions.c.id == name).values(**value))
    assert recognised(service) == 0
    assert kept(service) == []


def test_without_a_release_they_are_recognised_by_their_words(service: Service, tmp_path: Path) -> None:
    first = service.asked()
    forgotten(service)
    assert list(recognise_earlier(service.database, tmp_path / "none", datetime.now(UTC))) == [1]
    assert named(service.asked()) == [first["id"]]


def test_the_worker_does_it(service: Service, database_url: str) -> None:
    first = service.asked()
    forgotten(service)
    stop = Event()
    settings = Settings(home=service.home, database_url=database_url)
    worker = Thread(target=work, args=(service.database, settings, stop))
    worker.start()
    try:
        deadline = time.monotonic() + LONGEST
        while not kept(service):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        stop.set()
        worker.join()
    assert named(service.asked()) == [first["id"]]
