"""Trainings that begin by themselves: when they are due, once, and never for nothing."""

import secrets
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from publisher import small_town
from review_desk import row
from sqlalchemy import insert, update

from router_model.registry import champions
from service.database import audit, jobs, portal_settings
from service.database.database import Database
from service.database.jobs import TRAINING, Job, JobState
from service.database.schema import datasets, dispositions, suggestions
from service.database.schema import jobs as job_rows
from service.settings import Settings
from service.training_schedule import begin_due, outlook

TOWN = "kota-kecil"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
START = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "portal")


@dataclass(frozen=True)
class Town:
    """A portal that an operator described, and its database."""

    database: Database
    settings: Settings

    def data(self, at: datetime, portal: str = TOWN, replaced_by: str | None = None) -> None:
        name = secrets.token_hex(4)
        values = {"id": name, "portal": portal, "name": name, "rows": 40, "fingerprint": name, "content": b""}
        with self.database.begin() as connection:
            connection.execute(
                insert(datasets).values(**values, created_at=at, created_by="user:sari", replaced_by=replaced_by)
            )

    def disposed(self, at: datetime, count: int = 1, undone: bool = False) -> list[str]:
        ids = [secrets.token_hex(4) for _ in range(count)]
        with self.database.begin() as connection:
            connection.execute(insert(suggestions), [row(one, created_at=at) for one in ids])
        for one in ids:
            self.chose(one, at, 1, undone)
        return ids

    def chose(self, suggestion_id: str, at: datetime, sequence: int, undone: bool = False) -> None:
        values = {"id": secrets.token_hex(4), "portal": TOWN, "suggestion_id": suggestion_id, "sequence": sequence}
        values |= {"agency": "dishub", "by": "luh", "reason": "", "source": "review", "outcome": "accepted"}
        with self.database.begin() as connection:
            connection.execute(insert(dispositions).values(**values, undone=undone, created_at=at))

    def trained(self, at: datetime, state: JobState = "done", took: timedelta = MINUTE) -> None:
        """A training that was asked for then, and its end."""
        with self.database.begin() as connection:
            job = jobs.enqueue(connection, TOWN, TRAINING, {"datasets": [], "reason": ""}, "user:sari")
            over = {"started_at": at, "finished_at": at + took} if state != "queued" else {}
            values = {"state": state, "created_at": at, **over}
            connection.execute(update(job_rows).where(job_rows.c.id == job.id).values(values))

    def ended(self, at: datetime, state: JobState) -> None:
        """The training that waits ends so."""
        with self.database.begin() as connection:
            waiting = job_rows.c.state == "queued"
            connection.execute(
                update(job_rows).where(waiting).values(state=state, created_at=at, started_at=at, finished_at=at)
            )

    def wants(self, days: int = 7, dispositions: int = 200) -> None:
        with self.database.begin() as connection:
            before = portal_settings.of(connection, TOWN)
            wanted = replace(before, train_every_days=days, train_after=dispositions)
            portal_settings.change(connection, TOWN, "user:sari", wanted)

    def begun(self, *moments: datetime) -> list[str]:
        """Why trainings were begun, with a look at the schedule at each of these moments."""
        before = {job.id for job in self.trainings()}
        for now in moments:
            begin_due(self.database, self.settings, now)
        return [job.request["reason"] for job in self.trainings() if job.id not in before]

    def trainings(self) -> Sequence[Job]:
        with self.database.connect() as connection:
            return jobs.newest(connection, TOWN, TRAINING)


@pytest.fixture
def town(database: Database, database_url: str, portal: Path, tmp_path: Path) -> Town:
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    shutil.copytree(portal, settings.home / "portals" / TOWN)
    return Town(database, settings)


WEEKLY = "Terjadwal: tiap 7 hari."


def test_the_first_training_begins_a_week_after_there_is_anything_to_learn(town: Town) -> None:
    assert town.begun(START) == []
    town.data(START)
    assert town.begun(START, START + 6 * DAY) == []
    assert town.begun(START + 7 * DAY) == [WEEKLY]
    (job,) = town.trainings()
    assert (job.created_by, job.request["datasets"], job.state) == ("jadwal", [], "queued")
    with town.database.connect() as connection:
        assert [(entry.who, entry.action) for entry in audit.entries(connection, TOWN)] == [
            ("jadwal", "training.start")
        ]


def test_what_is_due_begins_once_however_often_and_by_however_many_it_is_looked_at(town: Town) -> None:
    town.data(START)
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: town.begun(START + 7 * DAY), range(16)))
    assert len(town.trainings()) == 1
    town.ended(START + 7 * DAY, "done")
    assert town.begun(START + 7 * DAY + MINUTE, START + 30 * DAY) == []


