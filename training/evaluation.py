"""How good a router is on labelled complaints that it did not see."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from router_model.policy import Route
from router_model.suggestion import Router, Suggestion
from training.dataset import Example

ECE_BINS = 15
LABEL_OF = {
    "agency": "agency",
    "agency_kind": "unit",
    "category": "category",
    "urgency": "urgency",
    "report_type": "report_type",
}
"""Each answer with the label of an `Example` that it is held against."""
ANSWERS = tuple(LABEL_OF)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of one answer: the ranked classes that were given, the first one's probability, the label.

    `row` is its position among the rows that were asked.
    """

    ranked: tuple[str, ...]
    p: float
    wanted: str
    row: int

    @property
    def right(self) -> bool:
        return self.ranked[0] == self.wanted


def outcomes(suggestions: Sequence[Suggestion], rows: Sequence[Example]) -> dict[str, list[Outcome]]:
    """Rows by answer; a row counts for each answer that it has a label and the release an opinion for."""
    found: dict[str, list[Outcome]] = {answer: [] for answer in ANSWERS}
    for position, (suggestion, row) in enumerate(zip(suggestions, rows, strict=True)):
        for answer, label in LABEL_OF.items():
            wanted = row.labels.get(label)
            given = _ranked(suggestion, answer)
            if wanted and given:
                found[answer].append(Outcome(tuple(code for code, _ in given), given[0][1], wanted, position))
    return {answer: rows for answer, rows in found.items() if rows}


def _ranked(suggestion: Suggestion, answer: str) -> list[tuple[str, float]]:
    if answer == "agency":
        return [(agency.code, agency.p) for agency in suggestion.agencies]
    if answer == "category":
        return [(item.code, item.p) for item in suggestion.categories]
    return [(item.code, item.p) for item in suggestion.prediction.answers.get(LABEL_OF[answer], ())]


def last_of_equal(falling: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Marks the last of each run of equal values: rows of equal confidence are taken together or not at all."""
    return np.append(falling[1:] != falling[:-1], True) if len(falling) else np.empty(0, bool)


def equal_mass_bins(p: NDArray[np.float64], bins: int = ECE_BINS) -> list[NDArray[np.intp]]:
    """Positions by rising value in at most so many parts of equally many rows, none of them empty."""
    return [part for part in np.array_split(np.argsort(p, kind="stable"), bins) if len(part)]


def coverage_at(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """Largest share of the rows, taken by falling confidence, that is right at least that often."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(right[order])
    enough = np.flatnonzero((hits >= precision * np.arange(1, len(hits) + 1) - 1e-9) & last_of_equal(p[order]))
    return float((enough[-1] + 1) / len(hits)) if len(enough) else 0.0


def expected_calibration_error(p: NDArray[np.float64], right: NDArray[np.bool_], bins: int = ECE_BINS) -> float:
    """Mean distance between confidence and share right over bins of equally many rows, in [0, 1]."""
    parts = equal_mass_bins(p, bins)
    return float(sum(abs(p[part].mean() - right[part].mean()) * len(part) for part in parts) / len(p))


def summary(rows: Sequence[Outcome]) -> dict[str, float]:
    """The figures of CONTRACT: n, accuracy, top3, macro_f1, coverage_at_90, coverage_at_95, ece."""
    p = np.array([row.p for row in rows])
    right = np.array([row.right for row in rows])
    wanted, given = [row.wanted for row in rows], [row.ranked[0] for row in rows]
    return {
        "n": len(rows),
        "accuracy": float(right.mean()),
        "top3": float(np.mean([row.wanted in row.ranked[:3] for row in rows])),
        "macro_f1": float(f1_score(wanted, given, average="macro", zero_division=0)),
        "coverage_at_90": coverage_at(p, right, 0.90),
        "coverage_at_95": coverage_at(p, right, 0.95),
        "ece": expected_calibration_error(p, right),
    }


def per_class(rows: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Precision, recall and support of each class that occurs, most frequent first."""
    support, given = Counter(row.wanted for row in rows), Counter(row.ranked[0] for row in rows)
    hits = Counter(row.wanted for row in rows if row.right)
    return [
        {
            "class": name,
            "support": support[name],
            "precision": hits[name] / given[name] if given[name] else None,
            "recall": hits[name] / support[name] if support[name] else None,
        }
        for name in sorted(support | given, key=lambda name: (-support[name], name))
    ]


def danger(suggestions: Sequence[Suggestion], examples: Sequence[Example]) -> dict[str, float]:
    """Recall of `darurat` by route `emergency`, and the share of other texts raised in vain."""
    labelled = [
        (example.labels["urgency"] == "darurat", suggestion.route is Route.EMERGENCY)
        for suggestion, example in zip(suggestions, examples, strict=True)
        if "urgency" in example.labels
    ]
    real = [raised for is_danger, raised in labelled if is_danger]
    other = [raised for is_danger, raised in labelled if not is_danger]
    return {
        "darurat": len(real),
        "raised": sum(real) / len(real) if real else 0.0,
        "false_alarms": sum(other) / len(other) if other else 0.0,
    }


def routes(suggestions: Sequence[Suggestion], examples: Sequence[Example]) -> dict[str, dict[str, float]]:
    """Share of each route and, where an agency label is there, how often its first agency was right."""
    table: dict[str, dict[str, float]] = {}
    for route in Route:
        taken, labelled = right_by_route(suggestions, examples, route)
        row = {"share": taken / max(len(suggestions), 1)}
        if labelled:
            row["precision"] = sum(labelled) / len(labelled)
        table[route.value] = row
    return table


def right_by_route(
    suggestions: Sequence[Suggestion], examples: Sequence[Example], route: Route
) -> tuple[int, list[bool]]:
    """How many rows took the route, and of those with an agency label whether the first agency was right."""
    taken = [(s, e) for s, e in zip(suggestions, examples, strict=True) if s.route is route]
    return len(taken), [s.agency.code == e.labels["agency"] for s, e in taken if "agency" in e.labels]


def evaluate(router: Router, examples: Sequence[Example], *, classes: bool = False) -> dict[str, Any]:
    """All figures for one router on one set of rows; with `classes`, a table per class beside each answer."""
    suggestions = router.suggest_many([example.complaint for example in examples])
    return evaluation_of(suggestions, examples, classes=classes)


def evaluation_of(
    suggestions: Sequence[Suggestion], examples: Sequence[Example], *, classes: bool = False
) -> dict[str, Any]:
    """The figures of `evaluate` for suggestions that are already there, one a row."""
    by_answer = outcomes(suggestions, examples)
    report: dict[str, Any] = {
        "rows": len(examples),
        "answers": {answer: summary(rows) for answer, rows in by_answer.items()},
        "routes": routes(suggestions, examples),
    }
    if "urgency" in by_answer:
        report["danger"] = danger(suggestions, examples)
    if classes:
        report["classes"] = {answer: per_class(rows) for answer, rows in by_answer.items()}
    return report
