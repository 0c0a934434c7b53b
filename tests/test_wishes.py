"""What a wish for precision would do: chosen on earlier answers, counted on later ones, and why some are not met."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from test_thresholds import calibrated, row

from router_model.errors import PortalError
from training.answered import Answered
from training.thresholds import RISK, choose_policy, effect, unlikely
from training.wishes import STEPS, Record, Wish, fewest_faultless

EMERGENCY = 0.12


def history(earlier: int, later: int, seed: int = 5) -> list[Answered]:
    """Calibrated answers of several agencies; the last ones are held back."""
    units = ("dinas", "kantor", "badan")
    rows = [row(item.given["agency"][1], item.right("agency"), units[number % 3]) for number, item in enumerate(
        calibrated(earlier + later, seed, least=0.5)
    )]  # fmt: skip
    return [held(item, number >= earlier) for number, item in enumerate(rows)]


def held(item: Answered, back: bool) -> Answered:
    return Answered(0, None, back, item.given, item.wanted, item.agency_p, item.danger)


def by_hand(rows: Sequence[Answered], wish: Wish, external: frozenset[str] = frozenset()) -> object:
    """Without the short cuts."""
    earlier = [item for item in rows if not item.held_back]
    return effect(choose_policy(earlier, wish.named(EMERGENCY), 1.0), rows, external)


@settings(deadline=None, max_examples=60)
@given(st.floats(0.001, 0.999), st.integers(0, 700))
def test_so_few_hits_are_unlikely_by_the_exact_binomial_test(rate: float, trials: int) -> None:
    most, n = unlikely(rate, trials), np.arange(trials + 1)
    some = most >= 0
    assert (binom.cdf(most, n, rate)[some] <= RISK + 1e-9).all()
    assert (binom.cdf(most + 1, n, rate) > RISK - 1e-9).all()


def test_many_trials_are_counted_as_exactly_as_few() -> None:
    most, n = unlikely(0.03, 200_000), 200_000
    assert binom.cdf(most[-1], n, 0.03) <= RISK < binom.cdf(most[-1] + 1, n, 0.03)


def test_every_wish_of_the_desk_is_foreseen_as_choosing_and_counting_one_by_one_would() -> None:
    rows = [*history(900, 300), held(row(0.99, unit="@kelurahan"), True), held(row(0.99, unit="pln"), True)]
    record = Record(rows, EMERGENCY, frozenset({"pln"}))
    wishes = [Wish(auto, prefill) for auto in STEPS[::5] for prefill in STEPS[::5] if prefill <= auto]
    found = record.foreseen(wishes)
    assert list(found) == wishes
    for wish in wishes:
        assert found[wish] == by_hand(rows, wish, frozenset({"pln"})), wish
    assert found[Wish(STEPS[0], STEPS[0])].rows == 302
    assert len({item.auto for item in found.values()}) > 3


def test_the_steps_go_from_80_to_99_and_a_half_percent() -> None:
    assert (STEPS[0], STEPS[-1], len(STEPS)) == (0.8, 0.995, 40)
    assert 0.97 in STEPS
    assert 0.9 in STEPS


def test_the_rows_an_effect_is_counted_on_have_no_part_in_choosing() -> None:
    """The later rows are all wrong: they make the effect bad, and change no threshold."""
    rows = history(900, 0)
    wish = Wish(0.8, 0.8)
    bad = [held(row(0.99, right=False), True) for _ in range(100)]
    found = Record([*rows, *bad], EMERGENCY).foreseen([wish])[wish]
    assert (found.rows, found.auto, found.auto_right) == (100, 100, 0)
    assert Record([*rows, *bad], EMERGENCY).thresholds([0.8]) == Record(rows, EMERGENCY).thresholds([0.8])


def test_without_held_back_answers_there_is_nothing_to_count() -> None:
    wish = Wish(0.9, 0.8)
    found = Record(history(50, 0), EMERGENCY).foreseen([wish])[wish]
    assert (found.rows, found.auto, found.prefill) == (0, 0, 0)


@pytest.mark.parametrize(("precision", "rows"), [(0.8, 30), (0.9, 30), (0.97, 99), (0.995, 598)])
def test_a_precision_takes_so_many_faultless_rows_to_prove(precision: float, rows: int) -> None:
    assert fewest_faultless(precision) == rows
    enough, too_few = [row(0.9)] * rows, [row(0.9)] * (rows - 1)
    assert Record([held(item, False) for item in enough], EMERGENCY).lacking([precision]) == [""]
    (said,) = Record([held(item, False) for item in too_few], EMERGENCY).lacking([precision])
    assert f"sedikitnya {rows} laporan" in said
    assert f"baru ada {rows - 1}" in said


def test_where_rows_are_enough_but_too_often_wrong_it_says_so() -> None:
    rows = [held(row(0.9, number % 10 > 0), False) for number in range(800)]
    sure, unproven = Record(rows, EMERGENCY).lacking([0.85, 0.97])
    assert sure == ""
    assert "pada 800 laporan terdahulu" in unproven


@pytest.mark.parametrize("value", [1.0, 0, 97, "0.9", True])
def test_a_wish_in_the_portal_folder_that_is_no_share_is_named(value: object) -> None:
    with pytest.raises(PortalError, match="precision_auto"):
        choose_policy((), {"precision_auto": value}, 1.0)
