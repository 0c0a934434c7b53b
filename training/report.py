"""Everything that can be said of a router from rows that it did not see, as plain values for a page or a program.

Sections are keyed by answer; a section leaves out an answer that has nothing to say.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import f1_score

from router_model.policy import Route
from router_model.portal import Portal
from router_model.suggestion import Router, Suggestion
from training.baselines import baseline_answers
from training.dataset import Example
from training.evaluation import Outcome, equal_mass_bins, evaluation_of, last_of_equal, outcomes, right_by_route
from training.label_names import label_name
from training.thresholds import CANDIDATES_HOLD

Floats = NDArray[np.float64]

RESAMPLES = 1_000
SEED = 20_250_101
MOST_CELLS = 2_000_000
"""Resamples x rows held in memory at once."""
MOST_PAIRS = 15
MOST_POINTS = 60
LENGTHS = (1, 10, 20, 45, 90)
"""Words from which on a complaint belongs to the next group."""
FEWEST_OF_CHANNEL = 5
MOST_CHANNELS = 12
OTHER_CHANNELS = "lainnya"
SAID = (0.45, 0.55, 0.65, 0.75, 0.85, 0.95)
"""Confidences from which on a row belongs to the next band; below the first it belongs to none."""


def full_report(router: Router, asked: Sequence[Example], known: Sequence[Example] | None = None) -> dict[str, Any]:
    """All figures of one router on rows that it did not see; `known` are the rows it learned from, on which
    the plain models are fitted. Holds no word of any complaint."""
    suggestions = router.suggest_many([row.complaint for row in asked])
    return report_of(suggestions, asked, router.portal, known)


def report_of(
    suggestions: Sequence[Suggestion], asked: Sequence[Example], portal: Portal, known: Sequence[Example] | None = None
) -> dict[str, Any]:
    """The report of suggestions that are already there, one a row."""
    report = evaluation_of(suggestions, asked, classes=True)
    by_answer = outcomes(suggestions, asked)
    draws = {answer: resampled(rows) for answer, rows in by_answer.items()}
    for answer, table in report["classes"].items():
        for row in table:
            row["name"] = label_name(portal, answer, row["class"])
    for route in Route:
        report["routes"][route.value] |= _route(*right_by_route(suggestions, asked, route))
    if "danger" in report:
        report["danger"] |= urgent(suggestions, asked)
    if "agency" in by_answer:
        report["candidates"] = candidates(suggestions, by_answer["agency"])
    report["intervals"] = {
        answer: {figure: interval(values) for figure, values in found.items()} for answer, found in draws.items()
    }
    report["confusion"] = {answer: confusion(rows, portal, answer) for answer, rows in by_answer.items()}
    report["risk_coverage"] = {answer: risk_coverage(rows) for answer, rows in by_answer.items()}
    report["reliability"] = {answer: reliability(rows) for answer, rows in by_answer.items()}
    report["stated"] = {answer: stated(rows) for answer, rows in by_answer.items()}
    groups: dict[str, Sequence[str] | Sequence[int]] = {
        "by_month": months(asked),
        "by_channel": channels(asked),
        "by_length": lengths(asked),
    }
    for section, group_of in groups.items():
        report[section] = {answer: by_group(rows, group_of) for answer, rows in by_answer.items()}
    if known is not None:
        report["baselines"] = _baselines(known, asked, by_answer, draws)
    return report


def interval(values: Floats) -> list[float]:
    """The middle 95 % of resampled values (percentile bootstrap, Efron 1979)."""
    low, high = np.percentile(values, [2.5, 97.5])
    return [float(low), float(high)]


def share(hits: Sequence[bool]) -> dict[str, Any]:
    """How many, how often, and the exact 95 % interval (Clopper & Pearson 1934); only `n` of nothing."""
    if not hits:
        return {"n": 0}
    exact = binomtest(sum(hits), len(hits)).proportion_ci(0.95, method="exact")
    return {"n": len(hits), "share": sum(hits) / len(hits), "interval": [float(exact.low), float(exact.high)]}


def _route(taken: int, right: Sequence[bool]) -> dict[str, Any]:
    found = share(right)
    return {"n": taken, "labelled": found["n"]} | ({"interval": found["interval"]} if right else {})


def urgent(suggestions: Sequence[Suggestion], asked: Sequence[Example]) -> dict[str, Any]:
    """`emergencies` raised by route, `levels` of danger named as such, `urgent` rows (darurat or tinggi) given
    one of the two levels, and `alarms`: other rows raised in vain."""
    rows = [
        (row.labels["urgency"], suggestion.route is Route.EMERGENCY, suggestion.urgency)
        for suggestion, row in zip(suggestions, asked, strict=True)
        if "urgency" in row.labels
    ]
    high = ("darurat", "tinggi")
    return {
        "emergencies": share([raised for wanted, raised, _ in rows if wanted == "darurat"]),
        "levels": share([given == "darurat" for wanted, _, given in rows if wanted == "darurat"]),
        "urgent": share([given in high for wanted, _, given in rows if wanted in high]),
        "alarms": share([raised for wanted, raised, _ in rows if wanted != "darurat"]),
    }


def candidates(suggestions: Sequence[Suggestion], rows: Sequence[Outcome]) -> dict[str, float]:
    """How often the short list of agencies held the right one, beside how often it should, and its mean length."""
    sizes = [suggestions[row.row].candidates for row in rows]
    held = [row.wanted in row.ranked[:size] for row, size in zip(rows, sizes, strict=True)]
    return {"wanted": CANDIDATES_HOLD, "holding": sum(held) / len(rows), "mean_size": sum(sizes) / len(rows)}


def confusion(rows: Sequence[Outcome], portal: Portal, answer: str) -> list[dict[str, Any]]:
    """The most frequent wrong pairs; `share` is of the rows that wanted the first."""
    support = Counter(row.wanted for row in rows)
    pairs = Counter((row.wanted, row.ranked[0]) for row in rows if not row.right)
    return [
        {
            "wanted": wanted,
            "wanted_name": label_name(portal, answer, wanted),
            "given": given,
            "given_name": label_name(portal, answer, given),
            "count": count,
            "support": support[wanted],
            "share": count / support[wanted],
        }
        for (wanted, given), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:MOST_PAIRS]
    ]


def _sure_and_right(rows: Sequence[Outcome]) -> tuple[Floats, NDArray[np.bool_]]:
    return np.array([row.p for row in rows]), np.array([row.right for row in rows])


def risk_coverage(rows: Sequence[Outcome]) -> list[dict[str, float]]:
    """How often the answer is right among the surest rows, from few to all; `p` is the last one's confidence."""
    p, right = _sure_and_right(rows)
    order = np.argsort(-p, kind="stable")
    ends = np.flatnonzero(last_of_equal(p[order]))
    chosen = ends[np.unique(np.linspace(0, len(ends) - 1, MOST_POINTS).round().astype(int))]
    hits = np.cumsum(right[order])
    return [
        {"share": (end + 1) / len(rows), "precision": int(hits[end]) / (end + 1), "p": float(p[order[end]])}
        for end in chosen.tolist()
    ]


