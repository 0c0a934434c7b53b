"""Does in the background what must not keep a request waiting: jobs, messages to portals, answers in the shadow,
recognising what was stored before, forgetting."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from threading import Event, Thread, get_native_id
from time import sleep
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from router_model.registry import PROMOTE, champions, history
from service import job_process, training_jobs
from service.database import jobs, promotions, shadow
from service.database.database import Database
from service.database.job_log import Line
from service.database.jobs import POLICY, TRAINING, Job
from service.recognising import recognise_earlier
from service.retention import sweep
from service.settings import Settings
from service.shadowing import Shadows
from service.training_schedule import begin_due
from service.webhooks import deliver_due

LEASE = timedelta(seconds=30)
PAUSE = 1.0
LANES: tuple[Collection[str], ...] = ((TRAINING,), job_process.KINDS.keys() - {TRAINING})
"""Kinds of jobs that wait for each other. What an admin watches does not wait for a training."""
RECOGNISING = timedelta(days=1)
"""How long after it found nothing missing the worker looks again for complaints without what they are recognised by."""
PROMOTING = (TRAINING, POLICY)
"""Kinds of jobs at whose end a release may be in force."""
_PROCESSES = multiprocessing.get_context("forkserver")
_log = logging.getLogger(__name__)


def work(database: Database, settings: Settings, stop: Event, lease: timedelta = LEASE) -> None:
    """Takes up jobs until `stop` is set; those that run then are left to the next worker. Any number of workers
    may share a database."""
    lanes = [Thread(target=_run_jobs, args=(database, settings, stop, lease, kinds)) for kinds in LANES]
    others = [
        Thread(target=run, args=(database, settings, stop)) for run in (_run_errands, _answer_in_shadow, _recognise)
    ]
    for thread in (*lanes, *others):
        thread.start()
    # A signal that comes just before an endless wait begins would never be heard.
    while not stop.is_set():
        sleep(PAUSE)
    for thread in (*lanes, *others):
        thread.join()


def _run_jobs(database: Database, settings: Settings, stop: Event, lease: timedelta, kinds: Collection[str]) -> None:
    while not stop.is_set():
        try:
            with database.begin() as connection:
                job = jobs.claim(connection, datetime.now(UTC), lease, kinds)
            if job is None:
                stop.wait(PAUSE)
            else:
                _see_through(database, settings, job, stop, lease)
        except Exception:
            # A job that was taken up is free again when its lease runs out.
            _log.exception("job interrupted")
            stop.wait(PAUSE)


def _tell_of_promotions(database: Database, settings: Settings, now: datetime) -> None:
    if changes := promotions.lately(history(settings.registry), now):
        with database.begin() as connection:
            promotions.catch_up(connection, changes)


def _deliver(database: Database, settings: Settings, _: datetime) -> None:
    deliver_due(database, settings.webhook_private)


def _end_shadows_in_force(database: Database, settings: Settings, _: datetime) -> None:
    in_force = champions(settings.registry)
    with database.connect() as connection:
        ended = [portal for portal, release in shadow.wanted(connection).items() if release == in_force.get(portal)]
    for portal in ended:
        with database.begin() as connection:
            shadow.end(connection, portal, in_force[portal], "worker")


def _sweep(database: Database, settings: Settings, now: datetime) -> None:
    for portal, rows in sweep(database, settings, now).items():
        _log.info("old complaints erased", extra={"portal": portal, "rows": rows})


ERRANDS: Mapping[Callable[[Database, Settings, datetime], None], timedelta] = {
    _tell_of_promotions: timedelta(),
    _deliver: timedelta(),
    _end_shadows_in_force: timedelta(seconds=10),
    begin_due: timedelta(minutes=1),
    _sweep: timedelta(days=1),
}
"""And how long each is left alone."""


def _run_errands(database: Database, settings: Settings, stop: Event) -> None:
    due = dict.fromkeys(ERRANDS, datetime.min.replace(tzinfo=UTC))
    while not stop.is_set():
        for errand, pause in ERRANDS.items():
            now = datetime.now(UTC)
            if now < due[errand]:
                continue
            due[errand] = now + pause
            try:
                errand(database, settings, now)
            except Exception:
                # Whatever an errand meets, the next ones are run.
                _log.exception("errand failed")
        stop.wait(PAUSE)


def _answer_in_shadow(database: Database, settings: Settings, stop: Event) -> None:
    """A thread of its own: neither messages nor trainings wait for a model to load."""
    # Requests come first where the same machine answers them.
    os.setpriority(os.PRIO_PROCESS, get_native_id(), 10)
    shadows = Shadows(settings.registry)
    while not stop.is_set():
        more = False
        try:
            shadows.refresh(database)
            more = shadows.answer(database)
        except Exception:
            _log.exception("shadow failed")
        stop.wait(0 if more else PAUSE)


def _recognise(database: Database, settings: Settings, stop: Event) -> None:
    """A thread of its own, and out of everybody's way: nobody waits for what it does."""
    os.setpriority(os.PRIO_PROCESS, get_native_id(), 10)
    while not stop.is_set():
        try:
            for count in recognise_earlier(database, settings.registry, datetime.now(UTC)):
                _log.info("earlier complaints recognised", extra={"rows": count})
                if stop.wait(PAUSE):
                    return
        except Exception:
            _log.exception("recognising failed")
        stop.wait(RECOGNISING.total_seconds())


