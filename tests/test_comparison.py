"""Two releases on the same complaints: who was right more often, of which classes, and how sure that is."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from training.answered import FORWARD_FILE, Answered, write_answered
from training.comparison import (
    CHAMPION_FILE,
    ClassChange,
    Pair,
    changed,
    class_changes,
    difference,
    read_pairs,
    sign_test,
    wilson,
)

LAMPS, ROADS, WASTE = "lampu", "jalan", "sampah"


def said(key: int, wanted: str, given: str, p: float = 0.8, held_back: bool = True) -> Answered:
    return Answered(
        key=key,
        received_at=datetime(2026, 1, 1, 8, 30),
        held_back=held_back,
        given={"agency": (given, p), "unit": (given, p)},
        wanted={"agency": wanted, "unit": wanted} if wanted else {},
        agency_p=p if given == wanted else 0.0,
        danger=0.0,
    )


def pair(wanted: str, new: str, old: str, p: float = 0.8, key: int = 0) -> Pair:
    """What both said of a complaint; the newer one with this probability."""
    return Pair(said(key, wanted, new, p), said(key, wanted, old))


def pairs(wanted: str, both: int = 0, gained: int = 0, lost: int = 0, neither: int = 0) -> list[Pair]:
    other = ROADS if wanted != ROADS else LAMPS
    return [
        *[pair(wanted, wanted, wanted)] * both,
        *[pair(wanted, wanted, other)] * gained,
        *[pair(wanted, other, wanted)] * lost,
        *[pair(wanted, other, other)] * neither,
    ]


def test_both_are_counted_on_the_same_complaints_and_the_interval_holds_the_lead() -> None:
    found = difference(pairs(LAMPS, both=60, gained=15, lost=5, neither=20), "agency")
    assert found is not None
    assert (found.n, found.champion, found.challenger) == (100, 0.65, 0.75)
    low, high = found.interval
    assert found.lead == pytest.approx(0.1)
    assert low < found.lead < high
    assert found.clear
    assert found == difference(pairs(LAMPS, both=60, gained=15, lost=5, neither=20), "agency")


@pytest.mark.parametrize(("gained", "lost", "clear"), [(20, 2, True), (2, 20, True), (6, 5, False), (0, 0, False)])
def test_a_difference_is_clear_only_if_its_interval_leaves_out_nothing_at_all(
    gained: int, lost: int, clear: bool
) -> None:
    found = difference(pairs(LAMPS, both=80, gained=gained, lost=lost), "agency")
    assert found is not None
    assert found.clear == clear


def test_an_answer_without_a_label_or_an_opinion_of_both_is_not_compared() -> None:
    known = pairs(LAMPS, both=3)
    mute = replace(known[0].old, given={})
    assert difference([Pair(known[0].new, mute), pair("", LAMPS, LAMPS)], "agency") is None
    found = difference([*known, Pair(known[0].new, mute), pair("", LAMPS, LAMPS)], "agency")
    assert found is not None
    assert found.n == 3
    assert difference(known, "category") is None


def test_classes_come_by_what_changed_most_and_count_both_ways() -> None:
    rows = [
        *pairs(LAMPS, both=30, gained=2, lost=2, neither=6),
        *pairs(ROADS, both=5, gained=1, lost=6),
        *pairs(WASTE, both=50),
    ]
    assert class_changes(rows, "agency") == [
        ClassChange(ROADS, n=12, champion=11, challenger=6, gained=1, lost=6),
        ClassChange(LAMPS, n=40, champion=32, challenger=32, gained=2, lost=2),
        ClassChange(WASTE, n=50, champion=50, challenger=50, gained=0, lost=0),
    ]


def test_a_class_changed_clearly_where_gains_and_losses_are_too_unlike_for_chance() -> None:
    assert ClassChange(LAMPS, 20, 10, 16, gained=6, lost=0).clear
    assert not ClassChange(LAMPS, 20, 10, 15, gained=5, lost=0).clear
    assert not ClassChange(LAMPS, 20, 10, 14, gained=6, lost=2).clear


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_test_of_gains_and_losses_is_the_exact_one(gained: int, lost: int) -> None:
    exact = binomtest(gained, gained + lost, 0.5).pvalue if gained + lost else 1.0
    assert sign_test(gained, lost) == pytest.approx(exact, abs=1e-9)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_of_a_share_is_wilsons(counted: tuple[int, int]) -> None:
    hits, n = counted
    exact = binomtest(hits, n).proportion_ci(0.95, method="wilson")
    assert wilson(hits, n) == (pytest.approx(exact.low, abs=1e-9), pytest.approx(exact.high, abs=1e-9))


def test_examples_are_those_only_one_was_right_of_the_surest_first() -> None:
    unsure, sure = pair(LAMPS, LAMPS, ROADS, 0.4, key=1), pair(LAMPS, LAMPS, ROADS, 0.9, key=2)
    lost = pair(LAMPS, ROADS, LAMPS, 0.7, key=3)
    both, neither = pair(LAMPS, LAMPS, LAMPS, key=4), pair(LAMPS, ROADS, WASTE, key=5)
    assert changed([unsure, both, lost, sure, neither], "agency") == ([sure, unsure], [lost])


def test_what_both_said_is_read_back_from_the_folder_of_the_newer_release(tmp_path: Path) -> None:
    new = [said(1, LAMPS, LAMPS, held_back=False), *(said(key, LAMPS, ROADS) for key in (2, 3, 4))]
    write_answered(new, tmp_path / FORWARD_FILE)
    assert read_pairs(tmp_path) is None
    write_answered([said(3, LAMPS, LAMPS), said(1, LAMPS, LAMPS)], tmp_path / CHAMPION_FILE)
    (found,) = read_pairs(tmp_path) or ()
    assert (found.new.key, found.old.key) == (3, 3)
    assert found.right("agency") == (False, True)
