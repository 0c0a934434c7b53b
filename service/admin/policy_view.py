"""What wishes for precision would do, as the policy page shows it: worked out once a release, then looked up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from router_model.portal import load_portal
from router_model.release import read_manifest
from training.thresholds import Effect
from training.wishes import STEPS, Record, Wish, record_of

PAIRS = tuple(Wish(auto, prefill) for auto in STEPS for prefill in STEPS if prefill <= auto)
LEFT, RIGHT, TOP, BOTTOM = 46.0, 350.0, 10.0, 150.0
"""Where the curve is drawn, in a view box 360 wide and 180 high."""
TICKS = (0.80, 0.85, 0.90, 0.95, 0.995)


@dataclass(frozen=True)
class Foresight:
    """Of one release: the effect of every pair of `STEPS`, and why no complaint is sure enough for a step ("" where
    some are). Thresholds are chosen on `earlier` complaints, effects counted on `rows` later ones."""

    effects: Mapping[Wish, Effect]
    lacking: Sequence[str]
    earlier: int
    rows: int

    @property
    def data(self) -> dict[str, Any]:
        """For the script: `effects[a][p]` is auto, right of them, prefill, right of them, by the places of both
        wishes in `steps`, which are percentages."""
        return {
            "steps": [round(100 * step, 1) for step in STEPS],
            "rows": self.rows,
            "lacking": list(self.lacking),
            "effects": [[_counts(self.effects[Wish(auto, p)]) for p in STEPS if p <= auto] for auto in STEPS],
        }

    @property
    def reached(self) -> list[tuple[float, float, float | None]]:
        """For each step, the share of complaints that reach its threshold, and how often those were right."""
        found = [(step, self.effects[Wish(step, step)]) for step in STEPS]
        return [
            (step, item.auto / max(item.rows, 1), item.auto_right / item.auto if item.auto else None)
            for step, item in found
        ]

    @property
    def curve(self) -> str:
        """The points of the line, as SVG wants them."""
        return " ".join(f"{x_of(step):.1f},{y_of(share):.1f}" for step, share, _ in self.reached)


def _counts(effect: Effect) -> list[int]:
    return [effect.auto, effect.auto_right, effect.prefill, effect.prefill_right]


def x_of(step: float) -> float:
    """Where a wish stands on the curve; what is beyond its ends stands at them."""
    part = (step - STEPS[0]) / (STEPS[-1] - STEPS[0])
    return LEFT + min(max(part, 0.0), 1.0) * (RIGHT - LEFT)


def y_of(share: float) -> float:
    return BOTTOM - share * (BOTTOM - TOP)


@lru_cache(8)
def foresight(folder: Path) -> Foresight:
    """Of the release in a folder, which never changes.

    Raises:
        AduanError, OSError, ValueError: the release is broken or holds no forward answers.
    """
    record = _record(folder)
    return Foresight(record.foreseen(PAIRS), record.lacking(STEPS), len(record.earlier), len(record.later))


@dataclass(frozen=True, slots=True)
class Looked:
    """A wish, its effect, and for a route that it leaves empty: the route, the precision, and why, as half a
    sentence."""

    wish: Wish
    effect: Effect
    lacking: Sequence[tuple[str, float, str]]


def looked(folder: Path, wish: Wish) -> Looked:
    """At any wish; one that nobody can choose at the desk may be in force all the same. Raises as `foresight`."""
    known, shares = foresight(folder), (wish.auto, wish.prefill)
    if wish in known.effects:
        effect, why = known.effects[wish], [known.lacking[STEPS.index(share)] for share in shares]
    else:
        record = _record(folder)
        effect, why = record.foreseen([wish])[wish], record.lacking(shares)
    told = zip(("otomatis", "dipilihkan"), shares, why, strict=True)
    return Looked(wish, effect, [item for item in told if item[2]])


def _record(folder: Path) -> Record:
    return record_of(folder, read_manifest(folder), load_portal(folder / "portal"))
