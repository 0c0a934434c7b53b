"""From belief to advice: which agency, which category, which route, and why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_model.calibration import Link
from router_model.complaint import Complaint
from router_model.place import PlaceFinder
from router_model.policy import NEVER, Policy, Route, Threshold
from router_model.portal import Agency, Category, Place, Portal
from router_model.prediction import Prediction, Ranked
from router_model.scorer import ModelArrays, Scorer
from router_model.suggestion import Router, Suggestion

PORTAL = Portal(
    code="kecil",
    name="Kota Kecil",
    government="Pemerintah Kota Kecil",
    timezone="Asia/Jakarta",
    agencies=(
        Agency("dishub", "Dinas Perhubungan", "dinas"),
        Agency("pu", "Dinas Pekerjaan Umum", "dinas"),
        Agency("pln", "PLN", "bumn", external=True),
        Agency("kel-melati", "Kelurahan Melati", "kelurahan", territory=("1",), territorial=True),
        Agency("kel-mawar", "Kelurahan Mawar", "kelurahan", territory=("2",), territorial=True),
    ),
    categories=(
        Category("lalu-lintas", "Lalu lintas"),
        Category("parkir", "Parkir", parent="lalu-lintas", units=frozenset({"dishub"})),
        Category("rambu", "Rambu", parent="lalu-lintas", units=frozenset({"dishub", "pu"})),
        Category("jalan", "Jalan"),
        Category("lubang", "Jalan berlubang", parent="jalan", units=frozenset({"pu"})),
        Category("listrik", "Listrik"),
    ),
    urgency=(),
    places=(Place("1", "Melati", "kelurahan"), Place("2", "Mawar", "kelurahan")),
)
SCORER = Scorer(
    ModelArrays(
        vocabularies={"words": ["listrik", "lubang", "parkir"]},
        block_weights=dict.fromkeys(("words", "characters", "title", "place", "local"), 1.0),
        weights=np.ones(3, np.float32),
        coefficients=np.array([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]], np.float32),
        classes={"unit": PORTAL.units},
        links={"unit": Link(power=3, floor=0.01)},
        agreement=None,
        place_words=frozenset(),
    )
)
POLICY = Policy(
    auto=Threshold(0.9), prefill=Threshold(0.6), category=0.7, candidate=0.1, emergency=0.2, place_precision=0.9
)
ROUTER = Router(SCORER, PORTAL, POLICY, PlaceFinder(PORTAL))


def belief(
    units: Mapping[str, float],
    categories: Mapping[str, float] | None = None,
    category: str = "",
    danger: float = 0.0,
    words: tuple[int, int] = (10, 10),
    **place: str,
) -> Prediction:
    """What a model might believe; `words` are those read and those known."""
    answers = {
        "unit": units,
        "category": categories or {},
        "urgency": {"sedang": 1 - danger, "darurat": danger},
    }
    ranked = {
        answer: tuple(Ranked(code, p) for code, p in sorted(given.items(), key=lambda item: -item[1]))
        for answer, given in answers.items()
        if given
    }
    return Prediction(Complaint("", **place), ranked, category, *words)


def advice(prediction: Prediction, **changed: Any) -> Suggestion:
    return replace(ROUTER, policy=replace(POLICY, **changed)).advise(prediction)


def reasons(suggestion: Suggestion) -> list[str]:
    return [reason.code for reason in suggestion.reasons]


@pytest.mark.parametrize(
    ("prediction", "route", "why"),
    [
        (belief({"dishub": 0.95}), Route.AUTO, ["sure"]),
        (belief({"dishub": 0.9}), Route.AUTO, ["sure"]),
        (belief({"dishub": 0.89}), Route.PREFILL, ["fairly_sure"]),
        (belief({"dishub": 0.6}), Route.PREFILL, ["fairly_sure"]),
        (belief({"dishub": 0.59, "pu": 0.2}), Route.REVIEW, ["low_confidence"]),
        (belief({"dishub": 0.5, "pu": 0.4}), Route.REVIEW, ["low_confidence", "ambiguous"]),
        (belief({"pln": 0.95}), Route.EXTERNAL, ["external_agency"]),
        (belief({"pln": 0.5}), Route.REVIEW, ["low_confidence"]),
        (belief({"@kelurahan": 0.95}), Route.INCOMPLETE, ["place_missing"]),
        (belief({"@kelurahan": 0.99}, village="Melati"), Route.PREFILL, ["fairly_sure"]),
        (belief({"dishub": 0.99}, danger=0.2), Route.EMERGENCY, ["danger"]),
        (belief({"dishub": 0.99}, danger=0.19), Route.AUTO, ["sure"]),
        (belief({"dishub": 0.99}, danger=0.4, words=(2, 2)), Route.AUTO, ["sure"]),
        (belief({"dishub": 0.99}, danger=0.6, words=(2, 2)), Route.EMERGENCY, ["danger"]),
        (belief({"dishub": 0.99}, danger=0.9, words=(9, 0)), Route.REVIEW, ["unknown_words"]),
        (belief({"dishub": 0.99}, words=(10, 3)), Route.REVIEW, ["unknown_words"]),
        (belief({"dishub": 0.99}, words=(10, 4)), Route.AUTO, ["sure"]),
        (belief({"dishub": 0.99}, words=(2, 0)), Route.INCOMPLETE, ["too_short"]),
        (belief({"dishub": 0.5}, words=(2, 2)), Route.INCOMPLETE, ["too_short"]),
        (belief({"dishub": 0.99}, words=(0, 0)), Route.INCOMPLETE, ["empty_text"]),
    ],
)
def test_each_belief_takes_its_route_and_says_why(prediction: Prediction, route: Route, why: list[str]) -> None:
    suggestion = ROUTER.advise(prediction)
    assert (suggestion.route, reasons(suggestion)) == (route, why)
    assert bool(suggestion.missing) == (route is Route.INCOMPLETE)


def test_an_agency_with_thresholds_of_its_own_is_held_to_them() -> None:
    own = {"auto": Threshold(0.9, {"dishub": 0.7}), "prefill": Threshold(0.6, {"dishub": 0.4, "pu": 0.8})}
    assert advice(belief({"dishub": 0.75}), **own).route is Route.AUTO
    assert advice(belief({"dishub": 0.45}), **own).route is Route.PREFILL
    assert advice(belief({"pu": 0.85}), **own).route is Route.PREFILL
    assert advice(belief({"dishub": 0.35}), **own).route is Route.REVIEW


def test_an_agency_that_did_not_keep_the_promise_goes_to_a_person_who_reads_why() -> None:
    """Sure enough for others, not for this one: its confidence is not low, it is not proven."""
    unproven = {"prefill": Threshold(0.6, {"pu": NEVER})}
    suggestion = advice(belief({"pu": 0.99}), **unproven)
    assert (suggestion.route, reasons(suggestion)) == (Route.REVIEW, ["agency_unproven"])
    assert "belum terbukti" in suggestion.reasons[0].message
    assert reasons(advice(belief({"pu": 0.59}), **unproven)) == ["low_confidence"]
    assert reasons(advice(belief({"pu": 0.65, "dishub": 0.6}), **unproven)) == ["agency_unproven", "ambiguous"]


def test_the_threshold_of_an_office_is_that_of_its_kind() -> None:
    office = belief({"@kelurahan": 0.8}, village="Mawar")
    suggestion = advice(office, prefill=Threshold(0.6, {"@kelurahan": 0.7}))
    assert suggestion.agency.code == "kel-mawar"
    assert suggestion.agency.p == pytest.approx(0.72)
    assert suggestion.route is Route.PREFILL
    assert advice(office, prefill=Threshold(0.6, {"@kelurahan": 0.73})).route is Route.REVIEW


def test_a_category_that_is_sure_enough_stands_alone() -> None:
    suggestion = advice(belief({"dishub": 0.95}, {"parkir": 0.7, "rambu": 0.3}, "parkir"))
    assert suggestion.category_group is None
    assert reasons(suggestion) == ["sure"]


def test_subcategories_that_are_sure_only_together_are_shown_as_their_parent() -> None:
    suggestion = advice(belief({"dishub": 0.95}, {"parkir": 0.5, "rambu": 0.3, "lubang": 0.2}, "parkir"))
    assert suggestion.category_group == ("lalu-lintas", pytest.approx(0.8))
    assert suggestion.categories[0].code == "parkir"
    assert (suggestion.route, reasons(suggestion)) == (Route.AUTO, ["sure", "category_group"])


def test_a_category_that_stays_unsure_keeps_the_route_of_its_agency_and_says_so() -> None:
    suggestion = advice(belief({"dishub": 0.95}, {"parkir": 0.4, "lubang": 0.35, "rambu": 0.25}, "parkir"))
    assert suggestion.category_group is None
    assert (suggestion.route, reasons(suggestion)) == (Route.AUTO, ["sure", "category_unsure"])
    prefilled = advice(belief({"dishub": 0.7}, {"parkir": 0.4, "lubang": 0.35}, "parkir"))
    assert (prefilled.route, reasons(prefilled)) == (Route.PREFILL, ["fairly_sure", "category_unsure"])


def test_a_category_without_a_parent_has_no_group() -> None:
    suggestion = advice(belief({"pln": 0.5}, {"listrik": 0.6}, "listrik"), category=0.7)
    assert suggestion.category_group is None
    orphans = replace(PORTAL, categories=tuple(replace(item, parent="") for item in PORTAL.categories))
    router = Router(SCORER, orphans, POLICY, PlaceFinder(orphans))
    assert router.advise(belief({"dishub": 0.95}, {"parkir": 0.5, "rambu": 0.4}, "parkir")).category_group is None


@pytest.mark.parametrize("units", [{"dishub": 0.3}, {"pln": 0.95}, {"@kelurahan": 0.95}])
def test_where_the_agency_is_not_suggested_nothing_is_said_of_the_category(units: dict[str, float]) -> None:
    suggestion = advice(belief(units, {"listrik": 0.4}, "listrik"))
    assert not {"category_unsure", "category_group"} & set(reasons(suggestion))


def test_a_group_is_never_more_than_certain() -> None:
    suggestion = advice(belief({"dishub": 0.95}, {"parkir": 0.6, "rambu": 0.400001}, "parkir"))
    assert suggestion.category_group == ("lalu-lintas", 1.0)


def test_without_a_proven_category_threshold_there_is_no_group() -> None:
    suggestion = advice(belief({"dishub": 0.95}, {"parkir": 0.9, "rambu": 0.1}, "parkir"), category=NEVER)
    assert suggestion.category_group is None
    assert reasons(suggestion) == ["sure", "category_unsure"]


def test_the_category_in_front_is_one_the_agency_may_own() -> None:
    suggestion = advice(belief({"pu": 0.95}, {"parkir": 0.8, "rambu": 0.15, "lubang": 0.05}, "rambu"))
    assert [item.code for item in suggestion.categories] == ["rambu", "parkir", "lubang"]
    nothing = advice(belief({"pln": 0.95}, {"parkir": 0.8, "rambu": 0.2}))
    assert (nothing.categories, nothing.category_group) == ((), None)


def test_the_candidates_are_the_agencies_that_reach_the_policys_probability() -> None:
    prediction = belief({"dishub": 0.5, "pu": 0.3, "pln": 0.1, "@kelurahan": 0.05})
    assert [advice(prediction, candidate=p).candidates for p in (0.6, 0.5, 0.3, 0.1, 0.05, 0.0)] == [1, 1, 2, 3, 4, 4]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(0, 1), st.floats(0, 1))
def test_there_is_a_candidate_and_there_are_more_of_them_the_less_is_asked(
    p: list[float], one: float, other: float
) -> None:
    prediction = belief(dict(zip(PORTAL.units, p, strict=True)))
    more, less = (advice(prediction, candidate=asked) for asked in sorted((one, other)))
    assert 1 <= less.candidates <= more.candidates <= len(more.agencies)
    assert all(agency.p >= min(one, other) for agency in more.agencies[1 : more.candidates])


def test_the_office_of_the_place_takes_the_probability_of_its_kind() -> None:
    """It is as likely as its kind, times how often the place told the right office."""
    prediction = belief({"@kelurahan": 0.6, "dishub": 0.58}, village="Melati")
    suggestion = ROUTER.advise(prediction)
    assert [(item.code, item.p) for item in suggestion.agencies] == [
        ("dishub", 0.58),
        ("kel-melati", pytest.approx(0.54)),
    ]
    nowhere = ROUTER.advise(belief({"@kelurahan": 0.6, "dishub": 0.58}))
    assert (nowhere.agency.code, nowhere.agency.name, nowhere.agency.p) == ("@kelurahan", "Kelurahan", 0.6)


def test_one_by_one_and_many_at_once_give_the_same_advice() -> None:
    complaints = [Complaint("parkir liar parkir"), Complaint("jalan lubang"), Complaint("listrik"), Complaint("")]
    many = ROUTER.suggest_many(complaints)
    assert [replace(ROUTER.suggest(complaint), evidence=()) for complaint in complaints] == many
    assert [item.agency.code for item in many[:3]] == ["dishub", "pu", "pln"]
    assert [item.term for item in ROUTER.suggest(complaints[0]).evidence] == ["parkir", "parkir"]
