"""Work that outlives a request. A worker holds a job by a lease that it renews; a lease that ran out frees the job.

Every change names the attempt it belongs to, so that a worker whose lease ran out cannot change what another one
took up. Each is a line in the log of the job.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, literal, or_, select, text, update

from router_model.errors import AduanError
from service.database import audit, job_log
from service.database.job_log import Line
from service.database.schema import Moment, jobs

JobState = Literal["queued", "running", "done", "failed", "cancelled"]
QUEUED, RUNNING, DONE, FAILED, CANCELLED = get_args(JobState)
MOST_ATTEMPTS = 3
GAVE_UP = f"Berhenti {MOST_ATTEMPTS} kali sebelum selesai. Periksa memori dan catatan pekerja, lalu mulai lagi."
TRAINING = "training"
CHECK = "check"
POLICY = "policy"
_LOCK = 51_71_2027
_ENDED = {DONE: "Selesai.", FAILED: "Gagal.", CANCELLED: "Dibatalkan."}


class NoJobError(AduanError):
    """No such job of this portal."""

    def __init__(self) -> None:
        super().__init__("Pekerjaan ini tidak ada pada portal Anda.")


class JobOverError(AduanError):
    """A job that is over cannot be cancelled any more."""

    def __init__(self, kind: str) -> None:
        name = "Pelatihan" if kind == TRAINING else "Pekerjaan"
        super().__init__(f"{name} ini sudah berakhir, tidak dapat dibatalkan lagi.")


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
    job_log.add(connection, portal, row["id"], Line(row["created_at"], "Diminta; menunggu pekerja."))
    audit.record(connection, portal=portal, who=by, action=f"{kind}.start", subject=row["id"])
    return Job(**row)


def enqueue_alone(connection: Connection, portal: str, kind: str, request: Mapping[str, Any], by: str) -> Job | None:
    """Unless one of this kind waits or runs already, however many ask at once."""
    take_turns(connection)
    return None if unfinished(connection, portal, kind) else enqueue(connection, portal, kind, request, by)


def take_turns(connection: Connection) -> None:
    """Until the transaction ends. SQLite has one writer anyway; in PostgreSQL, two at once would not see what the
    other one begins."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def unfinished(connection: Connection, portal: str, kind: str) -> Job | None:
    """The oldest that waits or runs; no other of its kind runs before it has ended."""
    query = (
        select(jobs)
        .where(jobs.c.portal == portal, jobs.c.kind == kind, jobs.c.state.in_((QUEUED, RUNNING)))
        .order_by(jobs.c.created_at, jobs.c.id)
        .limit(1)
    )
    row = connection.execute(query).mappings().first()
    return Job(**row) if row else None


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


def claim(connection: Connection, now: datetime, lease: timedelta, kinds: Collection[str] | None = None) -> Job | None:
    """Takes the job that waited longest, of these kinds or of any; of each portal and kind only one runs at a time.

    What nobody holds any more is taken up again, or is over: cancelled if that was asked, failed after
    `MOST_ATTEMPTS`.
    """
    take_turns(connection)
    lost = and_(jobs.c.state == RUNNING, jobs.c.leased_until < now)
    _end(connection, and_(lost, jobs.c.cancel), CANCELLED, now)
    _end(connection, and_(lost, jobs.c.attempts >= MOST_ATTEMPTS), FAILED, now, GAVE_UP)
    other = jobs.alias()
    busy = exists().where(
        other.c.portal == jobs.c.portal,
        other.c.kind == jobs.c.kind,
        other.c.state == RUNNING,
        other.c.leased_until >= now,
    )
    free = and_(or_(jobs.c.state == QUEUED, lost), ~busy)
    if kinds is not None:
        free = and_(free, jobs.c.kind.in_(kinds))
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
    if row is None:
        return None
    job = Job(**row)
    message = "Mulai." if job.attempts == 1 else f"Mulai lagi, percobaan ke-{job.attempts} dari {MOST_ATTEMPTS}."
    job_log.add(connection, job.portal, job.id, Line(now, message))
    return job


def _end(connection: Connection, which: ColumnElement[bool], state: str, now: datetime, error: str = "") -> None:
    ended = connection.execute(
        update(jobs)
        .where(which)
        .values(state=state, error=error, finished_at=now, leased_until=None)
        .returning(jobs.c.portal, jobs.c.kind, jobs.c.id)
    ).all()
    for portal, kind, job_id in ended:
        job_log.add(connection, portal, job_id, Line(now, error or _ENDED[state]))
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


def note(connection: Connection, job: Job, lines: Sequence[Line]) -> None:
    """What whoever runs it has to say; nothing is kept of a worker that no longer holds it."""
    if lines and connection.execute(select(jobs.c.id).where(_held(job)).with_for_update()).first():
        job_log.add(connection, job.portal, job.id, *lines)


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
        job_log.add(connection, job.portal, job.id, Line(now, error or _ENDED[state]))
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
    given_back = connection.execute(
        update(jobs)
        .where(_held(job))
        .values(state=QUEUED, leased_until=None, progress={}, attempts=job.attempts if counts else job.attempts - 1)
    ).rowcount
    if given_back:
        message = "Prosesnya mati; akan dicoba lagi." if counts else "Pekerja berhenti; akan dimulai lagi."
        job_log.add(connection, job.portal, job.id, Line(now, message))


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
        raise JobOverError(job.kind)
    if changed:
        message = _ENDED[CANCELLED] if job.state == CANCELLED else "Pembatalan diminta."
        job_log.add(connection, portal, job_id, Line(now, message))
        audit.record(connection, portal=portal, who=by, action=f"{job.kind}.cancel", subject=job_id)
    return job
