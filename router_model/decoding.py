"""From raw scores to calibrated answers that agree with each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from router_model.calibration import Agreement, Alarm, Link, largest
from router_model.prediction import Ranked

Floats = NDArray[np.float32]
DANGER = "darurat"
LISTED = 10
"""Classes listed of answers with many; the others together have what is missing to 1."""


@dataclass(frozen=True, slots=True)
class Belief:
    """What scores mean: classes by falling probability for each answer, the category of the first unit, and the
    probability of danger."""

    answers: Mapping[str, tuple[Ranked, ...]]
    category: str
    danger: float = 0.0


class Decoder:
    """Applies the link of every answer to all scores at once; see `Link.log_probabilities`, which it equals.

    `classes` gives each answer's classes in the order of the scores' columns.
    """

    def __init__(
        self,
        classes: Mapping[str, Sequence[str]],
        links: Mapping[str, Link],
        agreement: Agreement | None,
        alarm: Alarm | None = None,
    ) -> None:
        self._classes = classes
        self._alarm = alarm
        self._agreement = agreement
        sizes = [len(names) for names in classes.values()]
        self._sizes = np.array(sizes)
        self._starts = np.cumsum([0, *sizes[:-1]])
        self._slices = {
            answer: slice(start, start + size)
            for answer, start, size in zip(classes, self._starts.tolist(), sizes, strict=True)
        }
        used = [links[answer] for answer in classes]
        self._floor = np.repeat([link.floor for link in used], sizes).astype(np.float32)
        self._power = np.repeat([link.power for link in used], sizes).astype(np.float32)
        self._offset = np.concatenate([_offset(link, size) for link, size in zip(used, sizes, strict=True)])

    def beliefs(self, scores: Floats) -> list[Belief]:
        """One row a complaint."""
        logs = np.log(np.maximum(scores, 0) + self._floor) * self._power - self._offset
        logs -= np.repeat(np.maximum.reduceat(logs, self._starts, axis=1), self._sizes, axis=1)
        shares = np.exp(logs)
        totals = np.repeat(np.add.reduceat(shares, self._starts, axis=1), self._sizes, axis=1)
        shares /= totals
        probabilities = {answer: shares[:, part] for answer, part in self._slices.items()}
        danger = self._danger(scores, probabilities)
        categories = [""] * len(scores)
        if self._agreement is not None:
            logs -= np.log(totals)
            joined = (logs[:, self._slices[answer]] for answer in ("unit", "category"))
            units, category, best = self._agreement.joint(*joined)
            probabilities["unit"], probabilities["category"] = units, category
            names = self._classes["category"]
            categories = [names[index] if index >= 0 else "" for index in best.tolist()]
        ranked = {answer: _ranked(self._classes[answer], values) for answer, values in probabilities.items()}
        if self._agreement is not None:
            listed = ranked["category"]
            for row, index in enumerate(best.tolist()):
                if index >= 0 and all(item.code != categories[row] for item in listed[row]):
                    listed[row] += (Ranked(categories[row], float(probabilities["category"][row, index])),)
        return [
            Belief({answer: rows[row] for answer, rows in ranked.items()}, category, danger[row])
            for row, category in enumerate(categories)
        ]

    def _danger(self, scores: Floats, probabilities: Mapping[str, Floats]) -> list[float]:
        if "urgency" not in probabilities or DANGER not in self._classes["urgency"]:
            return [0.0] * len(scores)
        if self._alarm is None:
            return list(map(float, probabilities["urgency"][:, list(self._classes["urgency"]).index(DANGER)]))
        return list(map(float, self._alarm.p(scores[:, self._slices["urgency"]])))


def _offset(link: Link, size: int) -> Floats:
    if link.log_frequencies is None:
        return np.zeros(size, np.float32)
    return (np.float32(link.balance) * link.log_frequencies).astype(np.float32)


def _ranked(classes: Sequence[str], probabilities: Floats) -> list[tuple[Ranked, ...]]:
    order = largest(probabilities, LISTED)
    values = probabilities[np.arange(len(order))[:, None], order]
    return [
        tuple([Ranked(classes[index], p) for index, p in zip(indexes, row, strict=True)])
        for indexes, row in zip(order.tolist(), values.tolist(), strict=True)
    ]