def reliability(rows: Sequence[Outcome]) -> list[dict[str, float]]:
    """Mean confidence against the share right in bins of equally many rows."""
    p, right = _sure_and_right(rows)
    return [_bin(p[part], right[part]) for part in equal_mass_bins(p)]


def stated(rows: Sequence[Outcome]) -> list[dict[str, float]]:
    """The same in bands of stated confidence: around 50, 60, 70, 80 and 90 %, and above."""
    p, right = _sure_and_right(rows)
    bands = [(p >= low) & (p < high) for low, high in pairwise((*SAID, np.inf))]
    return [_bin(p[band], right[band]) for band in bands if band.any()]


def _bin(p: Floats, right: NDArray[np.bool_]) -> dict[str, float]:
    return {"confidence": float(p.mean()), "right": float(right.mean()), "n": len(p)}


def months(asked: Sequence[Example]) -> list[str]:
    return [row.received_at.strftime("%Y-%m") if row.received_at else "" for row in asked]


def channels(asked: Sequence[Example]) -> list[str]:
    """The channel of each row; rare ones together, so that nothing a person typed there by mistake is shown."""
    names = [" ".join(row.channel.casefold().replace("_", " ").split()) for row in asked]
    common = Counter(name for name in names if name).most_common(MOST_CHANNELS)
    kept = {name for name, count in common if count >= FEWEST_OF_CHANNEL}
    return [name if name in kept else OTHER_CHANNELS if name else "" for name in names]


def lengths(asked: Sequence[Example]) -> list[int]:
    """The smallest number of words of the group that each row belongs to."""
    return [max(least for least in LENGTHS if least <= max(len(row.complaint.words.split()), 1)) for row in asked]


def by_group(rows: Sequence[Outcome], group_of: Sequence[str] | Sequence[int]) -> list[dict[str, Any]]:
    """n, accuracy and top3 of each group, in the order of the groups; rows of group "" count in none."""
    groups: dict[Any, list[Outcome]] = {}
    for row in rows:
        if group_of[row.row] != "":
            groups.setdefault(group_of[row.row], []).append(row)
    return [
        {
            "group": name,
            "n": len(members),
            "accuracy": sum(row.right for row in members) / len(members),
            "top3": sum(row.wanted in row.ranked[:3] for row in members) / len(members),
        }
        for name, members in sorted(groups.items())
    ]


