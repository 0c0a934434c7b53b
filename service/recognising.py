"""Works out by what kept complaints are recognised that were stored without it: a repeat of one is found then too."""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import orjson

from router_model.errors import AduanError
from router_model.place import PlaceFinder
from router_model.point import point_of
from router_model.portal import Portal
from router_model.registry import champion, champions
from router_model.resemblance import Reported, signature_of
from router_model.resemblance_limits import MOST_DAYS, OURS
from service.database import unrecognised
from service.database.database import Database
from service.database.unrecognised import Recognised, Unrecognised
from service.suggesting import kept_complaint

TOGETHER = 100
"""Complaints in a transaction: others who write wait some hundredths of a second."""
_log = logging.getLogger(__name__)


def recognise_earlier(database: Database, registry: Path, now: datetime) -> Iterator[int]:
    """Goes over all that something may still resemble, the newest first, and tells of each transaction how many it
    was. Whoever stops it loses nothing: the next run goes on with what is missing then."""
    with database.connect() as connection:
        portals = unrecognised.portals(connection, now - timedelta(days=MOST_DAYS))
    for code in portals:
        try:
            portal = champion(registry, code).portal if code in champions(registry) else None
        except AduanError as error:
            _log.error("earlier complaints not recognised", extra={"portal": code, "fault": type(error).__name__})
            continue
        yield from _of_portal(database, code, portal, now)


def _of_portal(database: Database, code: str, portal: Portal | None, now: datetime) -> Iterator[int]:
    kept = timedelta(days=(portal.resemblance if portal else OURS).longest)
    places = PlaceFinder(portal) if portal else None
    before: Unrecognised | None = None
    while True:
        with database.connect() as connection:
            batch = unrecognised.newest(connection, code, now - kept, before, TOGETHER)
        if not batch:
            return
        found = list(_recognised(batch, places, portal.timezone if portal else "UTC", kept))
        with database.begin() as connection:
            count = unrecognised.recognise(connection, code, found)
        before = batch[-1]
        yield count


def _recognised(
    batch: Sequence[Unrecognised], places: PlaceFinder | None, zone: str, kept: timedelta
) -> Iterator[Recognised]:
    for item in batch:
        try:
            complaint, said = kept_complaint(item.complaint, item.created_at, zone), orjson.loads(item.complaint)
            signature = signature_of(complaint, places.find(complaint) if places else None)
        except (KeyError, TypeError, ValueError) as error:
            # The text may stand in the message of any exception, so only its kind is told.
            _log.error("complaint not recognised", extra={"error": type(error).__name__})
            continue
        if signature:
            point = point_of(said.get("lat"), said.get("lon"))
            reported = Reported(signature, item.at, item.category, "", point)
            yield Recognised(item.id, reported, item.created_at + kept)
