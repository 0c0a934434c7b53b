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
        logs = np.log(np.maximum(scores, 0) + np.float32(self.floor))
        logs *= np.float32(self.power)
        if self.log_frequencies is not None:
            logs -= np.float32(self.balance) * self.log_frequencies
        logs -= logs.max(axis=-1, keepdims=True)
        logs -= np.log(np.exp(logs).sum(axis=-1, keepdims=True))
        return logs


@dataclass(frozen=True, slots=True)
class Alarm:
    """The probability of `darurat` by logistic regression on raw scores (Platt 1999) of the two upper levels.

    What looks like `tinggi` speaks for danger too, which the share of `darurat` among the levels does not hear. The
    lower levels do not count: of words that it never met a model says little of any level, which is no danger.
    `weights` has one value a level, in the order of the model's classes.
    """

    intercept: float
    weights: Floats

    def p(self, scores: Floats) -> Floats:
        """Of raw scores, levels in the last axis."""
        return np.asarray(1 / (1 + np.exp(-np.clip(scores @ self.weights + self.intercept, -30, 30))), np.float32)


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

    def joint(self, log_units: Floats, log_categories: Floats) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """Probabilities of units, of categories, and the category that goes with each row's likeliest unit (-1
        if it can own none). One row a complaint.

        Only the likeliest units and categories are joined; the others keep their share unchanged.
        """
        units, categories = largest(log_units, AGENCIES_JOINED), largest(log_categories, CATEGORIES_JOINED)
        table = self.trust_lift * self.log_lift[categories[:, :, None], units[:, None, :]]
        row = np.arange(len(units))[:, None]
        table += self.trust_agency * log_units[row, units][:, None, :]
        table += self.trust_category * log_categories[row, categories][:, :, None]
        table -= table.max(axis=(1, 2), keepdims=True)
        np.exp(table, out=table)
        table /= table.sum(axis=(1, 2), keepdims=True)
        unit_p = _reshared(np.exp(log_units), units, table.sum(axis=1))
        category_p = _reshared(np.exp(log_categories), categories, table.sum(axis=2))
        fitting = np.where(self.allowed[:, unit_p.argmax(axis=1)].T, category_p, -1)
        best = fitting.argmax(axis=1)
        return unit_p, category_p, np.where(fitting.max(axis=1) >= 0, best, -1)


def largest(values: Floats, most: int) -> NDArray[np.intp]:
    """Column numbers of the largest values of each row, largest first; of equal ones the earlier column."""
    return np.argsort(-values, axis=1, kind="stable")[:, :most]


def _reshared(p: Floats, columns: NDArray[np.intp], shares: Floats) -> Floats:
    """The probability that some columns of each row hold together, dealt out anew by `shares`."""
    row = np.arange(len(columns))[:, None]
    p[row, columns] = p[row, columns].sum(axis=1, keepdims=True) * shares
    return p