def drawn_rows(n: int) -> Iterator[Floats]:
    """How often each of n rows is drawn: resamples x rows, in parts. The same for the same n, so that two
    answers to the same rows are compared on the same resamples."""
    random = np.random.default_rng(SEED)
    most = max(1, MOST_CELLS // n)
    for start in range(0, RESAMPLES, most):
        size = min(most, RESAMPLES - start)
        rows = random.integers(0, n, (size, n)) + n * np.arange(size)[:, None]
        yield np.bincount(rows.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


@dataclass(frozen=True)
class _Marks:
    """Rows by classes: where a class was wanted, given, and both."""

    wanted: sp.csr_matrix
    given: sp.csr_matrix
    both: sp.csr_matrix

    def accuracy(self, drawn: Floats) -> Floats:
        return np.asarray((drawn @ self.both).sum(axis=1) / drawn.sum(axis=1))

    def macro_f1(self, drawn: Floats) -> Floats:
        """Mean over the classes that a resample holds."""
        size = drawn @ self.wanted + drawn @ self.given
        f1 = np.divide(2 * (drawn @ self.both), size, out=np.zeros_like(size), where=size > 0)
        return np.asarray(f1.sum(axis=1) / (size > 0).sum(axis=1))


def _marks(wanted: Sequence[str], given: Sequence[str]) -> _Marks:
    column: dict[Hashable, int] = {name: index for index, name in enumerate(sorted({*wanted, *given}))}

    def matrix(labels: Sequence[str]) -> sp.csr_matrix:
        places = (range(len(labels)), [column[label] for label in labels])
        return sp.csr_matrix((np.ones(len(labels)), places), shape=(len(labels), len(column)))

    asked, said = matrix(wanted), matrix(given)
    return _Marks(asked, said, asked.multiply(said).tocsr())


def resampled(rows: Sequence[Outcome]) -> dict[str, Floats]:
    """Four figures of the summary on each resample of the rows."""
    marks = _marks([row.wanted for row in rows], [row.ranked[0] for row in rows])
    p, right = _sure_and_right(rows)
    listed = np.array([row.wanted in row.ranked[:3] for row in rows], np.float64)
    order = np.argsort(-p, kind="stable")
    last = last_of_equal(p[order])
    parts = [
        (
            marks.accuracy(drawn),
            drawn @ listed / len(rows),
            marks.macro_f1(drawn),
            _coverage(drawn[:, order], right[order], last, 0.95),
        )
        for drawn in drawn_rows(len(rows))
    ]
    names = ("accuracy", "top3", "macro_f1", "coverage_at_95")
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True))


def _coverage(drawn: Floats, right: NDArray[np.bool_], last: NDArray[np.bool_], precision: float) -> Floats:
    """`coverage_at` of each resample, for rows already in the order of falling confidence."""
    taken = np.cumsum(drawn, axis=1)
    enough = (np.cumsum(drawn * right, axis=1) >= precision * taken - 1e-9) & last
    return np.asarray(np.where(enough, taken, 0.0).max(axis=1) / len(right))


def _baselines(
    known: Sequence[Example],
    asked: Sequence[Example],
    by_answer: Mapping[str, Sequence[Outcome]],
    draws: Mapping[str, Mapping[str, Floats]],
) -> dict[str, Any]:
    """Accuracy and macro-F1 of each plain model, and our lead over it with an interval on paired resamples."""
    table: dict[str, Any] = {}
    for answer, models in baseline_answers(known, asked).items():
        rows = by_answer.get(answer, ())
        if not rows:
            continue
        wanted = [row.wanted for row in rows]
        ours = _two_figures(wanted, [row.ranked[0] for row in rows])
        table[answer] = {}
        for model, said in models.items():
            given = [said[row.row] for row in rows]
            figures, marks = _two_figures(wanted, given), _marks(wanted, given)
            drawn = [(marks.accuracy(part), marks.macro_f1(part)) for part in drawn_rows(len(rows))]
            theirs = dict(zip(figures, map(np.concatenate, zip(*drawn, strict=True)), strict=True))
            lead = {
                figure: {
                    "value": ours[figure] - figures[figure],
                    "interval": interval(draws[answer][figure] - theirs[figure]),
                }
                for figure in figures
            }
            table[answer][model] = {**figures, "lead": lead}
    return table


def _two_figures(wanted: Sequence[str], given: Sequence[str]) -> dict[str, float]:
    return {
        "accuracy": sum(map(str.__eq__, wanted, given)) / len(wanted),
        "macro_f1": float(f1_score(wanted, given, average="macro", zero_division=0)),
    }
