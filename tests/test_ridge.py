"""Ridge regression on inner products is ridge regression, and what was decided lately counts for more."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from training.ridge import EXACT_ROWS, HEAVY, Days, Floats, Learning, Recency, gram, ridge

RECENCY = Recency(steady=0.6, fade=30.0)
MOMENTS = st.lists(st.floats(0, 5_000) | st.just(float("nan")), min_size=1, max_size=15).map(np.array)
KERNELS = st.builds(Recency, st.floats(0.05, 1), st.floats(0.5, 500))
DATES = np.array([np.nan, 0, 10, 10, 25, 40, 90, np.nan, 91, 120])


@pytest.fixture
def rows() -> sp.csr_matrix:
    return sp.random(len(DATES), 6, 0.6, format="csr", dtype=np.float32, random_state=3)


@pytest.fixture
def targets() -> Floats:
    return np.random.default_rng(4).normal(size=(len(DATES), 3)).astype(np.float32)


def of_few_words(words: list[str]) -> sp.csr_matrix:
    """One term a word, one word a row."""
    terms = {"lampu": 0, "sampah": 1}
    columns = [terms[word] for word in words]
    return sp.csr_matrix((np.ones(len(words), np.float32), (range(len(words)), columns)))


def test_inner_products_are_those_of_the_dense_rows() -> None:
    """More rows than one strip; a term in every row and terms in hardly any."""
    rare = sp.random(1_100, 60, HEAVY / 4, format="csr", dtype=np.float32, random_state=1)
    common = sp.random(1_100, 3, 0.7, format="csr", dtype=np.float32, random_state=2)
    rows = sp.hstack([rare, common], format="csr")
    dense = rows.toarray().astype(np.float64)
    assert np.abs(gram(rows) - dense @ dense.T).max() < 1e-5


@pytest.mark.parametrize("dense", [np.eye(200, dtype=np.float32), np.ones((5, 3), np.float32)], ids=["rare", "common"])
def test_inner_products_of_only_rare_and_of_only_common_terms(dense: Floats) -> None:
    assert gram(sp.csr_matrix(dense)).tolist() == (dense @ dense.T).tolist()


@settings(deadline=None)
@given(KERNELS, MOMENTS)
def test_moments_are_alike_in_both_directions_and_equal_to_themselves(recency: Recency, days: Days) -> None:
    alike = recency.between(days, days)
    assert np.array_equal(alike, alike.T)
    assert alike.diagonal().tolist() == [1.0] * len(days)
    assert alike.min() >= np.float32(recency.steady)
    assert alike.max() <= 1


@settings(deadline=None)
@given(KERNELS, MOMENTS)
def test_what_moments_have_in_common_is_an_inner_product(recency: Recency, days: Days) -> None:
    assert np.linalg.eigvalsh(recency.between(days, days).astype(np.float64)).min() > -1e-5


def test_two_moments_have_less_in_common_the_farther_they_are_apart() -> None:
    """0.6 for ever, 0.4 falling to a third (1/e) every 30 days."""
    alike = RECENCY.between(np.array([100.0]), np.array([100, 70, 130, 40, -1e9]))[0]
    assert alike == pytest.approx([1, 0.6 + 0.4 / np.e, 0.6 + 0.4 / np.e, 0.6 + 0.4 / np.e**2, 0.6])


def test_what_has_no_date_shares_only_the_steady_part_with_what_has_one() -> None:
    alike = RECENCY.between(np.array([np.nan, 7]), np.array([7, np.nan, 5_000]))
    assert alike == pytest.approx(np.array([[0.6**0.5, 1, 0.6**0.5], [1, 0.6**0.5, 0.6]]))


def test_coefficients_score_a_complaint_of_today_as_the_inner_products_do(rows: sp.csr_matrix, targets: Floats) -> None:
    terms = rows.toarray().astype(np.float64)
    alike = RECENCY.between(DATES, DATES).astype(np.float64)
    duals = np.linalg.solve((terms @ terms.T) * alike + 1.5 * np.eye(len(terms)), targets)
    new = np.random.default_rng(5).random((4, terms.shape[1]))
    wanted = ((new @ terms.T) * RECENCY.between(np.full(4, 120.0), DATES)) @ duals
    assert new @ ridge(rows, targets, Learning(1.5, RECENCY), DATES) == pytest.approx(wanted, abs=1e-4)


def test_time_counts_for_every_row_of_a_long_history() -> None:
    """More rows than are handled at once; the terms change hands every 400 days."""
    size = 1_100
    terms = np.eye(3)[np.arange(size) % 3]
    targets = np.eye(3, dtype=np.float32)[(np.arange(size) + np.arange(size) // 400) % 3]
    days = np.arange(size, dtype=np.float64)
    duals = np.linalg.solve((terms @ terms.T) * RECENCY.between(days, days) + 1.5 * np.eye(size), targets)
    wanted = terms.T @ (duals * RECENCY.between(days, days[-1:]))
    found = ridge(sp.csr_matrix(terms, dtype=np.float32), targets, Learning(1.5, RECENCY), days)
    assert found == pytest.approx(wanted, abs=1e-3)


def test_it_is_ridge_regression_on_terms_crossed_with_what_moments_share(rows: sp.csr_matrix, targets: Floats) -> None:
    """Any square root of the likeness of moments serves as features of a moment; today is the latest date."""
    values, vectors = np.linalg.eigh(RECENCY.between(DATES, DATES).astype(np.float64))
    moments = vectors * np.sqrt(np.maximum(values, 0))
    terms = rows.toarray()
    crossed = np.einsum("rt,rm->rtm", terms, moments).reshape(len(terms), -1)
    plain = Ridge(alpha=1.5, fit_intercept=False).fit(crossed, targets)
    today = plain.coef_.reshape(3, terms.shape[1], -1) @ moments[np.nanargmax(DATES)]
    assert ridge(rows, targets, Learning(1.5, RECENCY), DATES) == pytest.approx(today.T, abs=1e-4)


@pytest.mark.parametrize("days", [np.full(10, np.nan), np.full(10, 400.0)], ids=["no dates", "one day"])
def test_without_differences_in_time_it_is_plain_ridge(rows: sp.csr_matrix, targets: Floats, days: Days) -> None:
    plain = Ridge(alpha=0.7, fit_intercept=False).fit(rows.toarray(), targets)
    assert ridge(rows, targets, Learning(0.7, RECENCY), days) == pytest.approx(plain.coef_.T, abs=1e-4)


def test_where_nothing_fades_dates_do_not_matter(rows: sp.csr_matrix, targets: Floats) -> None:
    plain = Ridge(alpha=0.7, fit_intercept=False).fit(rows.toarray(), targets)
    assert ridge(rows, targets, Learning(0.7, Recency(steady=1.0)), DATES) == pytest.approx(plain.coef_.T, abs=1e-4)


def test_only_the_distance_between_dates_counts(rows: sp.csr_matrix, targets: Floats) -> None:
    once = ridge(rows, targets, Learning(1, RECENCY), DATES)
    assert ridge(rows, targets, Learning(1, RECENCY), DATES + 3_650) == pytest.approx(once, abs=1e-6)


def test_the_same_words_are_answered_as_they_were_decided_last() -> None:
    """Twelve complaints about lamps went to the first agency, since half a year they go to the second."""
    rows = of_few_words(["lampu"] * 18 + ["sampah"] * 3)
    targets = np.repeat(np.eye(3, dtype=np.float32), [12, 6, 3], axis=0)
    days = np.array([*range(12), *range(200, 206), *range(3)], dtype=np.float64)
    fading = Learning(1.2, Recency(steady=0.5, fade=60))
    lamp, litter = ridge(rows, targets, fading, days)
    assert lamp.argmax() == 1
    assert litter.argmax() == 2
    assert ridge(rows, targets, fading, np.full(21, np.nan))[0].argmax() == 0


def test_more_rows_than_fit_in_memory_are_solved_without_time() -> None:
    size = EXACT_ROWS + 1
    rows = sp.random(size, 4, 0.5, format="csr", dtype=np.float32, random_state=6)
    targets = np.eye(2, dtype=np.float32)[np.arange(size) % 2]
    terms = rows.toarray().astype(np.float64)
    plain = np.linalg.solve(terms.T @ terms + 1.2 * np.eye(4), terms.T @ targets)
    days = np.linspace(0, 3_000, size)
    assert ridge(rows, targets, Learning(1.2, RECENCY), days) == pytest.approx(plain, abs=1e-3)