@pytest.mark.parametrize("new", ["data", "disposed"])
def test_a_week_later_a_training_begins_only_if_anything_is_new(town: Town, new: str) -> None:
    town.data(START - DAY)
    town.trained(START)
    assert town.begun(START + 8 * DAY) == []
    getattr(town, new)(START + 2 * DAY)
    assert town.begun(START + 7 * DAY - MINUTE) == []
    assert town.begun(START + 7 * DAY) == [WEEKLY]


def test_a_data_set_that_another_one_replaced_is_nothing_new(town: Town) -> None:
    town.data(START - DAY)
    town.trained(START)
    town.data(START + DAY, replaced_by="lain")
    assert town.begun(START + 8 * DAY) == []


def test_enough_new_dispositions_begin_a_training_before_the_week_is_over(town: Town) -> None:
    town.wants(dispositions=3)
    town.disposed(START - DAY, 5)
    town.trained(START)
    first, second = town.disposed(START + HOUR, 2)
    town.chose(first, START + 2 * HOUR, 2)
    town.chose(second, START + 2 * HOUR, 2)
    town.disposed(START + HOUR, 4, undone=True)
    assert town.begun(START + 3 * HOUR) == []
    town.disposed(START + 3 * HOUR)
    assert town.begun(START + 4 * HOUR) == ["Terjadwal: 3 disposisi baru."]


def test_a_disposition_of_the_time_of_a_training_counts_as_new(town: Town) -> None:
    town.wants(dispositions=1)
    town.trained(START, took=HOUR)
    town.disposed(START + MINUTE)
    assert town.begun(START + 2 * HOUR) == ["Terjadwal: 1 disposisi baru."]


def test_nothing_begins_while_another_training_waits(town: Town) -> None:
    town.wants(dispositions=1)
    town.disposed(START, 5)
    town.trained(START, "queued")
    assert town.begun(START + 30 * DAY) == []


def test_nothing_begins_where_nobody_wants_it(town: Town) -> None:
    town.wants(days=0, dispositions=0)
    town.data(START)
    town.disposed(START, 500)
    assert town.begun(START + 400 * DAY) == []
    town.wants(days=0, dispositions=500)
    assert len(town.begun(START + 400 * DAY)) == 1


def test_after_a_failure_it_is_tried_again_an_hour_later_with_something_new_and_ever_less_often(town: Town) -> None:
    town.wants(dispositions=2)
    town.trained(START - DAY)
    town.disposed(START - HOUR, 2)
    town.trained(START, "failed", timedelta())
    assert town.begun(START + MINUTE, START + 2 * HOUR) == []
    town.disposed(START + MINUTE)
    assert town.begun(START + 59 * MINUTE) == []
    assert len(town.begun(START + 61 * MINUTE)) == 1
    second = START + 61 * MINUTE
    town.ended(second, "failed")
    town.disposed(second + MINUTE)
    assert town.begun(second + 61 * MINUTE) == []
    assert town.begun(second + 121 * MINUTE) == ["Terjadwal: 4 disposisi baru."]


def test_after_a_cancelled_one_everything_is_counted_anew(town: Town) -> None:
    town.wants(dispositions=2)
    town.disposed(START - HOUR, 5)
    town.trained(START, "cancelled")
    assert town.begun(START + HOUR) == []
    with town.database.connect() as connection:
        ahead = outlook(connection, town.settings, TOWN, START + HOUR)
    assert (ahead.new.dispositions, ahead.counted.dispositions) == (5, 0)
    town.disposed(START + HOUR, 2)
    assert town.begun(START + 2 * HOUR) == ["Terjadwal: 2 disposisi baru."]


def test_a_release_that_no_job_trained_counts_as_the_last_training(
    database: Database, database_url: str, towns: Path
) -> None:
    town = Town(database, Settings(home=towns.parent, database_url=database_url))
    assert champions(towns)[TOWN]
    # It was published on the first day of 2025.
    published = datetime(2025, 1, 1, tzinfo=UTC)
    town.disposed(published - DAY, 300)
    assert town.begun(published + 8 * DAY) == []
    town.disposed(published + DAY)
    assert town.begun(published + 7 * DAY + MINUTE) == [WEEKLY]


def test_a_portal_that_nobody_described_is_left_alone_and_others_are_not(town: Town) -> None:
    town.data(START, "kota-lain")
    town.data(START)
    assert town.begun(START + 7 * DAY) == [WEEKLY]
    with town.database.connect() as connection:
        assert jobs.newest(connection, "kota-lain", TRAINING) == []


def test_the_page_is_told_when_the_next_one_begins(town: Town) -> None:
    town.data(START - DAY)
    town.trained(START)

    def next_at() -> datetime | None:
        with town.database.connect() as connection:
            return outlook(connection, town.settings, TOWN, START + DAY).next_at

    assert next_at() == START + 7 * DAY
    town.wants(days=30)
    assert next_at() == START + 30 * DAY
    town.wants(days=0)
    assert next_at() is None
    town.wants(days=1)
    town.trained(START + DAY, "failed", timedelta())
    assert next_at() == START + DAY + HOUR
