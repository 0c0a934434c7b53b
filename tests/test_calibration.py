"""Probabilities are distributions, and agency and category agree without inventing or losing any."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from router_model.calibration import AGENCIES_JOINED, CATEGORIES_JOINED, Agreement, Floats, Link
from training.calibration import MOST_ROWS_LINKED, fit_agreement, fit_link, frequencies, log_lift, targets
from training.pipeline import label_matrix

SCORES = arrays(np.float32, (3, 7), elements=st.floats(-2, 2, width=32))


def joined(rule: Agreement, units: Floats, categories: Floats) -> tuple[Floats, Floats, int]:
    """The rule for one complaint."""
    unit_p, category_p, best = rule.joint(units[None], categories[None])
    return unit_p[0], category_p[0], int(best[0])


def even(size: int) -> Floats:
    return np.full(size, -np.log(size), np.float32)


@given(SCORES, st.floats(0.1, 12), st.floats(1e-5, 1), st.floats(-1, 1))
def test_a_link_gives_a_distribution_in_every_row(scores: Floats, power: float, floor: float, balance: float) -> None:
    logs = Link(power, floor, balance, even(7)).log_probabilities(scores)
    assert np.exp(logs.astype(float)).sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)
    assert logs.max() <= 1e-6


def test_a_link_keeps_the_scores_it_is_given() -> None:
    scores = np.array([0.5, 0.1], np.float32)
    Link().log_probabilities(scores)
    assert scores.tolist() == pytest.approx([0.5, 0.1])


def test_a_link_is_the_power_of_score_and_floor() -> None:
    """(0.9 + 0.1)^2 : (0.4 + 0.1)^2 : (0 + 0.1)^2 = 1 : 0.25 : 0.01."""
    p = np.exp(Link(power=2, floor=0.1).log_probabilities(np.array([0.9, 0.4, -5], np.float32)))
    assert p == pytest.approx(np.array([1, 0.25, 0.01]) / 1.26, abs=1e-6)


def test_the_balance_divides_by_the_frequency() -> None:
    """Equal scores; a class four times as frequent gets a quarter with balance 1."""
    frequency = np.log(np.array([0.8, 0.2], np.float32))
    p = np.exp(Link(2, 0.1, 1, frequency).log_probabilities(np.array([0.4, 0.4], np.float32)))
    assert p == pytest.approx([0.2, 0.8], abs=1e-6)


def test_equal_scores_are_equal_probabilities() -> None:
    assert np.exp(Link().log_probabilities(np.zeros(4, np.float32))) == pytest.approx([0.25] * 4)


@given(arrays(np.float32, 30, elements=st.floats(-9, 0, width=32)), arrays(np.float32, 40, elements=st.floats(-9, 0)))
def test_joining_keeps_the_sum_of_both_answers(units: Floats, categories: Floats) -> None:
    units, categories = (np.asarray(x - np.log(np.exp(x).sum()), np.float32) for x in (units, categories))
    lift = np.linspace(-1, 1, 1200, dtype=np.float32).reshape(40, 30)
    rule = Agreement(0.9, 1.1, 0.5, lift, np.ones((40, 30), bool))
    unit_p, category_p, _ = joined(rule, units, categories)
    assert unit_p.sum() == pytest.approx(1, abs=1e-4)
    assert category_p.sum() == pytest.approx(1, abs=1e-4)
    unlikely = np.argsort(-units, kind="stable")[AGENCIES_JOINED:]
    assert unit_p[unlikely] == pytest.approx(np.exp(units)[unlikely])
    unlikely = np.argsort(-categories, kind="stable")[CATEGORIES_JOINED:]
    assert category_p[unlikely] == pytest.approx(np.exp(categories)[unlikely])


def test_without_lift_both_answers_stay_as_they_are() -> None:
    units, categories = np.log(np.array([0.7, 0.3], np.float32)), np.log(np.array([0.6, 0.4], np.float32))
    rule = Agreement(1, 1, 0, np.ones((2, 2), np.float32), np.ones((2, 2), bool))
    unit_p, category_p, best = joined(rule, units, categories)
    assert unit_p == pytest.approx([0.7, 0.3])
    assert category_p == pytest.approx([0.6, 0.4])
    assert best == 0


def test_a_category_that_speaks_for_an_agency_raises_it() -> None:
    """Joint by hand: 0.5 x 0.9 x 1, 0.5 x 0.1 x 1, 0.5 x 0.9 x 3, 0.5 x 0.1 x 1 over their sum 1.9."""
    lift = np.log(np.array([[1, 3], [1, 1]], np.float32))
    rule = Agreement(1, 1, 1, lift, np.ones((2, 2), bool))
    unit_p, category_p, _ = joined(rule, even(2), np.log(np.array([0.9, 0.1], np.float32)))
    assert unit_p == pytest.approx([0.5 / 1.9, 1.4 / 1.9], abs=1e-6)
    assert category_p == pytest.approx([1.8 / 1.9, 0.1 / 1.9], abs=1e-6)


def test_the_category_of_an_agency_is_one_it_may_own() -> None:
    units, categories = np.log(np.array([0.9, 0.1], np.float32)), np.log(np.array([0.8, 0.2], np.float32))
    lift = np.zeros((2, 2), np.float32)
    both = Agreement(1, 1, 0, lift, np.array([[False, True], [True, True]]))
    none = Agreement(1, 1, 0, lift, np.array([[False, True], [False, True]]))
    assert joined(both, units, categories)[2] == 1
    assert joined(none, units, categories)[2] == -1


def test_frequencies_and_lift_are_counts_with_pseudo_rows() -> None:
    units = label_matrix(["a", "a", "b", ""], ["a", "b"])
    categories = label_matrix(["x", "x", "y", "y"], ["x", "y"])
    assert np.exp(frequencies(units)) == pytest.approx([2.5 / 4, 1.5 / 4])
    prior = np.array([2.5, 1.5]) / 4
    wanted = np.array([[2 + prior[0], prior[1]], [prior[0], 1 + prior[1]]]) / [[3], [2]] / prior
    assert np.exp(log_lift(units, categories)) == pytest.approx(wanted, abs=1e-5)
    assert targets(units).tolist() == [0, 0, 1, -1]


def test_few_rows_give_the_default_and_many_a_better_link() -> None:
    generator = np.random.default_rng(7)
    wanted = generator.integers(0, 3, 400)
    scores = (np.eye(3)[wanted] * 0.4 + generator.normal(0, 0.15, (400, 3))).astype(np.float32)
    assert fit_link(scores[:29], wanted[:29], even(3)) == Link()
    fitted = fit_link(scores, wanted, even(3))

    def loss(link: Link) -> float:
        return -float(link.log_probabilities(scores)[np.arange(400), wanted].mean())

    assert loss(fitted) < loss(Link())


def test_scores_that_are_never_wrong_are_fitted_without_a_warning() -> None:
    """The best floor is then 0, whose logarithm does not exist."""
    wanted = np.arange(60) % 3
    link = fit_link(np.eye(3, dtype=np.float32)[wanted], wanted, even(3))
    assert np.isfinite(link.log_probabilities(np.zeros(3, np.float32))).all()


def test_rows_without_a_label_say_nothing_about_a_link() -> None:
    generator = np.random.default_rng(8)
    wanted = generator.integers(0, 3, 90)
    scores = (np.eye(3)[wanted] * 0.4 + generator.normal(0, 0.15, (90, 3))).astype(np.float32)
    silent = generator.normal(0, 5, (50, 3)).astype(np.float32)
    labels = np.concatenate([wanted, np.full(50, -1)])
    alone, mixed = fit_link(scores, wanted, even(3)), fit_link(np.vstack([scores, silent]), labels, even(3))
    assert (alone.power, alone.floor, alone.balance) == (mixed.power, mixed.floor, mixed.balance)


def test_of_very_many_rows_an_even_sample_is_fitted_and_not_the_first_of_them() -> None:
    """The scores of the first third are always right, those of the others right half the time."""
    size = 3 * MOST_ROWS_LINKED
    scores = np.tile(np.array([0.8, 0.2], np.float32), (size, 1))
    wanted = np.where(np.arange(size) < size / 3, 0, np.random.default_rng(9).integers(0, 2, size))
    p = np.exp(fit_link(scores, wanted, even(2)).log_probabilities(scores[:1]))[0]
    assert p[0] == pytest.approx(2 / 3, abs=0.03)


def test_agreement_of_many_rows_is_likelier_than_trusting_each_answer_by_itself() -> None:
    """Categories are known for sure, units hardly, and each category has its unit."""
    generator = np.random.default_rng(10)
    wanted = generator.integers(0, 3, 300)
    units = Link().log_probabilities((np.eye(3)[wanted] * 0.1 + generator.random((300, 3))).astype(np.float32))
    categories = Link().log_probabilities((np.eye(3)[wanted] + generator.random((300, 3)) * 0.2).astype(np.float32))
    labels = label_matrix([str(number) for number in wanted], ["0", "1", "2"])
    lift, allowed = log_lift(labels, labels), np.ones((3, 3), bool)
    rule = fit_agreement(units, categories, wanted, wanted, lift, allowed)
    unit_p, _, _ = rule.joint(units, categories)
    assert rule.trust_lift > 0.2
    assert (units.argmax(axis=1) == wanted).mean() < 0.6
    assert (unit_p.argmax(axis=1) == wanted).mean() > 0.95


def test_agreement_of_few_rows_trusts_both_answers_and_no_lift() -> None:
    lift, allowed = np.ones((2, 2), np.float32), np.ones((2, 2), bool)
    rows = np.array([0, 1])
    rule = fit_agreement(np.stack([even(2)] * 2), np.stack([even(2)] * 2), rows, rows, lift, allowed)
    assert (rule.trust_agency, rule.trust_category, rule.trust_lift) == (1, 1, 0)


def test_categories_that_only_one_agency_has_do_not_draw_the_others_to_it() -> None:
    """Of three agencies only the first has category labels, so the category always says the first one's."""
    generator = np.random.default_rng(3)
    wanted = generator.integers(0, 3, 300)
    units = Link().log_probabilities((np.eye(3)[wanted] + generator.random((300, 3))).astype(np.float32))
    categories = Link().log_probabilities(np.tile(np.array([0.9, 0.05], np.float32), (300, 1)))
    told = np.where(wanted == 0, 0, -1)
    unit_labels = label_matrix([str(number) for number in wanted], ["0", "1", "2"])
    category_labels = label_matrix(["a" if number == 0 else "" for number in wanted], ["a", "b"])
    lift = log_lift(unit_labels, category_labels)
    rule = fit_agreement(units, categories, wanted, told, lift, np.ones((2, 3), bool))
    unit_p, _, _ = rule.joint(units, categories)
    assert (unit_p.argmax(axis=1) == wanted).mean() > (units.argmax(axis=1) == wanted).mean() - 0.02
