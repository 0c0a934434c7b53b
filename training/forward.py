"""Raw scores of complaints by models that knew only earlier ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router_model.complaint import Complaint
from training.dataset import Example
from training.pipeline import LabelMatrix, Labels, label_matrix
from training.ridge import Floats


def labels_of(rows: Sequence[Any], answers: Sequence[str]) -> Labels:
    """Labels of examples or prototypes, one list an answer."""
    return {answer: [row.labels.get(answer, "") for row in rows] for answer in answers}


@dataclass(frozen=True, slots=True)
class Asked:
    """A labelled complaint as a model was asked about it: its place in the history, cleaned, with its key."""

    number: int
    row: Example
    complaint: Complaint
    key: int


@dataclass(frozen=True)
class ForwardScores:
    """Raw scores of complaints by models that had seen neither them nor near copies of them, in the order of
    time; columns as in `classes`."""

    asked: Sequence[Asked]
    scores: Floats
    classes: Mapping[str, tuple[str, ...]]

    @property
    def rows(self) -> list[Example]:
        return [item.row for item in self.asked]

    def of(self, answer: str) -> Floats:
        before = list(self.classes)[: list(self.classes).index(answer)]
        start = sum(len(self.classes[other]) for other in before)
        return self.scores[:, start : start + len(self.classes[answer])]

    def matrix(self, answer: str) -> LabelMatrix:
        return label_matrix(labels_of(self.rows, [answer])[answer], self.classes[answer])

    def reciprocal_ranks(self) -> list[NDArray[np.float64]]:
        """Of each answer that has labels, one over the rank of the label among all classes, a figure each row."""
        found = []
        for answer in self.classes:
            matrix, scores = self.matrix(answer), self.of(answer)
            if matrix.known.any():
                known = scores[matrix.known]
                wanted = known[np.arange(len(known)), matrix.indicators.indices]
                found.append(1 / (1 + (known > wanted[:, None]).sum(axis=1)))
        return found

    def reciprocal_rank(self) -> float:
        """Mean over answers of the mean reciprocal rank of the label among all classes, in (0, 1]."""
        means = [float(ranks.mean()) for ranks in self.reciprocal_ranks()]
        return float(np.mean(means)) if means else 0.0

    def clearly_better(self, other: "ForwardScores") -> bool:
        """Whether the reciprocal rank is higher than that of the same rows in `other` by more than one standard error
        of the difference (rule of one standard error: Breiman et al., Classification and Regression Trees, 1984)."""
        gains = [own - theirs for own, theirs in zip(self.reciprocal_ranks(), other.reciprocal_ranks(), strict=True)]
        error = np.sqrt(sum(gain.var() / len(gain) for gain in gains))
        return bool(sum(gain.mean() for gain in gains) > error)

    def none(self) -> "ForwardScores":
        """Of no complaint, with the same classes."""
        return replace(self, asked=(), scores=self.scores[:0])

    def before(self, number: int) -> "ForwardScores":
        end = sum(item.number < number for item in self.asked)
        return replace(self, asked=self.asked[:end], scores=self.scores[:end])

    def since(self, number: int) -> "ForwardScores":
        start = sum(item.number < number for item in self.asked)
        return replace(self, asked=self.asked[start:], scores=self.scores[start:])

    def joined(self, later: "ForwardScores") -> "ForwardScores":
        return replace(self, asked=[*self.asked, *later.asked], scores=np.vstack([self.scores, later.scores]))
