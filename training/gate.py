"""Whether a challenger may take the champion's place: both answer the same complaints, which neither had learned."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router_model.portal import Portal
from router_model.suggestion import Router
from training.answered import Answered, answered_live
from training.dataset import Example
from training.evaluation import expected_calibration_error

FEWEST_COMPARED = 50
FEWEST_OF_AGENCY = 30
MOST_RECALL_LOST = 0.10
ROUNDING = 1e-9
MOST_LABELS_CHANGED = 0.10
WORST_CALIBRATION = 0.05
RESAMPLES = 1_000
SEED = 20_260_101
NAMES = {"agency": "instansi", "category": "kategori", "urgency": "urgensi", "report_type": "klasifikasi"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """`agrees` to promote; `reasons` say in Indonesian why not, or what spoke for it. `compared` holds the
    figures of both."""

    agrees: bool
    against: str | None
    reasons: tuple[str, ...]
    compared: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "agrees": self.agrees,
            "against": self.against,
            "reasons": list(self.reasons),
            "compared": dict(self.compared),
        }


FIRST = Verdict(True, None, ("Rilis pertama portal ini.",))


@dataclass(frozen=True)
class Champion:
    """The release in force: its answers before it had learned (`record`, by key), the keys of all it has learned
    (`seen`), and its router for complaints that are new to it."""

    id: str
    router: Router
    record: Mapping[int, Answered]
    seen: frozenset[int]

    def answers(self, keys: Sequence[int], rows: Sequence[Example]) -> list[Answered | None]:
        """For each row what it said without having learned it; `None` where it has learned it."""
        new = [row for key, row in zip(keys, rows, strict=True) if key not in self.record and key not in self.seen]
        live = {item.key: item for item in answered_live(self.router, new)}
        return [self.record.get(key) or live.get(key) for key in keys]


def judge(challenger: Router, held_back: Sequence[Answered], rows: Sequence[Example], champion: Champion) -> Verdict:
    """`held_back` are the challenger's answers to `rows` before it learned them, in the same order; only their
    calibration has seen these rows, as that of the champion's record has seen its own."""
    theirs = champion.answers([item.key for item in held_back], rows)
    pairs = [(new, old) for new, old in zip(held_back, theirs, strict=True) if old is not None]
    if len(pairs) < FEWEST_COMPARED:
        return Verdict(
            False,
            champion.id,
            (f"Hanya {len(pairs)} laporan belum dipelajari keduanya; perlu sedikitnya {FEWEST_COMPARED}.",),
            {"rows": len(pairs)},
        )
    figures: dict[str, Any] = {"rows": len(pairs)}
    reasons = [
        *_labels_changed(pairs),
        *_worse(pairs, figures),
        *_recall_lost(pairs, challenger.portal),
        *_danger_missed(pairs, (challenger.policy.emergency, champion.router.policy.emergency), figures),
        *_calibration_broken(pairs, figures),
    ]
    if reasons:
        return Verdict(False, champion.id, tuple(reasons), figures)
    gain = figures["agency"]["challenger"] - figures["agency"]["champion"] if "agency" in figures else 0.0
    return Verdict(
        True,
        champion.id,
        (f"Tidak lebih buruk pada {len(pairs)} laporan yang belum dipelajari keduanya ({_points(gain)} poin).",),
        figures,
    )


Pairs = Sequence[tuple[Answered, Answered]]


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace(".", ",")


def _labels_changed(pairs: Pairs) -> list[str]:
    known = [(new.wanted.get("agency"), old.wanted.get("agency")) for new, old in pairs]
    known = [pair for pair in known if all(pair)]
    changed = sum(first != second for first, second in known) / max(len(known), 1)
    if changed <= MOST_LABELS_CHANGED:
        return []
    return [f"Label instansi {changed:.0%} laporan yang sama berbeda dari data rilis yang berlaku; periksa datanya."]


