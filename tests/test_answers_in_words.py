"""What an answer says of places, rules, bodies outside and refusals, for programs and in words."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from router_model.complaint import Complaint
from router_model.landmark import Landmark
from router_model.place import FoundPlace
from router_model.portal import Portal
from router_model.rules import AppliedRule
from router_model.suggestion import Router, Suggestion
from service.answering import suggestion_body
from service.desk.candidates import beforehand, candidates, search_lists
from service.desk.complaint_view import likely_outside, why
from service.desk.marked_text import marked
from service.found_places import located
from service.open311 import created_of
from service.wire import (
    EvidenceOut,
    RefusedOut,
    SuggestionOut,
    suggestion_of,
    suggestion_text,
)

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
TEXT = "Surat pengantar dari kantor lurah belum jadi, dekat pasar senin di tirta mekar"


@pytest.fixture(scope="session")
def suggestion(router: Router, portal: Portal) -> Suggestion:
    """Of a matter of a kelurahan, where a landmark tells the village and another place is named too."""
    made = router.suggest(Complaint(text=TEXT, village="Sesetan"))
    village = next(place for place in portal.places if place.name == "Sesetan")
    other = next(place for place in portal.places if place.name == "Sidakarya")
    spot = Landmark("Pasar Senin", "tempat", village.code)
    found = FoundPlace(village, "text", 0.93, "pasar senin", 52, 63, spot)
    unsure = FoundPlace(other, "text", 0.4, "tirta mekar", 67, 78)
    rule = AppliedRule("surat", "Surat pengantar diurus kantor kelurahan.", "B")
    return replace(made, place=found, places=(found, unsure), rules=(rule,))


def answered(suggestion: Suggestion, portal: Portal, **changed: object) -> SuggestionOut:
    body = {**vars(suggestion_body(suggestion, portal)), **changed}
    return SuggestionOut(id="a", external_id="", release="r", portal=portal.code, created_at=NOW, **body)


def test_every_place_is_told_with_its_words_and_which_one_counts(suggestion: Suggestion, portal: Portal) -> None:
    first, second = answered(suggestion, portal).places
    assert (first.name, first.district, first.p, first.landmark) == ("Sesetan", "Denpasar Selatan", 0.93, "Pasar Senin")
    assert (first.matched, TEXT[first.start : first.end], first.acted_on) == ("pasar senin", "pasar senin", True)
    assert (second.name, second.acted_on, second.landmark) == ("Sidakarya", False, "")


def test_an_answer_that_was_kept_before_there_was_any_of_this_is_still_read(
    suggestion: Suggestion, portal: Portal
) -> None:
    kept = orjson.loads(suggestion_text(answered(suggestion, portal)))
    for name in ("places", "rules", "external", "refused"):
        del kept[name]
    before = suggestion_of(orjson.dumps(kept).decode())
    assert (before.places, before.rules, before.external, before.refused) == ([], [], None, [])
    shown = located(before, portal)
    assert shown.acted_on and shown.acted_on.name == "Kelurahan Sesetan" and shown.acted_on.percent == "–"


def test_the_place_acted_on_is_shown_with_its_office_and_the_others_beside_it(
    suggestion: Suggestion, portal: Portal
) -> None:
    shown = located(answered(suggestion, portal), portal)
    assert shown.acted_on
    assert (shown.acted_on.name, shown.acted_on.percent) == ("Kelurahan Sesetan", "93 %")
    assert shown.acted_on.found == "dari isi laporan: “Pasar Senin”"
    assert shown.office == "Kelurahan Sesetan"
    assert [spot.found for spot in shown.others] == ["dari isi laporan: “tirta mekar”"]
    lamps = answered(
        suggestion, portal, agencies=[item for item in answered(suggestion, portal).agencies if "kel" not in item.code]
    )
    assert located(lamps, portal).office == ""


def test_words_that_name_a_place_are_marked_also_where_they_spoke_for_the_answer(
    suggestion: Suggestion, portal: Portal
) -> None:
    answer = answered(suggestion, portal)
    evidence = [EvidenceOut(term="", weight=1.0, field="text", start=46, end=57)]
    parts = marked(TEXT, "text", evidence, answer.places)
    assert "".join(part.text for part in parts) == TEXT
    assert [part.text for part in parts if part.place] == ["pasar", " senin", "tirta mekar"]
    assert [part.text for part in parts if part.strength] == ["dekat ", "pasar"]


def test_a_rule_is_named_with_how_certain_it_is(suggestion: Suggestion, portal: Portal) -> None:
    reasons = answered(suggestion, portal).reasons
    told = replace(reasons[0], code="rule", message="Surat pengantar diurus kantor kelurahan.")
    words = why(answered(suggestion, portal, reasons=[told]))
    assert words == "Surat pengantar diurus kantor kelurahan (aturan portal B: dari pemberitaan)."


def test_a_body_outside_is_told_with_its_channel(router: Router, portal: Portal) -> None:
    outside = router.suggest(Complaint(text="listrik padam gardu PLN rusak, tiang listrik PLN miring, tolong PLN"))
    answer = answered(outside, portal)
    assert answer.route == "external" and answer.external
    assert (answer.external.code, answer.external.channel) == ("pln", portal.agency["pln"].channel)
    assert f"{answer.external.name} di luar {portal.government}. Hubungi" in created_of(answer, portal).service_notice
    assert likely_outside(answer)
    poor = [replace(item, p=0.1) for item in answer.agencies]
    assert not likely_outside(replace(answer, route="review", agencies=poor))


def test_after_a_refusal_a_poor_guess_is_not_chosen_beforehand(suggestion: Suggestion, portal: Portal) -> None:
    answer = answered(suggestion, portal)
    refused = [RefusedOut(code="dishub", name="Dinas Perhubungan", reason="", at=NOW)]
    poor = replace(answer, refused=refused, agencies=[replace(item, p=0.1) for item in answer.agencies])
    assert beforehand(poor, candidates(poor, portal), portal).agency == ""
    sure = replace(answer, refused=refused)
    assert beforehand(sure, candidates(sure, portal), portal).agency == sure.agencies[0].code
    last = search_lists(sure, portal)["agency"][-1]
    assert (last["code"], last["refused"]) == ("dishub", True)
