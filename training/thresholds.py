"""Chooses a policy from forward answers; a change of wishes needs no training.

The pages for admins do the same, so nothing here is imported that only training needs.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router_model.errors import PortalError
from router_model.policy import NEVER, Policy, Threshold
from training.answered import Answered

FEWEST_FOR_THRESHOLD = 30
FEWEST_FOR_OWN = 150
"""An agency that was first on so many forward answers has a threshold of its own. At 0.97 it takes 99 rows without
one fault to be sure of anything (0.97^99 < 0.05)."""
CANDIDATES_HOLD = 0.95
RISK = 0.05
"""One-sided: in one of twenty choices the true precision is lower than asked."""


def unlikely(rate: float, trials: int) -> NDArray[np.int64]:
    """For 0, 1, ... `trials` trials the most hits of which so few, where each trial hits at `rate` (0 to 1, both
    excluded), happen with probability `RISK` or less; -1 where none do.

    As many faults at rate 1 - precision prove the precision by the one-sided 95 % Clopper-Pearson bound (1934), as
    many right answers at rate precision refute it.
    """
    return _unlikely(rate, 1 << trials.bit_length())[: trials + 1]


@lru_cache(256)
def _unlikely(rate: float, trials: int) -> NDArray[np.int64]:
    """Counted up trial by trial: P(X <= k) of n + 1 trials is that of n less `rate` times P(X = k)."""
    most = np.full(trials + 1, -1)
    few, at_most, here, one_more = -1, 0.0, 0.0, 1.0
    for n in range(1, trials + 1):
        at_most -= rate * here
        here, one_more = here * n * (1 - rate) / (n - few), one_more * (1 - rate) + rate * here
        while at_most + one_more <= RISK:
            few, at_most, here = few + 1, at_most + one_more, one_more
            one_more = here * (n - few) / (few + 1) * rate / (1 - rate)
        most[n] = few
    return most


def smallest_sure(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The smallest threshold above which rows are right at least as often as asked, with a one-sided 95 % bound;
    `NEVER` if there is none."""
    order = np.argsort(-p, kind="stable")
    wrong = np.cumsum(~right[order])
    taken = np.arange(1, len(wrong) + 1)
    # A threshold takes every row that stands at it: only the last of equal probabilities can be one.
    last = np.append(p[order][1:] != p[order][:-1], True) if len(p) else np.empty(0, bool)
    proven = wrong <= unlikely(1 - precision, len(p))[1:]
    enough = np.flatnonzero(proven & (taken >= FEWEST_FOR_THRESHOLD) & last)
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
        if proven < shared or (len(taken) >= FEWEST_FOR_THRESHOLD and _refuted(taken, precision)):
            own[unit] = proven
    return Threshold(shared, own)


def _refuted(right: Sequence[bool], precision: float) -> bool:
    """Whether answers right as often as `precision` would hardly ever be right as seldom as these."""
    return sum(right) <= int(unlikely(precision, len(right))[-1])


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
    """Thresholds for the wanted precisions, named as in `portal.toml`, table `policy`.

    Raises:
        PortalError: a wish that is no share.
    """
    auto, prefill = precisions(wishes)
    return Policy(
        auto=agency_threshold(rows, auto),
        prefill=agency_threshold(rows, prefill),
        category=_sure([row for row in rows if row.judged("category")], "category", prefill),
        candidate=candidate_threshold(rows),
        emergency=_share(wishes, "emergency_threshold", Policy().emergency),
        place_precision=place_precision,
        precision_auto=auto,
        precision_prefill=prefill,
    )


def precisions(wishes: Mapping[str, Any]) -> tuple[float, float]:
    """The wanted precision of `auto` and of `prefill`; raises `PortalError` as `choose_policy`."""
    usual = Policy()
    return (
        _share(wishes, "precision_auto", usual.precision_auto),
        _share(wishes, "precision_prefill", usual.precision_prefill),
    )


def _share(wishes: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = wishes.get(name, otherwise)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise PortalError(f"portal.toml, tabel policy: {name} = {value!r} harus angka di antara 0 dan 1.")
    return float(value)


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


def effect(policy: Policy, rows: Sequence[Answered], external: frozenset[str] = frozenset()) -> Effect:
    """Counts held-back complaints that are neither raised as danger, nor without their place, nor for an `external`
    agency (codes); unknown words are not looked at. Thresholds that were chosen on these rows too look a little
    better than they are: see `training.wishes`.
    """
    held_back = [row for row in rows if row.held_back and row.judged("agency")]
    asked = [row for row in held_back if stays(row, policy.emergency, external)]
    prefill = [row for row in asked if reaches(row, policy.prefill)]
    auto = [row.right("agency") for row in prefill if reaches(row, policy.auto)]
    right = sum(row.right("agency") for row in prefill)
    return Effect(len(held_back), len(auto), sum(auto), len(prefill) - len(auto), right - sum(auto))


def stays(row: Answered, emergency: float, external: frozenset[str]) -> bool:
    """Whether nothing but the agency's threshold decides the route."""
    code = row.given["agency"][0]
    return row.danger < emergency and not code.startswith("@") and code not in external


def reaches(row: Answered, threshold: Threshold) -> bool:
    return row.given["agency"][1] >= threshold.of(row.given["unit"][0])
