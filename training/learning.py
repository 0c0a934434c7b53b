"""One round of learning: labelled data in, a release out, in force if the gate agrees."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from router_model.portal import load_portal
from router_model.registry import champion, champions, promote
from router_model.release import Release, router_of
from training.answered import read_answered
from training.dataset import Example, LabelMapping
from training.gate import FIRST, Champion, Verdict, judge
from training.history import Progress
from training.publishing import FORWARD_FILE, publish
from training.trainer import Trained, train


@dataclass(frozen=True)
class Learned:
    """What a round brought: the release, the gate's word on it, and whether it is in force now."""

    release: str
    verdict: Verdict
    in_force: bool
    trained: Trained


def learn(
    rows: Sequence[Example],
    portal_folder: Path,
    registry: Path,
    *,
    mappings: Sequence[LabelMapping] = (),
    by: str = "",
    now: datetime | None = None,
    request: str = "",
    progress: Progress = lambda *_: None,
) -> Learned:
    """Trains on rows in the order of time, judges against the champion, publishes, and promotes where the gate
    agrees. `mappings` are shown in the report, `request` is that of `promote`.

    Raises:
        DatasetError: the rows cannot be learned from.
        ReleaseError: the champion cannot be trusted, or the registry cannot be written.
    """
    portal = load_portal(portal_folder)
    in_force = champions(registry).get(portal.code)
    defender = champion_of(champion(registry, portal.code)) if in_force else None
    trained = train(rows, portal, progress)
    progress("membandingkan dengan rilis yang berlaku", 0, 1)
    verdict = FIRST
    if defender:
        held_back = [item for item in trained.answered if item.held_back]
        verdict = judge(trained.router, held_back, trained.held_back, defender)
    progress("membandingkan dengan rilis yang berlaku", 1, 1)
    release = publish(trained, rows, portal_folder, registry, now, verdict=verdict, mappings=mappings)
    agreed = verdict.agrees and release != in_force
    if agreed:
        promote(registry, release, by=by, verdict=verdict.as_dict(), request=request)
    return Learned(release, verdict, agreed or release == in_force, trained)


def champion_of(release: Release) -> Champion:
    """What the gate needs of a release."""
    return Champion(
        id=release.id,
        router=router_of(release),
        record={item.key: item for item in read_answered(release.folder / FORWARD_FILE)},
        seen=frozenset(np.load(release.folder / "seen.npy", allow_pickle=False).tolist()),
    )
