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


@lru_cache(256)
def unlikely(rate: float, trials: int) -> NDArray[np.int64]:
    """For 0, 1, ... `trials` trials the most hits of which so few, where each trial hits at `rate` (0 to 1, both
    excluded), happen with probability `RISK` or less; -1 where none do.

    As many faults at rate 1 - precision prove the precision by the one-sided 95 % Clopper-Pearson bound (1934), as
    many right answers at rate precision refute it. Counted up trial by trial: P(X <= k) of n + 1 trials is that of n
    less `rate` times P(X = k).
    """
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


@dataclass(frozen=True, slots=True)
class _Ranked:
    """Answers by falling probability: how many wrong ones there are up to each, and where a threshold may stand."""

    p: NDArray[np.float64]
    wrong: NDArray[np.int64]
    ends: NDArray[np.bool_]

    @classmethod
    def of(cls, p: NDArray[np.float64], right: NDArray[np.bool_]) -> "_Ranked":
        order = np.argsort(-p, kind="stable")
        falling = p[order]
        # A threshold takes every row that stands at it: only the last of equal probabilities can be one.
        last = np.append(falling[1:] != falling[:-1], True) if len(p) else np.empty(0, bool)
        enough = np.arange(1, len(p) + 1) >= FEWEST_FOR_THRESHOLD
        return cls(falling, np.cumsum(~right[order]), last & enough)

    def sure(self, most_wrong: NDArray[np.int64]) -> float:
        """The smallest threshold that so few wrong answers prove, by the number of answers taken."""
        proven = np.flatnonzero((self.wrong <= most_wrong[1 : len(self.p) + 1]) & self.ends)
        return float(self.p[proven[-1]]) if len(proven) else NEVER

    def refute(self, threshold: float, most_right: NDArray[np.int64]) -> bool:
        """Whether so few right answers refute a threshold, by the number of answers taken."""
        taken = int((self.p >= threshold).sum())
        return taken >= FEWEST_FOR_THRESHOLD and bool(taken - self.wrong[taken - 1] <= most_right[taken])


def smallest_sure(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The smallest threshold above which rows are right at least as often as asked, with a one-sided 95 % bound;
    `NEVER` if there is none."""
    return _Ranked.of(p, right).sure(unlikely(1 - precision, len(p)))


def agency_thresholds(rows: Sequence[Answered], precisions: Sequence[float]) -> list[Threshold]:
    """For each precision one threshold shared by all agencies, chosen on all rows together, and own ones for agencies
    that are suggested often: a lower one where it is proven, a higher one where the shared one is proven too low."""
    rows = [row for row in rows if row.judged("agency")]
    p = np.array([row.given["agency"][1] for row in rows])
    right = np.array([row.right("agency") for row in rows], dtype=bool)
    unit = np.array([row.given["unit"][0] for row in rows], dtype=object)
    often = sorted(name for name, count in Counter(unit.tolist()).items() if count >= FEWEST_FOR_OWN)
    every, own = _Ranked.of(p, right), {name: _Ranked.of(p[unit == name], right[unit == name]) for name in often}
    found = []
    for precision in precisions:
        most_wrong, most_right = unlikely(1 - precision, len(rows)), unlikely(precision, len(rows))
        shared = every.sure(most_wrong)
        proven = {name: ranked.sure(most_wrong) for name, ranked in own.items()}
        differs = {name for name in often if proven[name] < shared or own[name].refute(shared, most_right)}
        found.append(Threshold(shared, {name: proven[name] for name in often if name in differs}))
    return found


def agency_threshold(rows: Sequence[Answered], precision: float) -> Threshold:
    return agency_thresholds(rows, [precision])[0]


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
    sure, fairly_sure = agency_thresholds(rows, (auto, prefill))
    return Policy(
        auto=sure,
        prefill=fairly_sure,
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
