"""The releases in force, ready to answer, and how a new one takes the place of the old while requests come in."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from router_model.complaint import Complaint
from router_model.errors import AduanError
from router_model.registry import HISTORY, champion, champions, history, lineage, release_folder
from router_model.release import Release, open_release, router_of
from router_model.suggestion import Router

RETRY_SECONDS = 30.0
"""How long a refused release is left before it is looked at again; somebody may have put its files right."""
_Stamp: TypeAlias = tuple[int, int, int]


class NoReleaseError(AduanError):
    """No such release of this portal."""

    def __init__(self) -> None:
        super().__init__("Rilis ini tidak ada pada portal Anda; lihat GET /v1/releases.")


class ReleaseRefusedError(AduanError):
    """A release that is not put in force; what was in force stays."""


@dataclass(frozen=True)
class Serving:
    release: Release
    router: Router

    def prove(self) -> None:
        """One real prediction; raises if the model cannot answer."""
        self.router.suggest(Complaint(text="lampu jalan mati"))


@dataclass(frozen=True, slots=True)
class Refused:
    """A release that is in force but cannot be served, and why; what served before goes on."""

    release: str
    fault: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a look at the registry changed: a release that now answers, or one that was refused."""

    portal: str
    release: str
    fault: str = ""


def serving_release(registry: Path, release_id: str = "") -> Serving:
    """Verifies and loads a release, the one in force if none is named."""
    release = open_release(release_folder(registry, release_id)) if release_id else champion(registry)
    return Serving(release, router_of(release))


def proved(registry: Path, release_id: str, portal: str) -> Serving:
    """Verified, loaded and asked once.

    Raises:
        NoReleaseError: a release of another portal.
        ReleaseError: one that cannot be trusted.
    """
    serving = serving_release(registry, release_id)
    if serving.release.portal.code != portal:
        raise NoReleaseError
    serving.prove()
    return serving


class InForce:
    """For each portal of a registry, the release that answers.

    Reading takes no lock: a request keeps what it got, and the next one gets what is in force then.
    """

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._servings: Mapping[str, Serving] = {}
        self._refused: Mapping[str, Refused] = {}
        self._seen: _Stamp | None = None
        self._looked_at = 0.0

    @property
    def servings(self) -> Mapping[str, Serving]:
        return self._servings

    @property
    def refused(self) -> Mapping[str, Refused]:
        return self._refused

    def of(self, portal: str) -> Serving | None:
        return self._servings.get(portal)

    def first(self, portal: str = "") -> Serving | None:
        """What the public page shows: the portal asked for, or the first by code."""
        return self._servings.get(portal or min(self._servings, default=""))

    def refresh(self) -> list[Change]:
        """Looks at the registry and takes up what changed; costs one `stat` if nothing did.

        Where the release in force cannot be trusted, the one that served goes on; after a start, the nearest
        one before it that can be.

        Raises:
            ReleaseError: the history itself cannot be read; what served goes on.
        """
        stamp, now = self._stamp(), time.monotonic()
        if stamp == self._seen and not (self._refused and now - self._looked_at > RETRY_SECONDS):
            return []
        self._looked_at = now
        events = history(self._registry)
        servings, changes = dict(self._servings), list[Change]()
        refused: dict[str, Refused] = {}
        for portal, release_id in champions(self._registry).items():
            serving = servings.get(portal)
            if serving and serving.release.id == release_id:
                continue
            candidates = [release_id] if serving else reversed(lineage(events, portal))
            for candidate in candidates:
                try:
                    servings[portal] = proved(self._registry, candidate, portal)
                except Exception as error:
                    # Whatever a broken release raises, those that serve must go on.
                    fault = str(error) if isinstance(error, AduanError) else type(error).__name__
                    refused.setdefault(portal, Refused(release_id, fault))
                    changes.append(Change(portal, candidate, fault))
                else:
                    changes.append(Change(portal, candidate))
                    break
        self._servings, self._refused, self._seen = servings, refused, stamp
        return changes

    def _stamp(self) -> _Stamp | None:
        try:
            found = (self._registry / HISTORY).stat()
        except OSError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns
