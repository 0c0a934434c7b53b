"""From belief to advice: which agency, which category, which route, and why."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_model.asking import office_place
from router_model.calibration import Link
from router_model.complaint import Complaint
from router_model.place import PlaceFinder
from router_model.policy import NEVER, Policy, Route, Threshold
from router_model.portal import Agency, Category, Place, Portal
from router_model.prediction import Prediction, Ranked
from router_model.rules import PRIOR, AppliedRule, Rule, RuleRecord, Tally
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
        Agency("pln", "PLN", "bumn", external=True, channel="PLN 123"),
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
    places=(
        Place("9", "Taman Bunga", "kecamatan"),
        Place("1", "Melati", "kelurahan", "9"),
        Place("2", "Mawar", "kelurahan", "9"),
    ),
)
SCORER = Scorer(
    ModelArrays(
        vocabularies={"words": ["listrik", "lubang", "parkir"]},
        block_weights=dict.fromkeys(("words", "characters", "title", "place", "local", "danger"), 1.0),
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
    village: str = "",
    district: str = "",
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
    return Prediction(Complaint("", village=village, district=district), ranked, category, *words, danger=danger)


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


def test_outside_the_city_the_way_to_the_body_is_told() -> None:
    suggestion = ROUTER.advise(belief({"pln": 0.95}))
    assert suggestion.route is Route.EXTERNAL
    assert suggestion.reasons[0].message == "Ini urusan PLN, di luar Pemerintah Kota Kecil; sampaikan lewat PLN 123."


DISTRICT = Agency("kec-bunga", "Kecamatan Taman Bunga", "kecamatan", territory=("9",), territorial=True)
WITH_DISTRICT = replace(PORTAL, agencies=(*PORTAL.agencies, DISTRICT))


def advised(portal: Portal, prediction: Prediction, refused: tuple[str, ...] = (), **changed: Any) -> Suggestion:
    return Router(SCORER, portal, replace(POLICY, **changed), PlaceFinder(portal)).advise(prediction, refused=refused)


def test_where_only_the_district_is_known_its_office_stands_in_and_a_person_sees_it() -> None:
    suggestion = advised(WITH_DISTRICT, belief({"@kelurahan": 0.99}, district="Taman Bunga"), place_precision=1.0)
    assert (suggestion.agency.code, suggestion.agency.p) == ("kec-bunga", 0.99)
    assert (suggestion.route, reasons(suggestion)) == (Route.PREFILL, ["fairly_sure", "district_office"])
    assert suggestion.place and suggestion.place.place.code == "9"
    village = advised(WITH_DISTRICT, belief({"@kelurahan": 0.99}, village="Melati", district="Taman Bunga"))
    assert village.agency.code == "kel-melati"
    assert "district_office" not in reasons(village)


def test_the_office_of_the_district_adds_up_what_it_is_believed_for() -> None:
    prediction = belief({"@kelurahan": 0.5, "@kecamatan": 0.3, "pu": 0.2}, district="Taman Bunga")
    suggestion = advised(WITH_DISTRICT, prediction, place_precision=1.0)
    assert [(item.code, item.p) for item in suggestion.agencies] == [("kec-bunga", 0.8), ("pu", 0.2)]


def test_without_an_office_of_the_district_the_village_is_asked_for() -> None:
    suggestion = ROUTER.advise(belief({"@kelurahan": 0.95}, district="Taman Bunga"))
    assert (suggestion.route, reasons(suggestion)) == (Route.INCOMPLETE, ["place_missing"])
    assert suggestion.missing == ("nama kelurahan tempat kejadian",)


@pytest.mark.parametrize(
    ("prediction", "ask"),
    [
        (belief({"dishub": 0.5}, words=(2, 2)), "Mohon tuliskan apa yang terjadi dan tempat kejadiannya, agar"),
        (belief({"dishub": 0.9}, words=(2, 0)), "Mohon tuliskan apa yang terjadi dan tempat kejadiannya, agar"),
        (belief({"dishub": 0.5}, words=(2, 2), village="Melati"), "Mohon tuliskan apa yang terjadi, agar"),
        (belief({"@kelurahan": 0.95}), "Mohon tuliskan nama kelurahan tempat kejadian, agar"),
        (belief({"dishub": 0.9}, words=(0, 0)), "Mohon tuliskan isi laporan, agar"),
        (belief({"dishub": 0.5, "pu": 0.4}), ""),
        (belief({"dishub": 0.99}), ""),
    ],
)
def test_the_citizen_is_asked_in_one_sentence_for_what_an_agency_or_office_depends_on(
    prediction: Prediction, ask: str
) -> None:
    end = " laporan Anda dapat diteruskan ke instansi yang tepat." if ask else ""
    assert ROUTER.advise(prediction).ask == f"{ask}{end}"


def test_no_place_is_asked_for_where_no_office_depends_on_it() -> None:
    offices = tuple(agency for agency in PORTAL.agencies if not agency.territorial)
    portal = replace(PORTAL, agencies=offices)
    router = replace(ROUTER, portal=portal, places=PlaceFinder(portal))
    assert router.advise(belief({"dishub": 0.5}, words=(2, 2))).missing == ("apa yang terjadi",)


def test_where_villages_are_of_two_kinds_nobody_need_know_which_is_his() -> None:
    units = ("dishub", "@desa", "@kelurahan")
    assert office_place("@desa", "Desa", units) == "nama desa atau kelurahan tempat kejadian"
    assert office_place("@desa", "Desa", ("@desa",)) == "nama desa tempat kejadian"
    assert office_place("@puskesmas", "Puskesmas", units) == "nama puskesmas yang dimaksud"


def test_of_two_places_of_which_none_is_sure_the_citizen_is_asked_which() -> None:
    prediction = belief({"@kelurahan": 0.95})
    two = replace(prediction, complaint=Complaint("got di desa Melati dekat desa Mawar mampet"))
    suggestion = ROUTER.advise(two)
    assert suggestion.place is None
    assert {found.place.name for found in suggestion.places} == {"Melati", "Mawar"}
    assert (suggestion.route, reasons(suggestion)) == (Route.INCOMPLETE, ["places_differ"])
    assert suggestion.missing[0] in (
        "tempat yang dimaksud: Melati atau Mawar",
        "tempat yang dimaksud: Mawar atau Melati",
    )
    one = ROUTER.advise(replace(prediction, complaint=Complaint("got di desa Melati mampet")))
    assert one.agency.code == "kel-melati"
    assert [found.place.name for found in one.places] == ["Melati"]


RULES = (
    Rule("provinsi", "Jalan ini milik provinsi.", words=("cempaka",), agency="pln", certainty="A"),
    Rule("pungli", "Diperiksa dulu oleh PU.", words=("minta uang",), agency="pu", never=("@disebut",), certainty="B"),
    Rule("gang", "Gang diurus kelurahannya.", words=("gang",), categories=("lubang",), agency="@kelurahan"),
    Rule("bukan-pu", "Parkir tidak pernah urusan PU.", words=("parkir",), never=("pu", "@kelurahan")),
)
WITH_RULES = replace(PORTAL, rules=RULES)


def said(
    text: str, units: Mapping[str, float], categories: Mapping[str, float] | None = None, village: str = ""
) -> Prediction:
    return replace(belief(units, categories), complaint=Complaint(text, village=village))


def test_a_rule_comes_after_the_model_and_says_so_in_its_own_words() -> None:
    suggestion = advised(WITH_RULES, said("lubang di cempaka", {"pu": 0.9, "dishub": 0.1}))
    assert [item.code for item in suggestion.agencies[:3]] == ["pln", "pu", "dishub"]
    assert suggestion.agency.p == pytest.approx(PRIOR["A"])
    assert [item.p for item in suggestion.agencies[1:3]] == pytest.approx([0.9 * 0.05, 0.1 * 0.05])
    assert suggestion.rules == (AppliedRule("provinsi", "Jalan ini milik provinsi.", "A"),)
    assert suggestion.route is Route.EXTERNAL
    assert [reason.message for reason in suggestion.reasons] == [
        "Ini urusan PLN, di luar Pemerintah Kota Kecil; sampaikan lewat PLN 123.",
        "Jalan ini milik provinsi.",
    ]
    assert advised(WITH_RULES, said("lubang di dahlia", {"pu": 0.9})).rules == ()


def test_a_rule_is_as_sure_as_it_was_right_where_it_overruled_the_model() -> None:
    wrong = RuleRecord(agreed=Tally(90, 90, 90.0), overruled=Tally(30, 0, 30.0))
    prediction = said("lubang di cempaka", {"pu": 0.9, "dishub": 0.1})
    suggestion = advised(WITH_RULES, prediction, rules={"provinsi": wrong})
    assert suggestion.agency.code == "pln"
    assert suggestion.agency.p == pytest.approx(PRIOR["A"] / 4)
    assert all(item.p <= suggestion.agency.p for item in suggestion.agencies)
    assert (suggestion.route, reasons(suggestion)) == (Route.REVIEW, ["rule_unsure", "ambiguous", "rule"])


def test_where_rule_and_model_agree_the_surer_of_them_counts() -> None:
    def agreed(p: float, tally: Tally) -> float:
        prediction = said("lubang di cempaka", {"pln": p, "pu": 1 - p})
        suggestion = advised(WITH_RULES, prediction, rules={"provinsi": RuleRecord(agreed=tally)})
        assert suggestion.agency.code == "pln"
        return suggestion.agency.p

    assert agreed(0.99, Tally(100, 50, 100.0)) == 0.99
    assert agreed(0.6, Tally(90, 90, 90.0)) == pytest.approx(0.995)


def test_a_rule_is_no_surer_than_its_conditions_are() -> None:
    sure = said("lubang di gang", {"pu": 0.9}, {"lubang": 1.0})
    half = said("lubang di gang", {"pu": 0.9}, {"lubang": 0.6, "parkir": 0.4})
    assert advised(WITH_RULES, sure).agency.p == pytest.approx(PRIOR["D"])
    assert advised(WITH_RULES, half).agency.p == pytest.approx(0.6 * PRIOR["D"])
    unlikely = said("lubang di gang", {"pu": 0.9}, {"lubang": 0.4, "parkir": 0.6})
    assert advised(WITH_RULES, unlikely).agency.code == "pu"


def test_the_place_says_which_office_a_rule_means() -> None:
    here = said("lubang di gang", {"pu": 0.9}, {"lubang": 1.0}, village="Mawar")
    assert advised(WITH_RULES, here).agency.code == "kel-mawar"
    nowhere = advised(WITH_RULES, said("lubang di gang", {"pu": 0.9}, {"lubang": 1.0}))
    assert (nowhere.agency.code, nowhere.route, nowhere.missing) == (
        "@kelurahan",
        Route.INCOMPLETE,
        ("nama kelurahan tempat kejadian",),
    )


def test_a_sure_rule_takes_the_route_of_the_thresholds_without_the_models_name() -> None:
    proven = {"pungli": RuleRecord(overruled=Tally(200, 200, 200.0))}
    prediction = said("minta uang", {"dishub": 0.5, "pu": 0.3})
    suggestion = advised(WITH_RULES, prediction, rules=proven)
    assert (suggestion.route, reasons(suggestion)) == (Route.AUTO, ["rule"])
    seen = advised(WITH_RULES, said("petugas minta uang", {"dishub": 0.5, "pu": 0.3}), rules=proven)
    assert (seen.route, reasons(seen)) == (Route.PREFILL, ["rule", "oversight"])
    assert reasons(advised(WITH_RULES, said("minta uang", {"pu": 0.95}), rules=proven)) == ["sure", "rule"]


def test_the_body_that_is_accused_is_never_suggested_but_for_the_one_the_rule_names() -> None:
    units = {"dishub": 0.9, "pu": 0.05, "@kelurahan": 0.05}
    suggestion = advised(WITH_RULES, said("orang dinas perhubungan minta uang, sudah lapor PU", units))
    assert [item.code for item in suggestion.agencies] == ["pu", "@kelurahan"]
    assert advised(WITH_RULES, said("orang Dinas Pekerjaan Umum minta uang", {"pu": 0.95})).agency.p == 0.95
    lurah = said("staf kelurahan melati minta uang", units, village="Melati")
    assert [item.code for item in advised(WITH_RULES, lurah).agencies] == ["pu", "dishub"]
    office = said("staf lurah minta uang", units, village="Mawar")
    titled = replace(
        WITH_RULES,
        agencies=tuple(
            replace(item, aliases=(f"Lurah {item.name.split()[-1]}",)) if item.territorial else item
            for item in WITH_RULES.agencies
        ),
    )
    assert [item.code for item in advised(titled, office).agencies] == ["pu", "dishub"]


def test_a_rule_that_only_forbids_leaves_the_rest_as_it_was() -> None:
    prediction = said("parkir liar", {"pu": 0.6, "dishub": 0.3, "@kelurahan": 0.1}, village="Melati")
    suggestion = advised(WITH_RULES, prediction)
    assert [(item.code, item.p) for item in suggestion.agencies] == [("dishub", 0.3)]
    assert (suggestion.route, reasons(suggestion)) == (Route.REVIEW, ["low_confidence", "rule"])


def test_of_the_rules_that_fit_the_first_one_counts() -> None:
    both = said("minta uang di cempaka", {"dishub": 0.9, "pu": 0.1})
    assert [rule.code for rule in advised(WITH_RULES, both).rules] == ["provinsi"]
    turned = replace(WITH_RULES, rules=RULES[::-1])
    assert [rule.code for rule in advised(turned, both).rules] == ["pungli"]


def test_an_agency_that_refused_is_not_suggested_again_and_a_person_looks() -> None:
    suggestion = advised(PORTAL, belief({"dishub": 0.95, "pu": 0.05}), refused=("dishub",))
    assert [item.code for item in suggestion.agencies] == ["pu"]
    assert (suggestion.route, reasons(suggestion)) == (Route.REVIEW, ["refused", "low_confidence"])
    assert suggestion.reasons[0].message.startswith("Dinas Perhubungan sudah menyatakan")
    sure = advised(PORTAL, belief({"dishub": 0.05, "pu": 0.95}), refused=("dishub",))
    assert (sure.agency.code, sure.route, reasons(sure)) == ("pu", Route.REVIEW, ["refused"])
    outside = advised(PORTAL, belief({"dishub": 0.05, "pln": 0.95}), refused=("dishub",))
    assert (outside.route, reasons(outside)) == (Route.REVIEW, ["refused", "external_agency"])
    office = advised(PORTAL, belief({"@kelurahan": 0.9, "pu": 0.1}, village="Melati"), refused=("kel-melati",))
    assert [item.code for item in office.agencies] == ["pu"]


def test_danger_and_a_missing_place_stay_what_they_are_after_a_refusal() -> None:
    danger = advised(PORTAL, belief({"dishub": 0.95, "pu": 0.05}, danger=0.9), refused=("dishub",))
    assert (danger.route, reasons(danger)) == (Route.EMERGENCY, ["refused", "danger"])
    nowhere = advised(PORTAL, belief({"@kelurahan": 0.95, "dishub": 0.05}), refused=("dishub",))
    assert (nowhere.route, reasons(nowhere)) == (Route.INCOMPLETE, ["refused", "place_missing"])


def test_a_rule_does_not_send_a_matter_back_to_who_refused_it() -> None:
    both = said("minta uang di cempaka", {"dishub": 0.9, "pu": 0.1})
    suggestion = advised(WITH_RULES, both, refused=("pln",))
    assert suggestion.agency.code == "pu"
    assert [rule.code for rule in suggestion.rules] == ["pungli"]


def test_where_everybody_refused_nobody_is_suggested_and_a_person_looks() -> None:
    suggestion = advised(PORTAL, belief({"dishub": 0.95, "pu": 0.05}, {"parkir": 0.9}), refused=("dishub", "pu"))
    assert (suggestion.agencies, suggestion.categories, suggestion.candidates) == ((), (), 0)
    assert (suggestion.route, reasons(suggestion)) == (Route.REVIEW, ["refused"])


def test_a_refusal_by_a_body_that_the_portal_does_not_have_changes_nothing() -> None:
    prediction = belief({"dishub": 0.95})
    assert advised(PORTAL, prediction, refused=("dahulu",)) == advised(PORTAL, prediction)
    assert ROUTER.suggest(Complaint("parkir parkir parkir"), ["dishub"]).agency.code != "dishub"