def _both(pairs: Pairs, answer: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each was right, by the challenger's labels, on rows that both have an opinion on."""
    judged = [(new, old) for new, old in pairs if new.judged(answer) and answer in old.given]
    wanted = [new.wanted[answer] for new, _ in judged]
    new = np.array([pair[0].given[answer][0] == want for pair, want in zip(judged, wanted, strict=True)], dtype=bool)
    old = np.array([pair[1].given[answer][0] == want for pair, want in zip(judged, wanted, strict=True)], dtype=bool)
    return new, old


def _resampled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    draws = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    return np.asarray(values[draws].mean(axis=1))


def _worse(pairs: Pairs, figures: dict[str, Any]) -> list[str]:
    """Paired bootstrap: worse if 97.5 % of the resamples say so."""
    reasons = []
    for answer, name in NAMES.items():
        new, old = _both(pairs, answer)
        if not len(new):
            continue
        low, high = np.percentile(_resampled(new.astype(float) - old), [2.5, 97.5])
        figures[answer] = {
            "n": len(new),
            "champion": float(old.mean()),
            "challenger": float(new.mean()),
            "interval": [float(low), float(high)],
        }
        if high < 0:
            reasons.append(
                f"Ketepatan {name} turun {_points(new.mean() - old.mean())} poin "
                f"(selang 95 %: {_points(low)} sampai {_points(high)})."
            )
    return reasons


def _recall_lost(pairs: Pairs, portal: Portal) -> list[str]:
    """Agencies with rows enough whose own complaints are found much less often."""
    wanted = [(new.wanted["agency"], new, old) for new, old in pairs if new.judged("agency") and "agency" in old.given]
    counted = Counter(code for code, _, _ in wanted)
    reasons = []
    for code, count in counted.most_common():
        if count < FEWEST_OF_AGENCY:
            break
        theirs = [(new, old) for wish, new, old in wanted if wish == code]
        new, old = (sum(pair[side].given["agency"][0] == code for pair in theirs) / count for side in (0, 1))
        if old - new > MOST_RECALL_LOST + ROUNDING:
            name = portal.agency[code].name if code in portal.agency else code
            reasons.append(f"{name}: laporannya kini ditemukan {new:.0%}, dahulu {old:.0%} (dari {count}).")
    return reasons


def _danger_missed(pairs: Pairs, thresholds: tuple[float, float], figures: dict[str, Any]) -> list[str]:
    real = [(new, old) for new, old in pairs if new.wanted.get("urgency") == "darurat"]
    new, old = (sum(pair[side].danger >= thresholds[side] for pair in real) for side in (0, 1))
    figures["darurat"] = {"n": len(real), "champion": old, "challenger": new}
    return [f"Laporan darurat yang terangkat turun dari {old} menjadi {new} (dari {len(real)})."] if new < old else []


def _calibration_broken(pairs: Pairs, figures: dict[str, Any]) -> list[str]:
    """The stated confidence is further from the truth than the champion's, and far."""
    judged = [(new, old) for new, old in pairs if new.judged("agency") and "agency" in old.given]
    if not judged:
        return []
    right = np.array([[item.given["agency"][0] == pair[0].wanted["agency"] for item in pair] for pair in judged])
    p = np.array([[item.given["agency"][1] for item in pair] for pair in judged])
    new, old = (expected_calibration_error(p[:, side], right[:, side]) for side in (0, 1))
    figures["calibration_error"] = {"champion": old, "challenger": new}
    draws = np.random.default_rng(SEED).integers(0, len(judged), (200, len(judged)))
    apart = [
        expected_calibration_error(p[rows, 0], right[rows, 0]) - expected_calibration_error(p[rows, 1], right[rows, 1])
        for rows in draws
    ]
    if new > WORST_CALIBRATION and np.percentile(apart, 2.5) > 0:
        return [f"Keyakinan tidak lagi sesuai kenyataan: melenceng {new:.1%}, dahulu {old:.1%}."]
    return []
