"""One round of learning: labelled data in, a release out, in force if the gate agrees."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from router_model.policy import Policy
from router_model.portal import Portal, load_portal
from router_model.registry import champion, champions, promote
from router_model.release import Release, router_of
from training.answered import FORWARD_FILE, read_answered
from training.comparison import Pair
from training.dataset import Example, LabelMapping
from training.gate import FIRST, Champion, Verdict, common, judge
from training.history import Progress
from training.publishing import effect_routes, publish
from training.thresholds import choose_policy, precisions
from training.trainer import Trained, train
from training.wishes import Record, Wish


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
    agrees. `mappings` are shown in the report, `request` is that of `promote`. Wishes for precision that were made
    since the portal folder last changed them go on.

    Raises:
        DatasetError: the rows cannot be learned from.
        ReleaseError: the champion cannot be trusted, or the registry cannot be written.
    """
    portal = load_portal(portal_folder)
    in_force = champions(registry).get(portal.code)
    reigning = champion(registry, portal.code) if in_force else None
    defender = champion_of(reigning) if reigning else None
    trained = train(rows, portal, progress)
    if reigning:
        trained = with_wishes(trained, later_wishes(portal, reigning.manifest))
    progress("membandingkan dengan rilis yang berlaku", 0, 1)
    verdict, pairs = FIRST, list[Pair]()
    if defender:
        held_back = [item for item in trained.answered if item.held_back]
        pairs = common(held_back, trained.held_back, defender, portal)
        verdict = judge(trained.router, pairs, defender)
    progress("membandingkan dengan rilis yang berlaku", 1, 1)
    theirs = [pair.old for pair in pairs]
    release = publish(trained, rows, portal_folder, registry, now, verdict=verdict, champion=theirs, mappings=mappings)
    # What came into force meanwhile has not been met.
    agreed = verdict.agrees and release != in_force == champions(registry).get(portal.code)
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


def later_wishes(portal: Portal, manifest: Mapping[str, Any]) -> Wish | None:
    """The wishes of the release in force where they were made after its training and the portal folder has not
    changed its own since; `None` if the folder's count."""
    asked, then = Wish(*precisions(portal.settings.get("policy", {}))), manifest.get("asked")
    now = Wish.of(Policy.from_values(manifest["policy"]))
    return now if then == asdict(asked) and now != asked else None


def with_wishes(trained: Trained, wish: Wish | None) -> Trained:
    """The same model with thresholds for another wish; the figures of routes are those of `training.wishes`."""
    if wish is None:
        return trained
    router = trained.router
    policy = choose_policy(trained.answered, wish.named(router.policy.emergency), router.policy.place_precision)
    policy = replace(policy, rules=router.policy.rules)
    external = frozenset(agency.code for agency in router.portal.agencies if agency.external)
    found = Record(trained.answered, policy.emergency, external).foreseen([wish])[wish]
    routes = trained.scores["routes"] | effect_routes(found)
    return replace(trained, router=replace(router, policy=policy), scores={**trained.scores, "routes": routes})
