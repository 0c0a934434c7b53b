"""From raw scores to probabilities, and from four separate answers to answers that agree with each other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

AGENCIES_JOINED = 12
CATEGORIES_JOINED = 24


@dataclass(frozen=True, slots=True)
class Link:
    """p proportional to (max(score, 0) + floor) ^ power / frequency ^ balance.

    A ridge score estimates a probability itself but shrinks it towards zero, most of all for rare classes: the
    power undoes the shrinking, the balance its unfairness, and the floor leaves something for every class.
    All are fitted on predictions of later rows by a model that had not seen them. `log_frequencies` has one
    value a class; without it the balance does nothing.
    """

    power: float = 2.0
    floor: float = 0.02
    balance: float = 0.0
    log_frequencies: Floats | None = None

    def log_probabilities(self, scores: Floats) -> Floats:
        """Natural logarithms, one distribution in the last axis."""
        logs = self.power * np.log(np.maximum(scores, 0) + np.float32(self.floor))
        if self.log_frequencies is not None:
            logs = logs - np.float32(self.balance) * self.log_frequencies
        top = logs.max(axis=-1, keepdims=True)
        return np.asarray(logs - (top + np.log(np.exp(logs - top).sum(axis=-1, keepdims=True))), np.float32)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How agency and category inform each other.

    p(agency, category) is proportional to p(agency)^trust_agency p(category)^trust_category
    lift(category, agency)^trust_lift. `log_lift` and `allowed` are categories x units:
    log p(unit | category) / p(unit) from the training labels, and which units may own a category at all.
    """

    trust_agency: float
    trust_category: float
    trust_lift: float
    log_lift: Floats
    allowed: NDArray[np.bool_]

    def joint(self, log_units: Floats, log_categories: Floats) -> tuple[Floats, Floats, int]:
        """For one complaint: probabilities of units, of categories, and the category that goes with the
        likeliest unit (-1 if it can own none).

        Only the likeliest units and categories are joined; the others keep their share unchanged.
        """
        units = np.argsort(-log_units, kind="stable")[:AGENCIES_JOINED]
        categories = np.argsort(-log_categories, kind="stable")[:CATEGORIES_JOINED]
        table = (
            self.trust_category * log_categories[categories, None]
            + self.trust_agency * log_units[None, units]
            + self.trust_lift * self.log_lift[np.ix_(categories, units)]
        )
        table = np.exp(table - table.max())
        table /= table.sum()
        unit_p, category_p = np.exp(log_units), np.exp(log_categories)
        unit_p[units] = unit_p[units].sum() * table.sum(axis=0)
        category_p[categories] = category_p[categories].sum() * table.sum(axis=1)
        fitting = np.where(self.allowed[:, int(unit_p.argmax())], category_p, -1)
        return unit_p, category_p, int(fitting.argmax()) if fitting.max() >= 0 else -1
