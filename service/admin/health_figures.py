"""How the portal fares, worked out of what the database counted. Pure: reads neither database nor clock."""

import math
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import NormalDist
from typing import TypeVar
from zoneinfo import ZoneInfo

from service.database.health import Asked, Decided, Emergency, Wait

Key = TypeVar("Key")
_Z = NormalDist().inv_cdf(0.975)
FEWEST = 20
"""Complaints below which an agency's share is not compared with those of others."""
CLEAR = 3.0
"""A share changed if it did by so many standard errors."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What was counted over the weeks between the edges, oldest first."""

    edges: tuple[datetime, ...]
    asked: tuple[Asked, ...]
    decided: tuple[Decided, ...]
    waits: tuple[Wait, ...]
    emergencies: tuple[Emergency, ...]

    @property
    def weeks(self) -> int:
        return len(self.edges) - 1


@dataclass(frozen=True, slots=True)
class Share:
    """`right` of `n`. `low` and `high` bound the share behind them with 95 % confidence.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
    Statistical Association 22 (1927).
    """

    right: int = 0
    n: int = 0

    @property
    def value(self) -> float | None:
        return self.right / self.n if self.n else None

    @property
    def low(self) -> float | None:
        return self._bound(-1)

    @property
    def high(self) -> float | None:
        return self._bound(1)

    def _bound(self, side: int) -> float | None:
        if not self.n:
            return None
        p, squared = self.right / self.n, _Z * _Z
        half = _Z * math.sqrt(p * (1 - p) / self.n + squared / (4 * self.n * self.n))
        return min(max((p + squared / (2 * self.n) + side * half) / (1 + squared / self.n), 0.0), 1.0)


@dataclass(frozen=True, slots=True)
class Tally:
    """`n` complaints that were disposed of: `right` went to the first agency, `listed` to one of the first three,
    `recategorised` to the first agency with another category; `expected` of them should have been right."""

    n: int = 0
    right: int = 0
    listed: int = 0
    recategorised: int = 0
    expected: float = 0.0

    @property
    def first(self) -> Share:
        return Share(self.right, self.n)

    @property
    def three(self) -> Share:
        return Share(self.listed, self.n)

    @property
    def corrected(self) -> Share:
        return Share(self.n - self.right, self.n)

    @property
    def mean_expected(self) -> float | None:
        return self.expected / self.n if self.n else None


@dataclass(frozen=True, slots=True)
class Shift:
    """An agency's share of the answers before and lately; `z` is the change in standard errors."""

    agency: str
    before: Share
    lately: Share
    z: float

    @property
    def clear(self) -> bool:
        return abs(self.z) >= CLEAR


@dataclass(frozen=True, slots=True)
class Pair:
    suggested: str
    chosen: str
    n: int


def week_edges(now: datetime, zone: str, weeks: int) -> tuple[datetime, ...]:
    """Beginnings of so many weeks, Mondays in the zone, the running one last; and its end. In UTC."""
    today = now.astimezone(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = today - timedelta(days=today.weekday())
    return tuple((monday + timedelta(weeks=step)).astimezone(UTC) for step in range(1 - weeks, 2))


def tallied(decided: Iterable[Decided], by: Callable[[Decided], Key]) -> dict[Key, Tally]:
    sums: dict[Key, tuple[int, int, int, int]] = {}
    expected: defaultdict[Key, float] = defaultdict(float)
    for group in decided:
        key = by(group)
        n, right, listed, recategorised = sums.get(key, (0, 0, 0, 0))
        same = group.n if group.agency == group.chosen else 0
        sums[key] = n + group.n, right + same, listed + group.listed, recategorised + group.recategorised
        expected[key] += group.expected
    return {key: Tally(*counts, expected[key]) for key, counts in sums.items()}


def total(decided: Iterable[Decided]) -> Tally:
    return tallied(decided, lambda group: None).get(None, Tally())


def weekly(decided: Iterable[Decided], weeks: int) -> list[Tally]:
    """One for each week, empty where nothing was disposed of."""
    found = tallied(decided, lambda group: group.week)
    return [found.get(week, Tally()) for week in range(weeks)]


def counted(asked: Iterable[Asked], by: Callable[[Asked], Key]) -> Counter[Key]:
    found: Counter[Key] = Counter()
    for group in asked:
        found[by(group)] += group.n
    return found


def known_words(asked: Iterable[Asked], weeks: int) -> list[tuple[float | None, int]]:
    """The mean share of known words of each week, and of how many complaints."""
    sums, reads = [0.0] * weeks, [0] * weeks
    for group in asked:
        sums[group.week] += group.known
        reads[group.week] += group.read
    return [(known / read if read else None, read) for known, read in zip(sums, reads, strict=True)]


def late_weeks(weeks: int) -> int:
    """How many of the last weeks are compared with those before."""
    return max(1, weeks // 4)


def shifts(asked: Iterable[Asked], weeks: int) -> list[Shift]:
    """Agencies by how clearly their share of the answers changed in the last quarter of the weeks; two-sample z-test of
    shares. Those that came up fewer than `FEWEST` times are left out."""
    start = weeks - late_weeks(weeks)
    counts = counted(asked, lambda group: (group.agency, group.week >= start))
    before_all, lately_all = (sum(n for (_, late), n in counts.items() if late is side) for side in (False, True))
    if not before_all or not lately_all:
        return []
    found = []
    for agency in {agency for agency, _ in counts if agency}:
        before, lately = Share(counts[agency, False], before_all), Share(counts[agency, True], lately_all)
        both = (before.right + lately.right) / (before_all + lately_all)
        error = math.sqrt(both * (1 - both) * (1 / before_all + 1 / lately_all))
        if before.right + lately.right >= FEWEST and error:
            change = lately.right / lately_all - before.right / before_all
            found.append(Shift(agency, before, lately, change / error))
    return sorted(found, key=lambda shift: (-abs(shift.z), shift.agency))


def pairs(decided: Iterable[Decided]) -> list[Pair]:
    """What was suggested and what was chosen instead, most frequent first."""
    found: Counter[tuple[str, str]] = Counter()
    for group in decided:
        if group.agency != group.chosen:
            found[group.agency, group.chosen] += group.n
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [Pair(suggested, chosen, n) for (suggested, chosen), n in ordered]


def seconds_to(since: datetime, then: datetime | None) -> float | None:
    return max(0.0, (then - since).total_seconds()) if then else None


def seen_after(emergency: Emergency) -> float | None:
    """Seconds until somebody had it on the screen; who decided it elsewhere has seen it too."""
    moments = [moment for moment in (emergency.seen_at, emergency.decided_at) if moment]
    return seconds_to(emergency.created_at, min(moments, default=None))


def decided_after(emergency: Emergency) -> float | None:
    return seconds_to(emergency.created_at, emergency.decided_at)


def week_of(edges: Sequence[datetime], moment: datetime) -> int:
    """The week a moment lies in; -1 before the first."""
    return bisect_right(edges, moment) - 1
