"""Jobs are held by one worker at a time, and taken up again when it is gone."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from service.database import audit, job_log, jobs
from service.database.database import Database
from service.database.job_log import Line
from service.database.jobs import GAVE_UP, Job, JobOverError, NoJobError

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LEASE = timedelta(seconds=30)
LATER = NOW + timedelta(seconds=31)


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    with database.begin() as opened:
        yield opened


def begin(connection: Connection, portal: str = "p") -> Job:
    return jobs.enqueue(connection, portal, "training", {"datasets": [], "reason": "coba"}, "key:k")


def take(connection: Connection, at: datetime = NOW) -> Job:
    job = jobs.claim(connection, at, LEASE)
    assert job is not None
    return job


def states(connection: Connection, portal: str = "p") -> list[str]:
    return [job.state for job in reversed(jobs.newest(connection, portal, "training"))]


def log(connection: Connection, job: Job) -> list[str]:
    return [line.message for line in job_log.lines(connection, job.portal, job.id)]


def actions(connection: Connection) -> list[tuple[str, object]]:
    return [(entry.action, entry.detail.get("state")) for entry in reversed(audit.entries(connection, "p"))]


def test_a_job_goes_from_waiting_to_done_and_the_log_says_so(connection: Connection) -> None:
    waiting = begin(connection)
    job = take(connection)
    assert (job.id, job.attempts, job.request) == (waiting.id, 1, {"datasets": [], "reason": "coba"})
    assert jobs.heartbeat(connection, job, NOW, LEASE, {"stage": "melatih", "done": 1, "total": 2})
    assert jobs.one(connection, "p", job.id).progress == {"stage": "melatih", "done": 1, "total": 2}
    assert jobs.finish(connection, job, "done", result={"release": "r1"})
    ended = jobs.one(connection, "p", job.id)
    assert (ended.state, ended.result, ended.started_at, ended.leased_until) == ("done", {"release": "r1"}, NOW, None)
    assert actions(connection) == [("training.start", None), ("training.finish", "done")]
    assert audit.entries(connection, "p")[0].release == "r1"


def test_the_job_that_waited_longest_is_next_and_of_a_portal_only_one_runs(connection: Connection) -> None:
    first, second, other = begin(connection), begin(connection), begin(connection, "q")
    assert take(connection).id == first.id
    assert take(connection).id == other.id
    assert jobs.claim(connection, NOW, LEASE) is None
    jobs.finish(connection, take(connection, LATER), "done")
    assert take(connection, LATER).id == second.id


def test_jobs_of_different_kinds_do_not_wait_for_each_other(connection: Connection) -> None:
    training = begin(connection)
    check = jobs.enqueue(connection, "p", "check", {"draft": "d"}, "user:sari")
    assert jobs.claim(connection, NOW, LEASE, ("check", "policy")) == jobs.one(connection, "p", check.id)
    assert jobs.claim(connection, NOW, LEASE, ("check", "policy")) is None
    taken = jobs.claim(connection, NOW, LEASE, ("training",))
    assert taken is not None
    assert taken.id == training.id
    assert jobs.claim(connection, NOW, LEASE, ()) is None


def test_a_job_whose_worker_is_gone_is_taken_up_again(connection: Connection) -> None:
    begin(connection)
    lost = take(connection)
    assert jobs.claim(connection, NOW + LEASE, LEASE) is None
    again = take(connection, LATER)
    assert (again.id, again.attempts, again.started_at) == (lost.id, 2, NOW)


def test_a_worker_that_lost_its_lease_changes_nothing(connection: Connection) -> None:
    begin(connection)
    lost = take(connection)
    again = take(connection, LATER)
    assert not jobs.heartbeat(connection, lost, LATER, LEASE, {"stage": "lama"})
    assert not jobs.finish(connection, lost, "failed", error="lama")
    jobs.give_back(connection, lost, counts=True)
    held = jobs.one(connection, "p", again.id)
    assert (held.state, held.attempts, held.error, held.progress) == ("running", 2, "", {})


def test_a_lease_that_is_renewed_does_not_run_out(connection: Connection) -> None:
    begin(connection)
    job = take(connection)
    assert jobs.heartbeat(connection, job, LATER, LEASE, {})
    assert jobs.claim(connection, LATER + LEASE, LEASE) is None


def test_after_three_workers_that_died_a_job_has_failed_and_says_so(connection: Connection) -> None:
    job = begin(connection)
    at = NOW
    for _ in range(3):
        take(connection, at)
        at += LEASE + timedelta(seconds=1)
    assert jobs.claim(connection, at, LEASE) is None
    ended = jobs.one(connection, "p", job.id)
    assert (ended.state, ended.error, ended.attempts) == ("failed", GAVE_UP, 3)
    assert actions(connection)[-1] == ("training.finish", "failed")


def test_a_job_that_kills_its_process_is_tried_three_times(connection: Connection) -> None:
    begin(connection)
    for expected in ("queued", "queued", "failed"):
        jobs.give_back(connection, take(connection), counts=True)
        assert states(connection) == [expected]


def test_a_worker_that_stops_gives_its_job_back_without_counting_it(connection: Connection) -> None:
    begin(connection)
    for _ in range(5):
        job = take(connection)
        assert job.attempts == 1
        jobs.give_back(connection, job, counts=False)
    assert states(connection) == ["queued"]


def test_a_waiting_job_is_cancelled_at_once_and_twice_is_once(connection: Connection) -> None:
    job = begin(connection)
    assert jobs.cancel(connection, "p", job.id, "key:k").state == "cancelled"
    assert jobs.cancel(connection, "p", job.id, "key:k").state == "cancelled"
    assert jobs.claim(connection, NOW, LEASE) is None
    assert [action for action, _ in actions(connection)].count("training.cancel") == 1


def test_the_worker_of_a_running_job_hears_that_it_was_cancelled(connection: Connection) -> None:
    begin(connection)
    job = take(connection)
    assert jobs.cancel(connection, "p", job.id, "key:k").state == "running"
    assert not jobs.heartbeat(connection, job, NOW, LEASE, {})
    assert jobs.finish(connection, job, "cancelled")
    assert states(connection) == ["cancelled"]


def test_a_cancelled_job_whose_worker_is_gone_is_not_taken_up_again(connection: Connection) -> None:
    begin(connection)
    job = take(connection)
    jobs.cancel(connection, "p", job.id, "key:k")
    assert jobs.claim(connection, LATER, LEASE) is None
    assert states(connection) == ["cancelled"]


def test_what_is_over_cannot_be_cancelled(connection: Connection) -> None:
    begin(connection)
    job = take(connection)
    jobs.finish(connection, job, "done", result={"release": "r1"})
    with pytest.raises(JobOverError):
        jobs.cancel(connection, "p", job.id, "key:k")


def test_another_portal_neither_sees_nor_cancels_a_job(connection: Connection) -> None:
    job = begin(connection)
    for act in (lambda: jobs.one(connection, "q", job.id), lambda: jobs.cancel(connection, "q", job.id, "key:x")):
        with pytest.raises(NoJobError):
            act()
    assert jobs.newest(connection, "q", "training") == []
    assert states(connection) == ["queued"]


def test_workers_that_claim_at_once_never_get_the_same_job_or_portal(database: Database) -> None:
    with database.begin() as connection:
        for portal in "abcd":
            begin(connection, portal)
            begin(connection, portal)

    def claim(_: int) -> Job | None:
        with database.begin() as connection:
            return jobs.claim(connection, NOW, LEASE)

    with ThreadPoolExecutor(8) as workers:
        taken = [job for job in workers.map(claim, range(16)) if job]
    assert sorted(job.portal for job in taken) == list("abcd")


def test_what_is_begun_alone_is_begun_once_however_many_ask(database: Database) -> None:
    def ask(number: int) -> Job | None:
        with database.begin() as connection:
            return jobs.enqueue_alone(connection, "pq"[number % 2], "training", {}, "user:sari")

    with ThreadPoolExecutor(8) as people:
        begun = [job for job in people.map(ask, range(16)) if job]
    assert sorted(job.portal for job in begun) == ["p", "q"]
    with database.begin() as connection:
        waiting = jobs.unfinished(connection, "p", "training")
        assert waiting is not None
        jobs.cancel(connection, "p", waiting.id, "user:sari")
        assert jobs.unfinished(connection, "p", "training") is None
        assert jobs.enqueue_alone(connection, "p", "training", {}, "user:sari")


def test_the_log_tells_each_turn_that_a_job_took(connection: Connection) -> None:
    begin(connection)
    jobs.give_back(connection, take(connection), counts=False)
    jobs.give_back(connection, take(connection), counts=True)
    job = take(connection)
    jobs.note(connection, job, [Line(NOW, "Melatih."), Line(NOW, "Menguji.")])
    jobs.finish(connection, job, "failed", error="Kumpulan data kosong.")
    assert log(connection, job) == [
        "Diminta; menunggu pekerja.",
        "Mulai.",
        "Pekerja berhenti; akan dimulai lagi.",
        "Mulai.",
        "Prosesnya mati; akan dicoba lagi.",
        "Mulai lagi, percobaan ke-2 dari 3.",
        "Melatih.",
        "Menguji.",
        "Kumpulan data kosong.",
    ]
    assert job_log.lines(connection, "q", job.id) == []


def test_the_log_tells_who_could_not_go_on_and_what_was_asked_to_end(connection: Connection) -> None:
    job = begin(connection)
    lost = take(connection)
    jobs.cancel(connection, "p", job.id, "key:k")
    jobs.cancel(connection, "p", job.id, "key:k")
    jobs.claim(connection, LATER, LEASE)
    jobs.note(connection, lost, [Line(LATER, "Melatih.")])
    waiting = begin(connection)
    jobs.cancel(connection, "p", waiting.id, "key:k")
    assert log(connection, job)[2:] == ["Pembatalan diminta.", "Dibatalkan."]
    assert log(connection, waiting)[1:] == ["Dibatalkan."]
