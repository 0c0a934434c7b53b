"""Asks releases in the shadow, beside the service and never in its way: from the complaints as they were kept."""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from router_model.errors import AduanError, ReleaseError
from router_model.policy import Route
from router_model.registry import champions, release_folder
from service.answering import suggestion_body
from service.database import shadow
from service.database.database import Database
from service.database.shadow import ShadowAnswer, Unanswered
from service.deadline_counting import kept_report_type
from service.serving import RETRY_SECONDS, NoReleaseError, ReleaseRefusedError, Serving, proved
from service.suggesting import kept_complaint

TOGETHER = 100
LATE = timedelta(minutes=2)
"""A suggestion may become visible so long after its own moment."""
_log = logging.getLogger(__name__)


async def begin(database: Database, registry: Path, portal: str, release: str, by: str) -> None:
    """Puts a release in the shadow, verified and asked once.

    Raises:
        NoReleaseError: the portal has none of this id.
        ReleaseRefusedError: it cannot be trusted, or is in force already.
    """
    await asyncio.to_thread(_check, registry, portal, release)
    await database.write(lambda connection: shadow.begin(connection, portal, release, by))


def _check(registry: Path, portal: str, release: str) -> None:
    if champions(registry).get(portal) == release:
        raise ReleaseRefusedError(f"Rilis {release} sudah berlaku, jadi tidak perlu menjadi bayangan.")
    try:
        if not release_folder(registry, release).is_dir():
            raise NoReleaseError
        proved(registry, release, portal)
    except ReleaseError as error:
        raise ReleaseRefusedError(str(error).replace(str(registry), "registri")) from None


class Shadows:
    """For each portal that wants one, the release that answers in the shadow; memory-mapped like those in force."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._servings: Mapping[str, Serving] = {}
        self._refused: dict[str, float] = {}
        self._looked_until: dict[str, datetime] = {}

    @property
    def servings(self) -> Mapping[str, Serving]:
        return self._servings

    def refresh(self, database: Database) -> None:
        """Takes up what came into the shadow, and lets go of what left it or is in force now. One that cannot be
        trusted is told of, and looked at again later."""
        with database.connect() as connection:
            wanted = shadow.wanted(connection)
        in_force = champions(self._registry) if wanted else {}
        servings: dict[str, Serving] = {}
        for portal, release in wanted.items():
            before = self._servings.get(portal)
            if release == in_force.get(portal):
                continue
            if before and before.release.id == release:
                servings[portal] = before
            elif found := self._load(portal, release):
                servings[portal] = found
        self._servings = servings
        self._looked_until = {
            serving.release.id: self._looked_until[serving.release.id]
            for serving in servings.values()
            if serving.release.id in self._looked_until
        }

    def _load(self, portal: str, release: str) -> Serving | None:
        now = time.monotonic()
        if now < self._refused.get(release, now):
            return None
        told = {"portal": portal, "release": release}
        try:
            serving = proved(self._registry, release, portal)
        except Exception as error:
            # Whatever a broken release raises, the others are asked.
            self._refused[release] = now + RETRY_SECONDS
            fault = str(error) if isinstance(error, AduanError) else type(error).__name__
            _log.error("shadow refused", extra={**told, "fault": fault})
            return None
        self._refused.pop(release, None)
        _log.info("release in the shadow", extra=told)
        return serving

    def answer(self, database: Database) -> bool:
        """Asks each about some of what it has not answered; whether more may be waiting."""
        more = [self._answer(database, portal, serving) for portal, serving in self._servings.items()]
        return any(more)

    def _answer(self, database: Database, portal: str, serving: Serving) -> bool:
        release, now = serving.release.id, datetime.now(UTC)
        with database.connect() as connection:
            since = self._looked_until.get(release) or shadow.begun(connection, portal, release) or now
            waiting = shadow.unanswered(connection, portal, release, since, TOGETHER)
        if waiting:
            answers = [_answered(serving, item) for item in waiting]
            with database.begin() as connection:
                shadow.add(connection, portal, release, answers, datetime.now(UTC))
        more = len(waiting) == TOGETHER
        self._looked_until[release] = max(since, (waiting[-1].created_at if more else now) - LATE)
        return more


def _answered(serving: Serving, waiting: Unanswered) -> ShadowAnswer:
    """As a portal would have got it; where the model fails, that is a review without an agency."""
    try:
        complaint = kept_complaint(waiting.complaint, waiting.created_at, serving.release.portal.timezone)
        # What was kept is clean already.
        prediction = serving.router.scorer.predict(complaint)
        suggestion = serving.router.advise(prediction, report_type=kept_report_type(waiting.complaint))
        body = suggestion_body(suggestion, serving.release.portal)
    except Exception as error:
        # The text may stand in the message of any exception, so only its kind is told.
        _log.error("shadow failed", extra={"release": serving.release.id, "error": type(error).__name__})
        return ShadowAnswer(waiting.id, None, None, None, None, Route.REVIEW.value)
    top = body.agencies[0]
    return ShadowAnswer(
        suggestion_id=waiting.id,
        agency=top.code,
        agency_p=top.p,
        category=body.category[0].code if body.category else None,
        urgency=body.urgency.level if body.urgency else None,
        route=body.route,
    )
