"""What the model believes about one complaint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from router_model.complaint import Complaint
from router_model.danger import Danger


class Ranked(NamedTuple):
    """One class of an answer with its calibrated probability, in [0, 1]."""

    code: str
    p: float


class Evidence(NamedTuple):
    """A stretch of a field of the cleaned complaint that spoke for the answer; weights are comparable only
    within one prediction."""

    field: str
    start: int
    end: int
    term: str
    weight: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Belief only; what to do about it is the policy's.

    `answers` maps `unit`, `category`, `urgency` and `report_type` to classes by falling probability; an
    answer the release never learned is missing. `category` is the likeliest one that the first unit can own
    (empty if none). `words` counts the words read, `known_words` those the model had met in training.
    `danger` is the probability of `darurat`, `dangers` what the rules for danger found on the way, worst first.
    """

    complaint: Complaint
    answers: Mapping[str, tuple[Ranked, ...]]
    category: str
    words: int
    known_words: int
    danger: float = 0.0
    dangers: tuple[Danger, ...] = ()

    @property
    def coverage(self) -> float:
        """Share of the words read that the model knows, in [0, 1]; 0 for no words."""
        return self.known_words / self.words if self.words else 0.0
