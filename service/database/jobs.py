"""Work that outlives a request. A worker holds a job by a lease that it renews; a lease that ran out frees the job.

Every change names the attempt it belongs to, so that a worker whose lease ran out cannot change what another one
took up.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, or_, select, text, update

from router_model.errors import AduanError
from service.database import audit
from service.database.schema import Moment, jobs

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
QUEUED, RUNNING, DONE, FAILED, CANCELLED = get_args(JobState)
MOST_ATTEMPTS = 3
GAVE_UP = f"Berhenti {MOST_ATTEMPTS} kali sebelum selesai. Periksa memori dan catatan pekerja, lalu mulai lagi."
TRAINING = "training"
"""The one kind of job there is."""
_CLAIM_LOCK = 51_71_2027


class NoJobError(AduanError):
    """No such job of this portal."""

    def __init__(self) -> None:
        super().__init__("Pekerjaan ini tidak ada pada portal Anda.")


class JobOverError(AduanError):
    """A job that is over cannot be cancelled any more."""


@dataclass(frozen=True, slots=True)
class Job:
    """See the table. `attempts` counts how often it was taken up."""

    id: str
    portal: str
    kind: str
    state: JobState
    request: Mapping[str, Any]
    progress: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str
    attempts: int
    cancel: bool
    created_at: datetime
    created_by: str
    started_at: datetime | None
    finished_at: datetime | None
    leased_until: datetime | None


def enqueue(connection: Connection, portal: str, kind: str, request: Mapping[str, Any], by: str) -> Job:
    row: dict[str, Any] = {
        "id": f"job_{secrets.token_urlsafe(12)}",
        "portal": portal,
        "kind": kind,
        "state": QUEUED,
        "request": dict(request),
        "progress": {},
        "result": None,
        "error": "",
        "attempts": 0,
        "cancel": False,
        "created_at": datetime.now(UTC),
        "created_by": by,
        "started_at": None,
        "finished_at": None,
        "leased_until": None,
    }
    connection.execute(insert(jobs).values(row))
    audit.record(connection, portal=portal, who=by, action=f"{kind}.start", subject=row["id"])
    return Job(**row)


def one(connection: Connection, portal: str, job_id: str) -> Job:
    """Raises `NoJobError`."""
    row = connection.execute(select(jobs).where(jobs.c.portal == portal, jobs.c.id == job_id)).mappings().first()
    if row is None:
        raise NoJobError
    return Job(**row)


def newest(connection: Connection, portal: str, kind: str, most: int = 100) -> list[Job]:
    query = select(jobs).where(jobs.c.portal == portal, jobs.c.kind == kind)
    query = query.order_by(jobs.c.created_at.desc(), jobs.c.id).limit(most)
    return [Job(**row) for row in connection.execute(query).mappings()]


def claim(connection: Connection, now: datetime, lease: timedelta) -> Job | None:
    """Takes the job that waited longest; of each portal only one runs at a time.

    What nobody holds any more is taken up again, or is over: cancelled if that was asked, failed after
    `MOST_ATTEMPTS`.
    """
    if connection.dialect.name == "postgresql":
        # Two claims at once would not see each other's job of the same portal. SQLite has one writer anyway.
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _CLAIM_LOCK})
    lost = and_(jobs.c.state == RUNNING, jobs.c.leased_until < now)
    _end(connection, and_(lost, jobs.c.cancel), CANCELLED, now)
    _end(connection, and_(lost, jobs.c.attempts >= MOST_ATTEMPTS), FAILED, now, GAVE_UP)
    other = jobs.alias()
    busy = exists().where(other.c.portal == jobs.c.portal, other.c.state == RUNNING, other.c.leased_until >= now)
    free = and_(or_(jobs.c.state == QUEUED, lost), ~busy)
    first = select(jobs.c.id).where(free).order_by(jobs.c.created_at, jobs.c.id).limit(1).scalar_subquery()
    taken = (
        update(jobs)
        .where(jobs.c.id == first, or_(jobs.c.state == QUEUED, lost))
        .values(
            state=RUNNING,
            attempts=jobs.c.attempts + 1,
            started_at=func.coalesce(jobs.c.started_at, literal(now, Moment())),
            leased_until=now + lease,
            progress={},
        )
        .returning(*jobs.c)
    )
    row = connection.execute(taken).mappings().first()
    return Job(**row) if row else None


def _end(connection: Connection, which: ColumnElement[bool], state: str, now: datetime, error: str = "") -> None:
    ended = connection.execute(
        update(jobs)
        .where(which)
        .values(state=state, error=error, finished_at=now, leased_until=None)
        .returning(jobs.c.portal, jobs.c.kind, jobs.c.id)
    ).all()
    for portal, kind, job_id in ended:
        audit.record(
            connection, portal=portal, who="worker", action=f"{kind}.finish", subject=job_id, detail={"state": state}
        )


def _held(job: Job) -> ColumnElement[bool]:
    return and_(jobs.c.id == job.id, jobs.c.state == RUNNING, jobs.c.attempts == job.attempts)


def heartbeat(connection: Connection, job: Job, now: datetime, lease: timedelta, progress: Mapping[str, Any]) -> bool:
    """Renews the lease and says how far it is; whether to go on. `False`: it was cancelled, or is no longer held."""
    kept = connection.execute(
        update(jobs)
        .where(_held(job))
        .values(leased_until=now + lease, progress=dict(progress))
        .returning(jobs.c.cancel)
    ).first()
    return kept is not None and not kept.cancel


def finish(
    connection: Connection, job: Job, state: str, *, result: Mapping[str, Any] | None = None, error: str = ""
) -> bool:
    """Ends a job as "done", "failed" or "cancelled"; `False` if it is no longer held and nothing changed."""
    now = datetime.now(UTC)
    ended = connection.execute(
        update(jobs)
        .where(_held(job))
        .values(state=state, result=result, error=error, finished_at=now, leased_until=None)
    ).rowcount
    if ended:
        detail = {"state": state}
        release = (result or {}).get("release")
        audit.record(
            connection,
            portal=job.portal,
            who="worker",
            action=f"{job.kind}.finish",
            subject=job.id,
            release=release,
            detail=detail,
        )
    return bool(ended)


def give_back(connection: Connection, job: Job, *, counts: bool) -> None:
    """Lets go of a job for the next worker. An attempt `counts` if the job itself was the cause."""
    now = datetime.now(UTC)
    _end(connection, and_(_held(job), jobs.c.cancel), CANCELLED, now)
    if counts:
        _end(connection, and_(_held(job), jobs.c.attempts >= MOST_ATTEMPTS), FAILED, now, GAVE_UP)
    connection.execute(
        update(jobs)
        .where(_held(job))
        .values(state=QUEUED, leased_until=None, progress={}, attempts=job.attempts if counts else job.attempts - 1)
    )


def cancel(connection: Connection, portal: str, job_id: str, by: str) -> Job:
    """Ends a waiting job, and asks the worker to end a running one.

    Raises:
        NoJobError: no such job of this portal.
        JobOverError: it is done or failed.
    """
    mine = and_(jobs.c.portal == portal, jobs.c.id == job_id)
    now = datetime.now(UTC)
    changed = connection.execute(
        update(jobs).where(mine, jobs.c.state == QUEUED).values(state=CANCELLED, cancel=True, finished_at=now)
    ).rowcount
    changed += connection.execute(
        update(jobs).where(mine, jobs.c.state == RUNNING, jobs.c.cancel.is_(False)).values(cancel=True)
    ).rowcount
    job = one(connection, portal, job_id)
    if job.state in (DONE, FAILED):
        raise JobOverError("Pelatihan ini sudah berakhir, tidak dapat dibatalkan lagi.")
    if changed:
        audit.record(connection, portal=portal, who=by, action=f"{job.kind}.cancel", subject=job_id)
    return job
