"""Does in the background what must not keep a request waiting: trainings, messages to portals, forgetting."""

import logging
import multiprocessing
import signal
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from threading import Event, Thread
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from router_model.errors import AduanError
from router_model.registry import PROMOTE, history
from service import job_process, training_jobs
from service.database import jobs, promotions
from service.database.database import Database
from service.database.jobs import Job
from service.retention import sweep
from service.settings import Settings
from service.webhooks import deliver_due

LEASE = timedelta(seconds=30)
PAUSE = 1.0
SWEEP_EVERY = timedelta(days=1)
_PROCESSES = multiprocessing.get_context("forkserver")
_log = logging.getLogger(__name__)


def work(database: Database, settings: Settings, stop: Event, lease: timedelta = LEASE) -> None:
    """Takes up jobs until `stop` is set; the one that runs then is left to the next worker. Any number of workers
    may share a database."""
    errands = Thread(target=_run_errands, args=(database, settings, stop), name="errands")
    errands.start()
    while not stop.is_set():
        try:
            with database.begin() as connection:
                job = jobs.claim(connection, datetime.now(UTC), lease)
            if job is None:
                stop.wait(PAUSE)
            else:
                _see_through(database, settings, job, stop, lease)
        except (SQLAlchemyError, AduanError, OSError) as error:
            # A job that was taken up is free again when its lease runs out.
            _log.error("job interrupted", extra={"error": type(error).__name__})
            stop.wait(PAUSE)
    errands.join()


def _run_errands(database: Database, settings: Settings, stop: Event) -> None:
    swept = datetime.min.replace(tzinfo=UTC)
    while not stop.is_set():
        now = datetime.now(UTC)
        try:
            if changes := promotions.lately(history(settings.registry), now):
                with database.begin() as connection:
                    promotions.catch_up(connection, changes)
            deliver_due(database, settings.webhook_private)
            if now - swept > SWEEP_EVERY:
                swept = now
                for portal, rows in sweep(database, settings, now).items():
                    _log.info("old complaints erased", extra={"portal": portal, "rows": rows})
        except Exception:
            # Whatever an errand meets, the next ones are run.
            _log.exception("errand failed")
        stop.wait(PAUSE)


def _see_through(database: Database, settings: Settings, job: Job, stop: Event, lease: timedelta) -> None:
    """Runs a job in a process of its own and renews its lease until it ends, is cancelled or the worker stops."""
    told = {"job": job.id, "kind": job.kind, "portal": job.portal, "attempt": job.attempts}
    _log.info("job started", extra=told)
    hears, says = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=job_process.run, args=(job, settings, says), name=job.id)
    process.start()
    says.close()
    said: dict[str, Any] = {"progress": {}}
    wanted = True
    while process.exitcode is None and wanted and not stop.is_set():
        process.join(PAUSE)
        said |= _heard(hears)
        wanted = _go_on(database, job, lease, said["progress"])
    process.kill()
    process.join()
    said |= _heard(hears)
    hears.close()
    counts = not stop.is_set() and process.exitcode != -signal.SIGTERM
    with database.begin() as connection:
        promoted = None if "error" in said else training_jobs.promoted(settings, job)
        result = promoted or said.get("result")
        if result:
            if jobs.finish(connection, job, jobs.DONE, result=result) and promoted:
                promotions.record(
                    connection,
                    portal=job.portal,
                    release=result["release"],
                    action=PROMOTE,
                    who=job.created_by,
                    detail={"job": job.id},
                )
        elif "error" in said:
            jobs.finish(connection, job, jobs.FAILED, error=said["error"])
        elif not wanted:
            jobs.finish(connection, job, jobs.CANCELLED)
        else:
            jobs.give_back(connection, job, counts=counts)
    _log.info("job ended", extra={**told, "release": (result or {}).get("release"), "error": said.get("error", "")})


def _heard(hears: Pipe) -> dict[str, Any]:
    """What a process said since, the newest of each kind."""
    said: dict[str, Any] = {}
    try:
        while hears.poll():
            said |= hears.recv()
    except (EOFError, OSError):
        pass
    return said


def _go_on(database: Database, job: Job, lease: timedelta, progress: Mapping[str, Any]) -> bool:
    try:
        with database.begin() as connection:
            return jobs.heartbeat(connection, job, datetime.now(UTC), lease, progress)
    except SQLAlchemyError as error:
        # The process can go on without the database; if the lease runs out meanwhile, the next beat says so.
        _log.error("heartbeat failed", extra={"job": job.id, "error": type(error).__name__})
        return True
