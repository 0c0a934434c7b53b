"""When a training begins by itself: some days after the last one, or once enough was decided; never without anything
new."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import Connection

from router_model.errors import AduanError
from router_model.registry import champions, release_folder
from router_model.release import read_manifest
from service.database import jobs, portal_settings, unlearned
from service.database.database import Database
from service.database.jobs import CANCELLED, DONE, FAILED, TRAINING, Job
from service.database.unlearned import Unlearned
from service.portal_folders import portal_folder
from service.settings import Settings

BY = "jadwal"
LOOKED_AT = 20
FIRST_PAUSE, LONGEST_PAUSE = timedelta(hours=1), timedelta(days=1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outlook:
    """`new` is what the last training that was done did not see, `counted` what came since it, or since a later one
    was cancelled. `reason` says why one should begin now, "" if none should. `next_at` is when one begins if
    anything is new by then; `None` while one waits or runs, and where days begin none."""

    new: Unlearned
    counted: Unlearned
    reason: str
    next_at: datetime | None


def begin_due(database: Database, settings: Settings, now: datetime) -> None:
    """Begins the trainings that are due; several workers may do this at once."""
    with database.connect() as connection:
        due = [
            portal
            for portal in unlearned.portals(connection)
            if _described(settings, portal) and outlook(connection, settings, portal, now).reason
        ]
    for portal in due:
        with database.begin() as connection:
            jobs.take_turns(connection)
            # Another worker may have been faster.
            if reason := outlook(connection, settings, portal, now).reason:
                job = jobs.enqueue(connection, portal, TRAINING, {"datasets": [], "reason": reason}, BY)
                _log.info("training due", extra={"portal": portal, "job": job.id})


def _described(settings: Settings, portal: str) -> bool:
    try:
        portal_folder(settings, portal)
    except AduanError:
        return False
    return True


def outlook(connection: Connection, settings: Settings, portal: str, now: datetime) -> Outlook:
    wanted = portal_settings.of(connection, portal)
    trainings = jobs.newest(connection, portal, TRAINING, LOOKED_AT)
    failed = list(takewhile(lambda job: job.state == FAILED, trainings))
    done, last = (
        next((job for job in trainings if job.state in states), None) for states in ((DONE,), (DONE, CANCELLED))
    )
    published = _published(settings, portal)
    new = unlearned.since(connection, portal, _began(done) or published)
    counted = unlearned.since(connection, portal, _began(last) or published)
    if jobs.unfinished(connection, portal, TRAINING):
        return Outlook(new, counted, "", None)
    counted_from = last.created_at if last else published or counted.oldest
    every = timedelta(days=wanted.train_every_days)
    next_at = counted_from + every if counted_from and every else None
    if failed:
        # What failed fails again as long as nothing is new.
        again = (failed[0].finished_at or failed[0].created_at) + _pause(len(failed))
        next_at = max(next_at, again) if next_at else None
        if now < again or not unlearned.since(connection, portal, failed[0].created_at):
            return Outlook(new, counted, "", next_at)
    if wanted.train_after and counted.dispositions >= wanted.train_after:
        return Outlook(new, counted, f"Terjadwal: {counted.dispositions} disposisi baru.", next_at)
    if counted and next_at and now >= next_at:
        return Outlook(new, counted, f"Terjadwal: tiap {wanted.train_every_days} hari.", next_at)
    return Outlook(new, counted, "", next_at)


def _began(training: Job | None) -> datetime | None:
    """What is newer than this it cannot have learned."""
    return (training.started_at or training.created_at) if training else None


def _published(settings: Settings, portal: str) -> datetime | None:
    """When the release in force was trained, where no job did it."""
    in_force = champions(settings.registry).get(portal)
    if in_force is None:
        return None
    try:
        return datetime.fromisoformat(read_manifest(release_folder(settings.registry, in_force))["created_at"])
    except (AduanError, ValueError):
        return None


def _pause(failures: int) -> timedelta:
    """How long after so many failures in a row: longer each time."""
    return min(FIRST_PAUSE * (1 << (failures - 1)), LONGEST_PAUSE)
