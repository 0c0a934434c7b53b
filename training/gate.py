"""Whether a challenger may take the champion's place: both answer the same complaints, which neither had learned."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from router_model.portal import Portal
from router_model.suggestion import Router
from training.answered import Answered, answered_live
from training.comparison import ANSWERS, SEED, Pair, difference
from training.dataset import Example
from training.evaluation import expected_calibration_error

FEWEST_COMPARED = 50
FEWEST_OF_AGENCY = 30
MOST_RECALL_LOST = 0.10
ROUNDING = 1e-9
MOST_LABELS_CHANGED = 0.10
WORST_CALIBRATION = 0.05
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


def common(held_back: Sequence[Answered], rows: Sequence[Example], champion: Champion, portal: Portal) -> list[Pair]:
    """The complaints that neither release had learned, as each answered them.

    `held_back` are the challenger's answers to `rows` before it learned them, in the same order; only their
    calibration has seen these rows, as that of the champion's record has seen its own. What the champion named by
    a body that was since renamed, merged or split counts as the body in charge today, by the challenger's `portal`.
    """
    theirs = champion.answers([item.key for item in held_back], rows)
    pairs = zip(held_back, theirs, strict=True)
    return [Pair(new, of_today(old, portal)) for new, old in pairs if old is not None]


def of_today(item: Answered, portal: Portal) -> Answered:
    """The same answer and labels with agencies under the codes of the bodies in charge today, as labels are read."""
    day = item.received_at.date() if item.received_at else None
    codes: dict[str, tuple[str, str]] = {}
    for code in {item.given["agency"][0], item.wanted.get("agency", "")} & portal.agency.keys():
        heir = portal.in_charge(portal.agency[code], item.wanted.get("category", ""), day)
        if heir is not None and heir.code != code:
            codes[code] = heir.code, heir.unit
    given, wanted = dict(item.given), dict(item.wanted)
    if (said := given["agency"][0]) in codes:
        agency, unit = codes[said]
        given |= {"agency": (agency, given["agency"][1]), "unit": (unit, given["unit"][1])}
    if (label := wanted.get("agency", "")) in codes:
        wanted["agency"], wanted["unit"] = codes[label]
    return replace(item, given=given, wanted=wanted)


def judge(challenger: Router, pairs: Sequence[Pair], champion: Champion) -> Verdict:
    """The word on what both said of the complaints of `common`."""
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


def _points(share: float) -> str:
    return f"{100 * share:+.1f}".replace(".", ",")


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %".replace(".", ",")


def _labels_changed(pairs: Sequence[Pair]) -> list[str]:
    known = [(pair.new.wanted.get("agency"), pair.old.wanted.get("agency")) for pair in pairs]
    known = [labels for labels in known if all(labels)]
    changed = sum(first != second for first, second in known) / max(len(known), 1)
    if changed <= MOST_LABELS_CHANGED:
        return []
    share = _percent(changed)
    return [f"Label instansi pada {share} laporan yang sama berbeda dari data rilis yang berlaku; periksa datanya."]


def _worse(pairs: Sequence[Pair], figures: dict[str, Any]) -> list[str]:
    """Worse if 97.5 % of the resamples say so."""
    reasons = []
    for answer in ANSWERS:
        found = difference(pairs, answer)
        if found is None:
            continue
        low, high = found.interval
        figures[answer] = {
            "n": found.n,
            "champion": found.champion,
            "challenger": found.challenger,
            "interval": [low, high],
        }
        if high < 0:
            lost, least, most = (f"{-100 * value:.1f}".replace(".", ",") for value in (found.lead, high, low))
            reasons.append(f"Ketepatan {NAMES[answer]} turun {lost} poin (selang 95 %: {least} sampai {most} poin).")
    return reasons


def _recall_lost(pairs: Sequence[Pair], portal: Portal) -> list[str]:
    """Agencies with rows enough whose own complaints are found much less often."""
    judged = [pair for pair in pairs if pair.judged("agency")]
    counted = Counter(pair.wanted("agency") for pair in judged)
    reasons = []
    for code, count in counted.most_common():
        if count < FEWEST_OF_AGENCY:
            break
        right = [pair.right("agency") for pair in judged if pair.wanted("agency") == code]
        new, old = (sum(side) / count for side in zip(*right, strict=True))
        if old - new > MOST_RECALL_LOST + ROUNDING:
            name = portal.agency[code].name if code in portal.agency else code
            reasons.append(f"{name}: laporannya kini ditemukan {_percent(new)}, dahulu {_percent(old)} (dari {count}).")
    return reasons


def _danger_missed(pairs: Sequence[Pair], thresholds: tuple[float, float], figures: dict[str, Any]) -> list[str]:
    real = [pair for pair in pairs if pair.new.wanted.get("urgency") == "darurat"]
    new = sum(pair.new.danger >= thresholds[0] for pair in real)
    old = sum(pair.old.danger >= thresholds[1] for pair in real)
    figures["darurat"] = {"n": len(real), "champion": old, "challenger": new}
    return [f"Laporan darurat yang terangkat turun dari {old} menjadi {new} (dari {len(real)})."] if new < old else []


def _calibration_broken(pairs: Sequence[Pair], figures: dict[str, Any]) -> list[str]:
    """The stated confidence is further from the truth than the champion's, and far."""
    judged = [pair for pair in pairs if pair.judged("agency")]
    if not judged:
        return []
    right = np.array([pair.right("agency") for pair in judged])
    p = np.array([[pair.new.given["agency"][1], pair.old.given["agency"][1]] for pair in judged])
    new, old = (expected_calibration_error(p[:, side], right[:, side]) for side in (0, 1))
    figures["calibration_error"] = {"champion": old, "challenger": new}
    draws = np.random.default_rng(SEED).integers(0, len(judged), (200, len(judged)))
    apart = [
        expected_calibration_error(p[rows, 0], right[rows, 0]) - expected_calibration_error(p[rows, 1], right[rows, 1])
        for rows in draws
    ]
    if new > WORST_CALIBRATION and np.percentile(apart, 2.5) > 0:
        return [f"Keyakinan tidak lagi sesuai kenyataan: melenceng {_percent(new, 1)}, dahulu {_percent(old, 1)}."]
    return []
