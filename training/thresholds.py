"""Chooses a policy from forward answers; a change of wishes needs no training."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest

from router_model.policy import NEVER, Policy, Threshold
from training.answered import Answered

FEWEST_FOR_THRESHOLD = 30
FEWEST_FOR_OWN = 150
"""An agency that was first on so many forward answers has a threshold of its own. At 0.97 it takes 99 rows without
one fault to be sure of anything (0.97^99 < 0.05)."""
CANDIDATES_HOLD = 0.95
RISK = 0.05
"""One-sided: in one of twenty choices the true precision is lower than asked."""


def smallest_sure(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The smallest threshold above which rows are right at least as often as asked, with a one-sided 95 %
    Clopper-Pearson bound (1934); `NEVER` if there is none."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(right[order])
    taken = np.arange(1, len(hits) + 1)
    # A threshold takes every row that stands at it: only the last of equal probabilities can be one.
    last = np.append(p[order][1:] != p[order][:-1], True) if len(p) else np.empty(0, bool)
    bound = beta.ppf(RISK, hits, taken - hits + 1)
    enough = np.flatnonzero((bound >= precision) & (taken >= FEWEST_FOR_THRESHOLD) & last)
    return float(p[order[enough[-1]]]) if len(enough) else NEVER


def agency_threshold(rows: Sequence[Answered], precision: float) -> Threshold:
    """One threshold shared by all agencies, chosen on all rows together, and own ones for agencies that are
    suggested often: a lower one where it is proven, a higher one where the shared one is proven too low."""
    rows = [row for row in rows if row.judged("agency")]
    shared = _sure(rows, "agency", precision)
    suggested = Counter(row.given["unit"][0] for row in rows)
    own = {}
    for unit in sorted(unit for unit, count in suggested.items() if count >= FEWEST_FOR_OWN):
        given = [row for row in rows if row.given["unit"][0] == unit]
        proven = _sure(given, "agency", precision)
        taken = [row.right("agency") for row in given if row.given["agency"][1] >= shared]
        if proven < shared or (len(taken) >= FEWEST_FOR_THRESHOLD and _at_most(taken) < precision):
            own[unit] = proven
    return Threshold(shared, own)


def _at_most(right: Sequence[bool]) -> float:
    """Upper one-sided 95 % Clopper-Pearson bound of how often these are right."""
    hits = sum(right)
    return float(beta.ppf(1 - RISK, hits + 1, len(right) - hits)) if hits < len(right) else 1.0


def _sure(rows: Sequence[Answered], answer: str, precision: float) -> float:
    p = np.array([row.given[answer][1] for row in rows])
    return smallest_sure(p, np.array([row.right(answer) for row in rows], dtype=bool), precision)


def candidate_threshold(rows: Sequence[Answered], share: float = CANDIDATES_HOLD) -> float:
    """Split conformal prediction (Vovk et al. 2005): of the probabilities given to the right agency, the one that
    `share` of them reach, with the finite-sample correction."""
    right = np.sort([row.agency_p for row in rows if row.judged("agency")])
    rank = int(np.floor((1 - share) * (len(right) + 1)))
    return float(right[rank - 1]) if rank >= 1 else 0.0


def choose_policy(rows: Sequence[Answered], wishes: Mapping[str, Any], place_precision: float) -> Policy:
    """Thresholds for the wanted precisions, named as in `portal.toml`, table `policy`."""
    defaults = Policy()
    auto = float(wishes.get("precision_auto", defaults.precision_auto))
    prefill = float(wishes.get("precision_prefill", defaults.precision_prefill))
    return Policy(
        auto=agency_threshold(rows, auto),
        prefill=agency_threshold(rows, prefill),
        category=_sure([row for row in rows if row.judged("category")], "category", prefill),
        candidate=candidate_threshold(rows),
        emergency=float(wishes.get("emergency_threshold", defaults.emergency)),
        place_precision=place_precision,
        precision_auto=auto,
        precision_prefill=prefill,
    )


@dataclass(frozen=True, slots=True)
class Effect:
    """What thresholds would have done on `rows` held-back complaints: how many were above each, how many right."""

    rows: int
    auto: int
    auto_right: int
    prefill: int
    prefill_right: int

    def routes(self) -> dict[str, dict[str, float]]:
        """Share and precision, as an evaluation states them."""
        taken = {"auto": (self.auto, self.auto_right), "prefill": (self.prefill, self.prefill_right)}
        return {
            route: {"share": count / max(self.rows, 1)} | ({"precision": right / count} if count else {})
            for route, (count, right) in taken.items()
        }

    def page(self) -> dict[str, dict[str, Any]]:
        """The same for the pages, which also say how many; what is above neither threshold is reviewed."""
        routes: dict[str, dict[str, Any]] = dict(self.routes())
        for route, count, right in (
            ("auto", self.auto, self.auto_right),
            ("prefill", self.prefill, self.prefill_right),
        ):
            routes[route] |= {"n": count, "labelled": count}
            if count:
                exact = binomtest(right, count).proportion_ci(0.95, method="exact")
                routes[route]["interval"] = [float(exact.low), float(exact.high)]
        rest = self.rows - self.auto - self.prefill
        return routes | {"review": {"share": rest / max(self.rows, 1), "n": rest, "labelled": 0}}


def effect(policy: Policy, rows: Sequence[Answered], external: frozenset[str] = frozenset()) -> Effect:
    """Counts held-back complaints that are neither raised as danger, nor without their place, nor for an `external`
    agency (codes); unknown words are not looked at. The thresholds may have been chosen on these rows too, which
    flatters them a little.
    """
    held_back = [row for row in rows if row.held_back and row.judged("agency")]
    auto: list[bool] = []
    prefill: list[bool] = []
    for row in held_back:
        (code, p), unit = row.given["agency"], row.given["unit"][0]
        elsewhere = row.danger >= policy.emergency or code.startswith("@") or code in external
        if elsewhere or p < policy.prefill.of(unit):
            continue
        (auto if p >= policy.auto.of(unit) else prefill).append(row.right("agency"))
    return Effect(len(held_back), len(auto), sum(auto), len(prefill), sum(prefill))
