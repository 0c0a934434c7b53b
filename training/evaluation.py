"""How good a router is on labelled complaints that it did not see."""

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
ANSWERS = ("agency", "agency_kind", "category", "urgency", "report_type")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of one answer: the ranked classes that were given, the first one's probability, the label."""

    ranked: tuple[str, ...]
    p: float
    wanted: str

    @property
    def right(self) -> bool:
        return self.ranked[0] == self.wanted


def outcomes(suggestions: Sequence[Suggestion], rows: Sequence[Example]) -> dict[str, list[Outcome]]:
    """Rows by answer; a row counts for each answer that it has a label and the release an opinion for."""
    found: dict[str, list[Outcome]] = {answer: [] for answer in ANSWERS}
    for suggestion, row in zip(suggestions, rows, strict=True):
        for answer in ANSWERS:
            wanted = row.labels.get("unit" if answer == "agency_kind" else answer)
            given = _ranked(suggestion, answer)
            if wanted and given:
                found[answer].append(Outcome(tuple(code for code, _ in given), given[0][1], wanted))
    return {answer: rows for answer, rows in found.items() if rows}


def _ranked(suggestion: Suggestion, answer: str) -> list[tuple[str, float]]:
    if answer == "agency":
        return [(agency.code, agency.p) for agency in suggestion.agencies]
    if answer == "category":
        return [(item.code, item.p) for item in suggestion.categories]
    key = "unit" if answer == "agency_kind" else answer
    return [(item.code, item.p) for item in suggestion.prediction.answers.get(key, ())]


def coverage_at(p: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """Largest share of the rows, taken by falling confidence, that is right at least that often."""
    order = np.argsort(-p, kind="stable")
    hits = np.cumsum(right[order])
    # Rows of equal confidence are taken together or not at all.
    last = np.append(p[order][1:] != p[order][:-1], True) if len(p) else np.empty(0, bool)
    enough = np.flatnonzero((hits >= precision * np.arange(1, len(hits) + 1) - 1e-9) & last)
    return float((enough[-1] + 1) / len(hits)) if len(enough) else 0.0


def expected_calibration_error(p: NDArray[np.float64], right: NDArray[np.bool_], bins: int = ECE_BINS) -> float:
    """Mean distance between confidence and share right over bins of equally many rows, in [0, 1]."""
    order = np.argsort(p, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
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
    classes = {row.wanted for row in rows} | {row.ranked[0] for row in rows}
    table = []
    for name in classes:
        hits = sum(row.right for row in rows if row.wanted == name)
        support = sum(row.wanted == name for row in rows)
        given = sum(row.ranked[0] == name for row in rows)
        table.append(
            {
                "class": name,
                "support": support,
                "precision": hits / given if given else None,
                "recall": hits / support if support else None,
            }
        )
    return sorted(table, key=lambda item: (-item["support"], item["class"]))


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
        taken = [(s, e) for s, e in zip(suggestions, examples, strict=True) if s.route is route]
        row = {"share": len(taken) / max(len(suggestions), 1)}
        labelled = [s.agency.code == e.labels["agency"] for s, e in taken if "agency" in e.labels]
        if labelled:
            row["precision"] = sum(labelled) / len(labelled)
        table[route.value] = row
    return table


def evaluate(router: Router, examples: Sequence[Example], *, classes: bool = False) -> dict[str, Any]:
    """All figures for one router on one set of rows; with `classes`, a table per class beside each answer."""
    suggestions = router.suggest_many([example.complaint for example in examples])
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
