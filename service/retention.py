"""How long complaints are kept: what is older is erased, a few at a time."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from service.database import drafts, erasure, repeats, resemblances
from service.database.database import Database
from service.database.erasure import Erased
from service.settings import Settings

REPEATED_WITHIN = timedelta(days=7)
"""How long an `Idempotency-Key` is remembered; `external_id` is for as long as the complaint is kept."""
DRAFTS_KEPT = timedelta(days=7)
PAUSE = 0.1
"""Seconds between two transactions, in which those who wait on SQLite's lock get their turn."""


def erase_older(database: Database, portal: str, before: datetime, by: str) -> Iterator[Erased]:
    """Erases all that a portal has from before this moment, and tells of each transaction. Whoever calls has the
    database scrubbed afterwards."""
    while True:
        with database.begin() as connection:
            erased = erasure.erase_older(connection, portal, before, by)
        if not erased:
            return
        yield erased
        time.sleep(PAUSE)


def forget_repeats(database: Database, before: datetime) -> None:
    forgotten = 1
    while forgotten:
        with database.begin() as connection:
            forgotten = repeats.forget(connection, before)
        time.sleep(PAUSE if forgotten else 0)


def forget_resemblances(database: Database, now: datetime) -> None:
    """What nothing can resemble any more."""
    forgotten = 1
    while forgotten:
        with database.begin() as connection:
            forgotten = resemblances.forget_old(connection, now)
        time.sleep(PAUSE if forgotten else 0)


def sweep(database: Database, settings: Settings, now: datetime) -> dict[str, int]:
    """Erases what every portal has kept for longer than it wants, answers that no caller repeats any more, what
    nothing resembles any more, and drafts that nobody added. Returns the complaints erased, by portal."""
    forget_repeats(database, now - REPEATED_WITHIN)
    forget_resemblances(database, now)
    with database.begin() as connection:
        drafts.forget(connection, now - DRAFTS_KEPT)
    with database.connect() as connection:
        days = erasure.days_kept(connection, settings.keep_days)
    erased = {
        portal: sum(
            (batch for batch in erase_older(database, portal, now - timedelta(days=count), "retention")), Erased()
        )
        for portal, count in days.items()
        if count
    }
    if any(erased.values()):
        erasure.scrub(database.engine)
    return {portal: rows["suggestions"] for portal, rows in erased.items() if rows}
