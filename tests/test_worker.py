"""The worker: trainings go on whatever is killed, and put exactly one release in force."""

import csv
import fcntl
import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import orjson
import pytest
from live_service import ADUAN
from publisher import WHERE, publish_first, small_town
from served import serving
from signed_in import signed_in
from sqlalchemy import insert, select

from router_model.complaint import Complaint
from router_model.registry import HISTORY, champions, history, promote, release_ids
from router_model.release import open_release, router_of
from service.database import audit, datasets, dispositions, job_log, jobs, webhooks
from service.database.database import Database
from service.database.dispositions import Chosen
from service.database.job_log import Line
from service.database.jobs import CHECK, Job
from service.database.schema import suggestions, webhook_messages
from service.dataset_content import as_content, fingerprint
from service.portal_folders import NoPortalFolderError, portal_folder
from service.settings import Settings
from service.training_jobs import train
from service.worker import LEASE, work
from training.reading import COLUMNS

TOWN = "kota-kecil"
LONGEST = 120.0


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_town(tmp_path_factory.mktemp("town") / "portal")


@dataclass(frozen=True)
class Town:
    """A portal whose folder an operator keeps in `settings.home`, and its service."""

    database: Database
    settings: Settings

    def begin(self) -> str:
        with self.database.begin() as connection:
            return jobs.enqueue(connection, TOWN, "training", {"datasets": [], "reason": ""}, "key:k").id

    def job(self, job_id: str) -> Job:
        with self.database.connect() as connection:
            return jobs.one(connection, TOWN, job_id)

    def wait(self, job_id: str, until: Callable[[Job], bool]) -> Job:
        deadline = time.monotonic() + LONGEST
        while not until(job := self.job(job_id)):
            assert time.monotonic() < deadline, job
            time.sleep(0.02)
        return job

    def ended(self, job_id: str) -> Job:
        return self.wait(job_id, lambda job: job.state in ("done", "failed", "cancelled"))

    def log(self, job_id: str) -> list[Line]:
        with self.database.connect() as connection:
            return job_log.lines(connection, TOWN, job_id)

    def actions(self) -> list[str]:
        with self.database.connect() as connection:
            return [entry.action for entry in reversed(audit.entries(connection, TOWN))]


@pytest.fixture
def town(database: Database, database_url: str, portal: Path, tmp_path: Path) -> Town:
    settings = Settings(home=tmp_path / "home", database_url=database_url)
    shutil.copytree(portal, settings.home / "portals" / TOWN)
    with (portal / "complaints.csv").open(encoding="utf-8", newline="") as file:
        rows = [dict.fromkeys(COLUMNS, "") | row for row in csv.DictReader(file)]
    with database.begin() as connection:
        datasets.add(
            connection,
            portal=TOWN,
            name="complaints.csv",
            content=as_content(rows),
            rows=len(rows),
            fingerprint=fingerprint(rows),
            by="key:k",
        )
    return Town(database, settings)


