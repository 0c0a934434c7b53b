"""Thresholds keep the precision that was asked for on complaints that come later, and say so where none can."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binomtest

from router_model.policy import NEVER, Policy, Threshold
from training.answered import Answered
from training.thresholds import (
    CANDIDATES_HOLD,
    FEWEST_FOR_OWN,
    FEWEST_FOR_THRESHOLD,
    Effect,
    agency_threshold,
    candidate_threshold,
    choose_policy,
    effect,
    smallest_sure,
)
from training.trainer import Trained

STEPS = st.integers(0, 12).map(lambda step: step / 12)
COUNTED = st.dictionaries(STEPS, st.tuples(st.integers(0, 80), st.integers(0, 4)), min_size=1)
"""How many answers of a probability were right and wrong: many equal ones, most of them right."""
ROWS = COUNTED.map(lambda table: [(p, n < right) for p, (right, wrong) in table.items() for n in range(right + wrong)])
PRECISIONS = st.floats(0.5, 0.99)


def columns(rows: Sequence[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    return np.array([p for p, _ in rows]), np.array([right for _, right in rows], dtype=bool)


def row(p: float, right: bool = True, unit: str = "dinas", **changed: Any) -> Answered:
    """One answer for an agency, and for the category of the same name."""
    label = unit if right else "lain"
    fields: dict[str, Any] = {
        "key": 0,
        "received_at": None,
        "held_back": True,
        "given": dict.fromkeys(("agency", "unit", "category"), (unit, p)),
        "wanted": dict.fromkeys(("agency", "unit", "category"), label),
        "agency_p": p if right else 0.0,
        "danger": 0.0,
    }
    return Answered(**fields | changed)


def calibrated(size: int, seed: int, least: float = 0.3) -> list[Answered]:
    """Probabilities that are exactly how often they are right."""
    chance = np.random.default_rng(seed)
    return [row(p, chance.random() < p) for p in chance.uniform(least, 1, size).tolist()]


@settings(deadline=None)
@given(ROWS, PRECISIONS)
def test_the_rows_a_threshold_takes_keep_the_promise_by_an_exact_test(
    rows: list[tuple[float, bool]], precision: float
) -> None:
    """One-sided 95 % is the lower end of the two-sided 90 % interval."""
    p, right = columns(rows)
    threshold = smallest_sure(p, right, precision)
    assume(threshold <= 1)
    taken = right[p >= threshold]
    assert len(taken) >= FEWEST_FOR_THRESHOLD
    low = binomtest(int(taken.sum()), len(taken)).proportion_ci(0.90, method="exact").low
    assert low >= precision - 1e-9


@settings(deadline=None)
@given(ROWS, PRECISIONS)
def test_no_smaller_threshold_keeps_it(rows: list[tuple[float, bool]], precision: float) -> None:
    p, right = columns(rows)
    threshold = smallest_sure(p, right, precision)
    for lower in {value for value in p.tolist() if value < threshold}:
        taken = right[p >= lower]
        low = binomtest(int(taken.sum()), len(taken)).proportion_ci(0.90, method="exact").low
        assert len(taken) < FEWEST_FOR_THRESHOLD or low < precision + 1e-9


@settings(deadline=None)
@given(ROWS, PRECISIONS, PRECISIONS)
def test_who_asks_for_more_gets_no_lower_threshold(
    rows: list[tuple[float, bool]], precision: float, other: float
) -> None:
    less, more = (smallest_sure(*columns(rows), asked) for asked in sorted((precision, other)))
    assert less <= more


@settings(deadline=None)
@given(ROWS, PRECISIONS, st.randoms())
def test_the_order_of_the_rows_does_not_matter(rows: list[tuple[float, bool]], precision: float, chance: Any) -> None:
    shuffled = chance.sample(rows, len(rows))
    assert smallest_sure(*columns(rows), precision) == smallest_sure(*columns(shuffled), precision)


@settings(deadline=None)
@given(ROWS, PRECISIONS)
def test_a_threshold_is_a_probability_that_was_given_or_never(rows: list[tuple[float, bool]], precision: float) -> None:
    p, right = columns(rows)
    assert smallest_sure(p, right, precision) in {NEVER, *p.tolist()}


def test_on_calibrated_answers_the_promise_is_broken_hardly_ever() -> None:
    """Right with probability p, p even from 0.3 to 1: above t the true precision is (1 + t) / 2."""
    chance = np.random.default_rng(11)
    broken = 0
    for _ in range(300):
        p = chance.uniform(0.3, 1, 1_000)
        threshold = smallest_sure(p, chance.random(1_000) < p, 0.90)
        broken += threshold <= 1 and (1 + threshold) / 2 < 0.90
    assert broken / 300 < 0.08


def test_a_threshold_needs_thirty_rows_and_the_bound_of_clopper_and_pearson() -> None:
    """With n of n right the one-sided 95 % bound is 0.05^(1/n): 0.905 for 30."""
    assert 0.904 < 0.05 ** (1 / 30) < 0.906
    p = np.linspace(0.99, 0.70, FEWEST_FOR_THRESHOLD)
    right = np.ones(FEWEST_FOR_THRESHOLD, bool)
    assert smallest_sure(p, right, 0.90) == pytest.approx(0.70)
    assert smallest_sure(p, right, 0.91) > 1
    assert smallest_sure(p[:-1], right[:-1], 0.90) > 1


def test_a_threshold_stops_where_errors_become_too_many() -> None:
    """100 of 100 right, then only wrong ones: the bound for 101 with 1 wrong is 0.954, with 2 wrong 0.939."""
    p, right = np.linspace(1, 0.5, 140), np.arange(140) < 100
    assert smallest_sure(p, right, 0.95) == pytest.approx(p[100])
    assert smallest_sure(p, right, 0.94) == pytest.approx(p[100])


def test_a_threshold_counts_every_row_that_stands_at_it() -> None:
    assert smallest_sure(np.full(100, 0.5), np.arange(100) < 30, 0.90) > 1


@pytest.mark.parametrize("right", [np.empty(0, bool), np.zeros(40, bool)])
def test_no_threshold_is_named_where_none_is_good_enough(right: np.ndarray) -> None:
    assert smallest_sure(np.linspace(0, 1, len(right)), right, 0.9) > 1


@pytest.mark.parametrize("size", [FEWEST_FOR_OWN - 1, FEWEST_FOR_OWN])
def test_an_agency_that_is_right_more_often_has_a_lower_threshold_if_it_is_suggested_often(size: int) -> None:
    """At 0.5 the office is always right and the others are half the time; together they stop at 0.9."""
    office = [row(0.9 if number < 50 else 0.5, unit="kantor") for number in range(size)]
    others = [row(0.9, unit=f"dinas {number}") for number in range(100)]
    others += [row(0.5, number % 2 == 0, unit=f"dinas {number}") for number in range(200)]
    own = {"kantor": 0.5} if size == FEWEST_FOR_OWN else {}
    assert agency_threshold(office + others, 0.95) == Threshold(0.9, own)


@pytest.mark.parametrize(("sure", "own"), [(0, NEVER), (100, 0.99)])
def test_an_agency_that_the_shared_threshold_is_too_low_for_has_a_higher_one(sure: int, own: float) -> None:
    """At 0.9 nine of ten of its answers are right where 97 of 100 are asked for; `sure` more are right at 0.99."""
    others = [row(0.9, unit=f"dinas {number}") for number in range(3_000)]
    doubtful = [row(0.9, number % 10 > 0, unit="kantor") for number in range(200)]
    certain = [row(0.99, unit="kantor") for _ in range(sure)]
    assert agency_threshold([*others, *doubtful, *certain], 0.97) == Threshold(0.9, {"kantor": own})


def test_an_agency_that_may_be_as_good_as_the_others_shares_their_threshold() -> None:
    """Five of 200 wrong: 97 of 100 is neither proven nor refuted."""
    others = [row(0.9, unit=f"dinas {number}") for number in range(3_000)]
    office = [row(0.9, number >= 5, unit="kantor") for number in range(200)]
    assert agency_threshold(others + office, 0.97) == Threshold(0.9, {})


def test_a_complaint_without_a_label_says_nothing_about_thresholds() -> None:
    rows = calibrated(600, seed=1)
    silent = [row(0.99, wanted={"category": "lain"})] * 300
    assert agency_threshold(rows + silent, 0.9) == agency_threshold(rows, 0.9)
    assert candidate_threshold(rows + silent) == candidate_threshold(rows)
    assert agency_threshold([], 0.9) == Threshold(NEVER, {})


@pytest.mark.parametrize("size", [39, 200])
def test_candidates_hold_the_right_agency_as_often_as_they_say(size: int) -> None:
    """Rows that come later are drawn as the earlier ones were, from probabilities of any shape. Of 39 rows the
    second smallest is taken: exactly 38/40 of later rows reach it."""
    chance = np.random.default_rng(size)
    held = []
    for _ in range(400):
        p = chance.beta(2, 0.7, size + 100)
        threshold = candidate_threshold([row(value) for value in p[:size].tolist()])
        held.append(float((p[size:] >= threshold).mean()))
    assert CANDIDATES_HOLD - 0.007 <= np.mean(held) <= CANDIDATES_HOLD + 0.015


def test_too_few_rows_hold_back_no_candidate() -> None:
    """With 18 rows even the smallest probability is not small enough for 19 of 20."""
    rows = [row(p) for p in np.linspace(0.2, 0.9, 19).tolist()]
    assert candidate_threshold(rows) == pytest.approx(0.2)
    assert candidate_threshold(rows[1:]) == 0.0
    assert candidate_threshold([]) == 0.0


def test_a_policy_takes_its_wishes_from_the_portal_and_keeps_them() -> None:
    wishes = {"precision_auto": 0.95, "precision_prefill": 0.8, "emergency_threshold": 0.3, "lain": 1}
    rows = calibrated(3_000, seed=2)
    policy = choose_policy(rows, wishes, 0.9)
    assert policy == Policy(
        auto=agency_threshold(rows, 0.95),
        prefill=agency_threshold(rows, 0.8),
        category=policy.category,
        candidate=candidate_threshold(rows),
        emergency=0.3,
        place_precision=0.9,
        precision_auto=0.95,
        precision_prefill=0.8,
    )
    usual = choose_policy(rows, {}, 0.9)
    assert (usual.precision_auto, usual.precision_prefill, usual.emergency) == (0.97, 0.9, 0.2)


def test_the_category_has_a_threshold_from_its_own_answers() -> None:
    """Agencies are always right here, categories only where they are sure."""
    rows = [
        replace(row(p), given={"agency": ("a", p), "unit": ("a", p), "category": ("x", p)}, wanted=wanted)
        for p, wanted in [
            (0.9, {"agency": "a", "category": "x"}),
            (0.6, {"agency": "a", "category": "y"}),
            (0.3, {"agency": "a"}),
        ]
        for _ in range(100)
    ]
    policy = choose_policy(rows, {}, 0.9)
    assert (policy.prefill, policy.category) == (Threshold(0.3), 0.9)


def test_a_changed_wish_needs_the_forward_answers_and_no_model() -> None:
    rows = calibrated(3_000, seed=3)
    bold, careful = (choose_policy(rows, {"precision_prefill": asked}, 0.9) for asked in (0.8, 0.95))
    assert bold.prefill.shared < careful.prefill.shared
    assert bold.auto == careful.auto
    assert effect(bold, rows).prefill > effect(careful, rows).prefill


def test_the_effect_counts_held_back_rows_once_each_where_the_first_threshold_takes_them() -> None:
    policy = Policy(auto=Threshold(0.9, {"kantor": 0.7}), prefill=Threshold(0.6, {"balai": 0.4, "kantor": 0.7}))
    rows = [
        row(0.95),
        row(0.9, right=False),
        row(0.8),
        row(0.8, unit="kantor"),
        row(0.6, right=False),
        row(0.5),
        row(0.5, unit="balai"),
        row(0.65, right=False, unit="kantor"),
        row(0.99, held_back=False),
        row(0.99, unit="@kelurahan"),
        row(0.99, wanted={}),
    ]
    found = effect(policy, rows)
    assert found == Effect(rows=9, auto=3, auto_right=2, prefill=3, prefill_right=2)
    assert found.routes() == {
        "auto": {"share": pytest.approx(3 / 9), "precision": pytest.approx(2 / 3)},
        "prefill": {"share": pytest.approx(3 / 9), "precision": pytest.approx(2 / 3)},
    }
    assert effect(policy, []).routes() == {"auto": {"share": 0}, "prefill": {"share": 0}}


def test_the_policy_of_the_sample_keeps_its_promise_on_the_answers_it_was_chosen_on(trained: Trained) -> None:
    policy, rows = trained.router.policy, [item for item in trained.answered if item.judged("agency")]
    taken = [item.right("agency") for item in rows if item.given["agency"][1] >= policy.prefill.shared]
    assert len(taken) >= FEWEST_FOR_THRESHOLD
    assert np.mean(taken) >= policy.precision_prefill
    assert policy.prefill.shared < policy.auto.shared
