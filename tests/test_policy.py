"""A policy is plain values: it travels through JSON and changes without a model."""

from dataclasses import asdict, fields, replace

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_model.policy import (
    NEVER,
    REASONS,
    ROUTE_LABELS,
    Policy,
    Reason,
    Route,
    Threshold,
    external_reason,
    reason,
)
from router_model.portal import Agency
from router_model.rules import RuleRecord, Tally
from router_model.suggestion import Router
from training.dataset import Example

PROBABILITIES = st.floats(0, NEVER)
THRESHOLDS = st.builds(Threshold, PROBABILITIES, st.dictionaries(st.text(max_size=9), PROBABILITIES, max_size=4))
TALLIES = st.builds(Tally, st.integers(0, 99), st.integers(0, 99), st.floats(0, 99))
RECORDS = st.dictionaries(st.text(max_size=9), st.builds(RuleRecord, TALLIES, TALLIES), max_size=3)
OTHERS = {"auto": THRESHOLDS, "prefill": THRESHOLDS, "rules": RECORDS}
POLICIES = st.builds(Policy, **{f.name: OTHERS.get(f.name, PROBABILITIES) for f in fields(Policy)})


def test_a_threshold_of_its_own_comes_before_the_shared_one() -> None:
    threshold = Threshold(0.9, {"dishub": 0.6, "@kelurahan": NEVER})
    assert [threshold.of(unit) for unit in ("dishub", "@kelurahan", "dlh", "")] == [0.6, NEVER, 0.9, 0.9]


def test_without_a_threshold_nothing_is_ever_sure_enough() -> None:
    assert Policy().auto.of("dishub") == Policy().prefill.of("dishub") == Policy().category == NEVER > 1


@settings(deadline=None)
@given(POLICIES)
def test_a_policy_survives_json(policy: Policy) -> None:
    assert Policy.from_values(orjson.loads(orjson.dumps(asdict(policy)))) == policy


@pytest.mark.parametrize(
    "changed",
    [{"auto": 0.9}, {"prefill": {"shared": 0.9, "lain": 1}}, {"lain": 0.5}],
    ids=["a number as threshold", "a foreign part of a threshold", "a foreign threshold"],
)
def test_values_of_another_policy_are_not_taken_for_one(changed: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        Policy.from_values(asdict(Policy()) | changed)


def test_a_policy_from_before_there_were_rules_has_no_record_of_any() -> None:
    values = asdict(Policy())
    del values["rules"]
    assert Policy.from_values(values) == Policy()


def test_a_threshold_that_is_missing_is_not_guessed() -> None:
    values = asdict(Policy())
    del values["prefill"]
    with pytest.raises(KeyError, match="prefill"):
        Policy.from_values(values)


def test_every_route_and_reason_has_words_for_people() -> None:
    assert ROUTE_LABELS.keys() == set(Route)
    assert reason("danger") == Reason("danger", REASONS["danger"])
    assert all(sentence.endswith(".") and sentence[0].isupper() for sentence in REASONS.values())


def test_whose_matter_it_is_outside_the_city_is_said_with_the_way_there_even_where_none_is_known() -> None:
    pln = Agency("pln", "PLN UP3 Selatan", "bumn", external=True, channel="PLN 123")
    told = external_reason(pln, "Pemerintah Kota Kecil")
    assert told.code == "external_agency"
    assert told.message == "Ini urusan PLN UP3 Selatan, di luar Pemerintah Kota Kecil; sampaikan lewat PLN 123."
    assert "salurannya belum tercatat" in external_reason(replace(pln, channel=""), "Pemerintah Kota Kecil").message


def test_a_changed_wish_changes_routes_and_no_belief(router: Router, examples: list[Example]) -> None:
    complaints = [example.complaint for example in examples[:200]]
    bold = replace(router, policy=replace(router.policy, auto=Threshold(0.5), prefill=Threshold(0.3)))
    before, after = router.suggest_many(complaints), bold.suggest_many(complaints)
    assert [item.prediction for item in before] == [item.prediction for item in after]
    assert [item.agencies for item in before] == [item.agencies for item in after]
    assert sum(item.route is Route.AUTO for item in before) < sum(item.route is Route.AUTO for item in after)