@contextmanager
def working(town: Town) -> Iterator[None]:
    stop = Event()
    thread = Thread(target=work, args=(town.database, town.settings, stop, LEASE))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def worker_process(town: Town) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is gone at the end, whatever became of the test."""
    environment = {
        **os.environ,
        "ADUAN_HOME": str(town.settings.home),
        "ADUAN_DATABASE_URL": town.settings.database_url,
    }
    with subprocess.Popen([ADUAN, "worker"], env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


@contextmanager
def unable_to_promote(registry: Path) -> Iterator[None]:
    """As if another process held the history, so that no training comes to its end however fast it is."""
    registry.mkdir(parents=True, exist_ok=True)
    with (registry / HISTORY).open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def let_lease_run_out(town: Town, job_id: str) -> None:
    """As if the time had passed."""
    with town.database.begin() as connection:
        job = jobs.one(connection, TOWN, job_id)
        jobs.heartbeat(connection, job, datetime.now(UTC) - LEASE, timedelta(), {})


def trained_here(town: Town) -> dict[str, Any]:
    """The result of a training in this very process."""
    town.begin()
    with town.database.begin() as connection:
        job = jobs.claim(connection, datetime.now(UTC), LEASE)
    assert job is not None
    result = train(job, town.settings, lambda _: None)
    with town.database.begin() as connection:
        jobs.finish(connection, job, "done", result=result)
    return result


def test_a_training_publishes_and_promotes_and_portals_hear_of_it(town: Town) -> None:
    with town.database.begin() as connection:
        webhooks.add_endpoint(connection, TOWN, "http://127.0.0.1:9/", ["release.promoted"])
    job_id = town.begin()
    with working(town):
        job = town.ended(job_id)
    assert (job.state, job.error, job.attempts) == ("done", "", 1)
    result = job.result or {}
    assert champions(town.settings.registry) == {TOWN: result["release"]}
    assert (result["in_force"], result["rows"], result["gate"]["agrees"]) == (True, 36, True)
    assert 0 <= result["scores"]["answers"]["agency"]["accuracy"] <= 1
    assert town.actions()[-2:] == ["training.finish", "release.promote"]
    log = town.log(job_id)
    assert [line.message for line in (*log[:3], *log[-2:])] == [
        "Diminta; menunggu pekerja.", "Mulai.", "Mengumpulkan laporan.", "Membandingkan dengan rilis yang berlaku.",
        "Selesai.",
    ]  # fmt: skip
    assert len({line.message for line in log}) == len(log) > 6
    assert [line.at for line in log] == sorted(line.at for line in log)
    with town.database.connect() as connection:
        (message,) = connection.execute(select(webhook_messages)).mappings()
    assert orjson.loads(message["payload"])["data"] == {"release": result["release"], "action": "promote"}


def test_what_people_chose_changes_the_answer(town: Town) -> None:
    complaint = Complaint(text="kunang kunang beterbangan dekat balai")
    with town.database.begin() as connection:
        for number, where in enumerate(WHERE * 2):
            text = orjson.dumps({"text": f"kunang kunang beterbangan {where}", "received_at": None}).decode()
            values = {"id": f"s{number}", "portal": TOWN, "request_hash": "", "asked_by": "k", "channel": "web"}
            values |= {"route": "review", "state": "open", "priority": 0.0, "complaint": text, "answer": "{}"}
            connection.execute(insert(suggestions).values(created_at=datetime.now(UTC), **values))
    before = trained_here(town)
    chosen = "dinas-kebersihan"
    with town.database.begin() as connection:
        for number in range(len(WHERE) * 2):
            dispositions.record(connection, TOWN, Chosen(chosen), who="k", source="api", suggestion_id=f"s{number}")
    after = trained_here(town)
    answers = [
        router_of(open_release(town.settings.registry / found["release"])).suggest(complaint).agencies[0].code
        for found in (before, after)
    ]
    assert after["rows"] == before["rows"] + len(WHERE) * 2
    assert answers[0] != answers[1] == chosen
    # So few complaints are no proof, and the gate says so.
    assert not after["in_force"]
    assert "perlu sedikitnya 50" in after["gate"]["reasons"][0]
    assert champions(town.settings.registry) == {TOWN: before["release"]}


def test_a_training_goes_on_when_its_worker_and_then_its_process_are_killed(town: Town) -> None:
    job_id = town.begin()
    with worker_process(town) as first:
        town.wait(job_id, lambda job: job.state == "running")
        first.kill()
    let_lease_run_out(town, job_id)
    assert town.job(job_id).attempts == 1
    with working(town), working(town):
        with unable_to_promote(town.settings.registry):
            town.wait(job_id, lambda job: job.attempts == 2 and bool(job.progress))
            (process,) = multiprocessing.active_children()
            process.kill()
            process.join()
        job = town.ended(job_id)
    assert (job.state, job.attempts) == ("done", 3)
    (event,) = history(town.settings.registry)
    assert (event.release, event.request) == ((job.result or {})["release"], job_id)
    assert event.release in release_ids(town.settings.registry)
    assert [line.message for line in town.log(job_id) if "lagi" in line.message] == [
        "Mulai lagi, percobaan ke-2 dari 3.", "Prosesnya mati; akan dicoba lagi.", "Mulai lagi, percobaan ke-3 dari 3.",
    ]  # fmt: skip
    assert town.actions().count("release.promote") == town.actions().count("training.finish") == 1


def test_a_worker_that_is_asked_to_stop_leaves_its_job_to_the_next(town: Town) -> None:
    job_id = town.begin()
    with unable_to_promote(town.settings.registry), worker_process(town) as first:
        town.wait(job_id, lambda job: job.state == "running")
        first.send_signal(signal.SIGTERM)
        assert first.wait(LONGEST) == 0
    job = town.job(job_id)
    assert (job.state, job.attempts, job.leased_until) == ("queued", 0, None)
    with working(town):
        assert town.ended(job_id).state == "done"
    assert len(history(town.settings.registry)) == 1


def test_what_was_promoted_before_the_worker_died_is_found_and_not_promoted_again(town: Town) -> None:
    job_id = town.begin()
    with town.database.begin() as connection:
        job = jobs.claim(connection, datetime.now(UTC), LEASE)
    assert job is not None
    result = train(job, town.settings, lambda _: None)
    let_lease_run_out(town, job_id)
    with working(town):
        ended = town.ended(job_id)
        again = town.ended(town.begin())
    assert (ended.state, ended.attempts) == ("done", 2)
    assert ended.result == result
    # The same data again is the same release, which needs no promotion.
    assert (again.result or {})["release"] == result["release"]
    assert len(history(town.settings.registry)) == len(release_ids(town.settings.registry)) == 1
    assert town.actions().count("release.promote") == 1


def test_a_running_training_that_is_cancelled_ends_and_promotes_nothing(town: Town) -> None:
    job_id = town.begin()
    with working(town):
        with unable_to_promote(town.settings.registry):
            town.wait(job_id, lambda job: job.state == "running")
            with town.database.begin() as connection:
                jobs.cancel(connection, TOWN, job_id, "key:k")
            assert town.ended(job_id).state == "cancelled"
        assert multiprocessing.active_children() == []
        # The worker goes on.
        assert town.ended(town.begin()).state == "done"
    assert len(history(town.settings.registry)) == 1


def test_a_check_does_not_wait_for_a_training(town: Town) -> None:
    training = town.begin()
    with working(town), unable_to_promote(town.settings.registry):
        town.wait(training, lambda job: job.state == "running")
        with town.database.begin() as connection:
            check = jobs.enqueue(connection, TOWN, CHECK, {"draft": "dft_tidak_ada"}, "user:sari").id
        assert town.ended(check).state == "done"
        assert town.job(training).state == "running"


def test_a_training_goes_on_while_the_service_that_shows_it_begins_anew(town: Town, database_url: str) -> None:
    job_id = town.begin()
    registry, home = town.settings.registry, town.settings.home
    with working(town), unable_to_promote(registry):
        town.wait(job_id, lambda job: job.state == "running")
        for name in ("sari", "wayan"):
            with serving(home, registry, database_url) as service, signed_in(service, name, "auditor") as person:
                for _ in range(3):
                    assert "berjalan" in person.read("/admin/pelatihan/keadaan")
                    assert "Batalkan" not in person.read(f"/admin/pelatihan/{job_id}")
        assert (town.job(job_id).state, town.job(job_id).attempts) == ("running", 1)
    with working(town):
        assert town.ended(job_id).state == "done"
    with serving(home, registry, database_url) as service, signed_in(service, "komang", "auditor") as person:
        shown = person.read(f"/admin/pelatihan/{job_id}/keadaan")
        assert "data-busy" not in shown
        assert "Selesai." in shown
        assert "Rilis pertama portal ini." in person.read("/admin/pelatihan")


def test_a_training_without_data_fails_and_says_what_to_do(town: Town) -> None:
    with town.database.begin() as connection:
        (dataset,) = datasets.every(connection, TOWN)
        datasets.remove(connection, TOWN, dataset.id, "key:k")
    job_id = town.begin()
    with working(town):
        job = town.ended(job_id)
    assert (job.state, job.attempts, job.result) == ("failed", 1, None)
    assert "Unggah data berlabel dahulu" in job.error
    assert not town.settings.registry.exists()


def test_the_folder_an_operator_keeps_wins_over_that_of_the_release_in_force(portal: Path, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with pytest.raises(NoPortalFolderError, match=rf"ADUAN_HOME/portals/{TOWN}"):
        portal_folder(settings, TOWN)
    release = publish_first(36, portal, settings.registry)
    promote(settings.registry, release)
    assert portal_folder(settings, TOWN) == settings.registry / release / "portal"
    kept = Path(shutil.copytree(portal, tmp_path / "portals" / TOWN))
    assert portal_folder(settings, TOWN) == kept
    shutil.copytree(portal, tmp_path / "portals" / "kota-lain")
    with pytest.raises(NoPortalFolderError, match=f"berisi portal {TOWN}"):
        portal_folder(settings, "kota-lain")
