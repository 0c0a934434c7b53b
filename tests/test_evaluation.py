"""Figures of the report, checked against small cases counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_model.policy import Route
from router_model.suggestion import Router
from training.dataset import Example
from training.evaluation import (
    Outcome,
    coverage_at,
    equal_mass_bins,
    evaluate,
    evaluation_of,
    expected_calibration_error,
    outcomes,
    per_class,
    summary,
)

FIVE = np.array([0.9, 0.8, 0.7, 0.6, 0.5])


def truths(text: str) -> np.ndarray:
    return np.array([letter == "1" for letter in text])


@pytest.mark.parametrize(
    ("right", "precision", "wanted"),
    [
        ("11111", 0.90, 1.0),
        ("00000", 0.90, 0.0),
        ("11011", 0.80, 1.0),
        ("11011", 0.90, 0.4),
        ("01111", 0.80, 1.0),
        ("01111", 0.90, 0.0),
        ("10111", 0.75, 1.0),
        ("11000", 0.66, 0.6),
    ],
)
def test_coverage_is_the_largest_share_that_is_right_often_enough(right: str, precision: float, wanted: float) -> None:
    assert coverage_at(FIVE, truths(right), precision) == pytest.approx(wanted)


def test_coverage_does_not_depend_on_the_order_of_the_rows() -> None:
    assert coverage_at(FIVE[::-1], truths("11011")[::-1], 0.9) == pytest.approx(0.4)


def test_equally_confident_rows_are_covered_together_or_not_at_all() -> None:
    same = np.full(4, 0.8)
    assert coverage_at(same, truths("1100"), 0.9) == coverage_at(same, truths("0011"), 0.9) == 0.0


def test_calibration_error_of_two_bins() -> None:
    """Lower half: mean 0.3, half right: 0.2 off. Upper half: mean 0.8, all right: 0.2 off."""
    p = np.array([0.2, 0.4, 0.7, 0.9])
    assert expected_calibration_error(p, truths("0111"), bins=2) == pytest.approx(0.2)


def test_calibration_error_weighs_bins_by_their_rows() -> None:
    """Three rows in two bins: {0.1, 0.1} both right, 0.9 off; {1.0} right, 0 off."""
    assert expected_calibration_error(np.array([0.1, 0.1, 1.0]), truths("111"), bins=2) == pytest.approx(0.6)


def test_calibration_error_of_fewer_rows_than_bins_is_the_distance_of_each_row() -> None:
    assert expected_calibration_error(np.array([0.25, 0.75]), truths("01")) == pytest.approx(0.25)


@given(st.lists(st.floats(0, 1), max_size=50), st.integers(1, 20))
def test_bins_of_equal_mass_hold_every_row_once_in_order_and_differ_by_one_row_at_most(
    p: list[float], bins: int
) -> None:
    parts = equal_mass_bins(np.array(p), bins)
    assert sorted(row for part in parts for row in part) == list(range(len(p)))
    assert [p[row] for part in parts for row in part] == sorted(p)
    assert len(parts) == min(bins, len(p))
    assert max(map(len, parts), default=0) - min(map(len, parts), default=0) <= 1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_every_figure_is_a_share(rows: list[tuple[float, bool]]) -> None:
    p, right = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    assert 0 <= expected_calibration_error(p, right) <= 1
    assert 0 <= coverage_at(p, right, 0.95) <= coverage_at(p, right, 0.9) <= 1


def test_a_summary_of_four_rows() -> None:
    """Right, right, second, not listed. F1 by hand: a 2/3 (1 of 2 given, 1 of 1), b 2/3, c 0, d 0."""
    rows = [
        Outcome(("a", "b"), 0.9, "a", 0),
        Outcome(("b", "a"), 0.8, "b", 1),
        Outcome(("a", "c"), 0.6, "c", 2),
        Outcome(("b", "a", "c", "d"), 0.4, "d", 3),
    ]
    figures = summary(rows)
    assert figures["n"] == 4
    assert figures["accuracy"] == 0.5
    assert figures["top3"] == 0.75
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 2 / 3) / 4)
    assert figures["coverage_at_90"] == figures["coverage_at_95"] == 0.5
    assert figures["ece"] == pytest.approx((0.1 + 0.2 + 0.6 + 0.4) / 4)


def test_the_table_of_classes_says_what_is_not_known() -> None:
    table = per_class([Outcome(("a",), 0.9, "a", 0), Outcome(("b",), 0.9, "a", 1), Outcome(("a",), 0.9, "c", 2)])
    assert [row["class"] for row in table] == ["a", "c", "b"]
    assert table[0] == {"class": "a", "support": 2, "precision": 0.5, "recall": 0.5}
    assert table[1] == {"class": "c", "support": 1, "precision": None, "recall": 0.0}
    assert table[2] == {"class": "b", "support": 0, "precision": 0.0, "recall": None}


def test_the_report_of_a_router_has_every_answer_and_shares_that_sum_to_one(
    router: Router, examples: list[Example]
) -> None:
    report = evaluate(router, examples[:60], classes=True)
    assert report["answers"].keys() == {"agency", "agency_kind", "category", "urgency", "report_type"}
    assert report["routes"].keys() == {route.value for route in Route}
    assert sum(row["share"] for row in report["routes"].values()) == pytest.approx(1)
    assert sum(row["support"] for row in report["classes"]["agency"]) == report["answers"]["agency"]["n"] == 60


def test_an_outcome_knows_its_row_and_rows_without_a_label_have_none(router: Router, examples: list[Example]) -> None:
    rows = [replace(examples[0], labels={"category": examples[0].labels["category"]}), *examples[1:3]]
    found = outcomes(router.suggest_many([row.complaint for row in rows]), rows)
    assert [outcome.row for outcome in found["agency"]] == [1, 2]
    assert [outcome.row for outcome in found["category"]] == [0, 1, 2]


def test_suggestions_that_are_already_there_give_the_same_report(router: Router, examples: list[Example]) -> None:
    suggestions = router.suggest_many([row.complaint for row in examples[:20]])
    assert evaluation_of(suggestions, examples[:20]) == evaluate(router, examples[:20])


def test_a_report_on_no_rows_is_empty_and_does_not_fail(router: Router) -> None:
    assert evaluate(router, [], classes=True)["answers"] == {}
