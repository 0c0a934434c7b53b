"""What a wish for precision would do: thresholds chosen on the earlier forward answers, counted on the held-back ones,
which lie later. So no figure is flattered by rows that its own thresholds were chosen on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from router_model.policy import NEVER, Policy, Threshold
from router_model.portal import Portal
from training.answered import FORWARD_FILE, Answered, read_answered
from training.thresholds import FEWEST_FOR_THRESHOLD, RISK, Effect, agency_thresholds, reaches, stays

STEPS = tuple(round(0.8 + 0.005 * step, 3) for step in range(40))
"""Precisions that can be wished for at the desk: 80 % to 99.5 %."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How often `auto` and `prefill` should be right, 0 to 1."""

    auto: float
    prefill: float

    @classmethod
    def of(cls, policy: Policy) -> "Wish":
        return cls(policy.precision_auto, policy.precision_prefill)

    def named(self, emergency: float) -> Mapping[str, float]:
        """As in `portal.toml`, table `policy`."""
        return {
            "precision_auto": self.auto,
            "precision_prefill": self.prefill,
            "emergency_threshold": emergency,
        }


@dataclass(frozen=True)
class Record:
    """The forward answers of a release; `emergency` and `external` as for `effect`."""

    rows: Sequence[Answered]
    emergency: float
    external: frozenset[str] = frozenset()

    @cached_property
    def earlier(self) -> list[Answered]:
        """Those that thresholds are chosen on."""
        return [row for row in self.rows if not row.held_back and row.judged("agency")]

    @cached_property
    def later(self) -> list[Answered]:
        """Those that their effect is counted on."""
        return [row for row in self.rows if row.held_back and row.judged("agency")]

    def thresholds(self, precisions: Sequence[float]) -> list[Threshold]:
        return agency_thresholds(self.earlier, precisions)

    def foreseen(self, wishes: Sequence[Wish]) -> dict[Wish, Effect]:
        """The effect of each wish; many cost little more than one."""
        precisions = sorted({value for wish in wishes for value in (wish.auto, wish.prefill)})
        place = {precision: number for number, precision in enumerate(precisions)}
        asked = [row for row in self.later if stays(row, self.emergency, self.external)]
        reached = np.array(
            [[reaches(row, threshold) for row in asked] for threshold in self.thresholds(precisions)],
            dtype=np.int64,
        ).reshape(len(precisions), len(asked))
        right = np.array([row.right("agency") for row in asked], dtype=np.int64)
        both, both_right = reached @ reached.T, (reached * right) @ reached.T

        def counted(wish: Wish) -> Effect:
            auto, prefill = place[wish.auto], place[wish.prefill]
            return Effect(
                rows=len(self.later),
                auto=int(both[auto, prefill]),
                auto_right=int(both_right[auto, prefill]),
                prefill=int(both[prefill, prefill] - both[auto, prefill]),
                prefill_right=int(both_right[prefill, prefill] - both_right[auto, prefill]),
            )

        return {wish: counted(wish) for wish in wishes}

    def lacking(self, precisions: Sequence[float]) -> list[str]:
        """For each precision why no complaint at all is sure enough, as half a sentence for people; "" if some are."""
        found = zip(precisions, self.thresholds(precisions), strict=True)
        return [self._why(precision) if _never(threshold) else "" for precision, threshold in found]

    def _why(self, precision: float) -> str:
        needed, known = fewest_faultless(precision), len(self.earlier)
        if known < needed:
            return f"perlu sedikitnya {needed} laporan yang semuanya tepat sebagai bukti, padahal baru ada {known}"
        counted = f"{known:,}".replace(",", ".")
        return f"pada {counted} laporan terdahulu, yang paling yakin pun belum terbukti tepat sesering itu"


def _never(threshold: Threshold) -> bool:
    return all(value >= NEVER for value in (threshold.shared, *threshold.own.values()))


def fewest_faultless(precision: float) -> int:
    """How many rows without one fault prove a precision: the least n with precision^n of `RISK` or less."""
    return max(FEWEST_FOR_THRESHOLD, math.ceil(math.log(RISK) / math.log(precision)))


def record_of(folder: Path, manifest: Mapping[str, Any], portal: Portal) -> Record:
    """What stands in a release's folder."""
    external = frozenset(agency.code for agency in portal.agencies if agency.external)
    return Record(read_answered(folder / FORWARD_FILE), Policy.from_values(manifest["policy"]).emergency, external)
