"""Two releases side by side on the same complaints, which neither had learned: answer by answer, class by class.

What the release in force said stands in the folder of the one that met it, beside that one's own forward answers;
neither holds a word of a complaint. Nothing is imported here that only training needs, for pages show it too.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb, sqrt
from pathlib import Path
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from training.answered import FORWARD_FILE, Answered, read_answered

CHAMPION_FILE = "champion.parquet"
ANSWERS = ("agency", "category", "urgency", "report_type")
RESAMPLES = 1_000
SEED = 20_260_101
DOUBT = 0.05
_Z = NormalDist().inv_cdf(1 - DOUBT / 2)


@dataclass(frozen=True, slots=True)
class Pair:
    """One complaint: what the challenger said of it, and what the champion did. The labels are the challenger's."""

    new: Answered
    old: Answered

    def judged(self, answer: str) -> bool:
        """Whether it has a label that both have an opinion on."""
        return self.new.judged(answer) and answer in self.old.given

    def wanted(self, answer: str) -> str:
        return self.new.wanted[answer]

    def right(self, answer: str) -> tuple[bool, bool]:
        """Whether the challenger was right, and whether the champion was."""
        wanted = self.wanted(answer)
        return self.new.given[answer][0] == wanted, self.old.given[answer][0] == wanted


@dataclass(frozen=True, slots=True)
class Difference:
    """How often each was right on `n` complaints; `interval` is the middle 95 % of the challenger's lead over
    resampled complaints (paired bootstrap, Efron 1979)."""

    n: int
    champion: float
    challenger: float
    interval: tuple[float, float]

    @property
    def lead(self) -> float:
        return self.challenger - self.champion

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        low, high = self.interval
        return low > 0 or high < 0


@dataclass(frozen=True, slots=True)
class ClassChange:
    """The `n` complaints that one class was right for: how many each named so, and how many only one of them did."""

    code: str
    n: int
    champion: int
    challenger: int
    gained: int
    lost: int

    @property
    def clear(self) -> bool:
        """Whether gains and losses are too unlike for chance, by McNemar's exact test (1947)."""
        return sign_test(self.gained, self.lost) < DOUBT


def read_pairs(folder: Path) -> list[Pair] | None:
    """The complaints that a release and the one in force were compared on; `None` where they were not kept."""
    if not (folder / CHAMPION_FILE).is_file():
        return None
    old = {item.key: item for item in read_answered(folder / CHAMPION_FILE)}
    new = (item for item in read_answered(folder / FORWARD_FILE) if item.held_back)
    return [Pair(item, old[item.key]) for item in new if item.key in old]


def difference(pairs: Sequence[Pair], answer: str) -> Difference | None:
    """`None` where no complaint has a label that both have an opinion on."""
    right = np.array([pair.right(answer) for pair in pairs if pair.judged(answer)], dtype=float)
    if not len(right):
        return None
    new, old = right[:, 0], right[:, 1]
    low, high = np.percentile(_resampled(new - old), [2.5, 97.5])
    return Difference(len(right), float(old.mean()), float(new.mean()), (float(low), float(high)))


def _resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    draws = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[draws].mean(axis=1))


def class_changes(pairs: Sequence[Pair], answer: str) -> list[ClassChange]:
    """Every class that was right for a complaint; what changed most first, then what is most frequent."""
    found: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for pair in pairs:
        if pair.judged(answer):
            found[pair.wanted(answer)].append(pair.right(answer))
    changes = [
        ClassChange(
            code,
            n=len(rows),
            champion=sum(old for _, old in rows),
            challenger=sum(new for new, _ in rows),
            gained=sum(new and not old for new, old in rows),
            lost=sum(old and not new for new, old in rows),
        )
        for code, rows in found.items()
    ]
    return sorted(
        changes, key=lambda item: (-abs(item.gained - item.lost), -item.gained - item.lost, -item.n, item.code)
    )


def changed(pairs: Sequence[Pair], answer: str) -> tuple[list[Pair], list[Pair]]:
    """Complaints that only the challenger is right of, and those that only the champion was; surest first."""
    judged = [pair for pair in pairs if pair.judged(answer)]
    better = [pair for pair in judged if pair.right(answer) == (True, False)]
    worse = [pair for pair in judged if pair.right(answer) == (False, True)]
    surest = [sorted(rows, key=lambda pair: -pair.new.given[answer][1]) for rows in (better, worse)]
    return surest[0], surest[1]


def sign_test(gained: int, lost: int) -> float:
    """How likely it is that gains and losses of one and the same chance lie at least so far apart."""
    n = gained + lost
    tail = sum(comb(n, few) for few in range(min(gained, lost) + 1))
    return min(1.0, 2 * tail / (1 << n))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of `n`, at least 1 (Wilson 1927)."""
    middle, spread = hits + _Z**2 / 2, _Z * sqrt(hits * (n - hits) / n + _Z**2 / 4)
    return (middle - spread) / (n + _Z**2), (middle + spread) / (n + _Z**2)