def _see_through(database: Database, settings: Settings, job: Job, stop: Event, lease: timedelta) -> None:
    """Runs a job in a process of its own and renews its lease until it ends, is cancelled or the worker stops."""
    told = {"job": job.id, "kind": job.kind, "portal": job.portal, "attempt": job.attempts}
    _log.info("job started", extra=told)
    hears, says = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=job_process.run, args=(job, settings, says), name=job.id)
    process.start()
    says.close()
    said: dict[str, Any] = {"progress": {}}
    lines: list[Line] = []
    wanted = True
    while process.exitcode is None and wanted and not stop.is_set():
        process.join(PAUSE)
        lines += _hear(hears, said)
        wanted = _go_on(database, job, lease, said["progress"], lines)
    process.kill()
    process.join()
    lines += _hear(hears, said)
    hears.close()
    counts = not stop.is_set() and process.exitcode != -signal.SIGTERM
    with database.begin() as connection:
        jobs.note(connection, job, lines)
        promoted = None if "error" in said or job.kind not in PROMOTING else training_jobs.promoted(settings, job)
        result = promoted or said.get("result")
        if result:
            if jobs.finish(connection, job, jobs.DONE, result=result) and promoted:
                _tell_of_promotion(connection, job, promoted["release"])
        elif "error" in said:
            jobs.finish(connection, job, jobs.FAILED, error=said["error"])
        elif not wanted:
            jobs.finish(connection, job, jobs.CANCELLED)
        else:
            jobs.give_back(connection, job, counts=counts)
    _log.info("job ended", extra={**told, "release": (result or {}).get("release"), "error": said.get("error", "")})


def _tell_of_promotion(connection: Connection, job: Job, release: str) -> None:
    promotions.record(
        connection, portal=job.portal, release=release, action=PROMOTE, who=job.created_by, detail={"job": job.id}
    )


def _hear(hears: Pipe, said: dict[str, Any]) -> list[Line]:
    """Keeps what a process said since, the newest of each kind; returns a line for each stage that it came to."""
    lines = []
    try:
        while hears.poll():
            before = said["progress"].get("stage")
            said |= hears.recv()
            stage = said["progress"].get("stage")
            if stage and stage != before:
                lines.append(Line(said["at"], f"{stage[0].upper()}{stage[1:]}."))
    except (EOFError, OSError):
        pass
    return lines


def _go_on(database: Database, job: Job, lease: timedelta, progress: Mapping[str, Any], lines: list[Line]) -> bool:
    """Keeps `lines` and forgets those that are kept."""
    try:
        with database.begin() as connection:
            jobs.note(connection, job, lines)
            wanted = jobs.heartbeat(connection, job, datetime.now(UTC), lease, progress)
        lines.clear()
        return wanted
    except SQLAlchemyError as error:
        # The process can go on without the database; if the lease runs out meanwhile, the next beat says so.
        _log.error("heartbeat failed", extra={"job": job.id, "error": type(error).__name__})
        return True
