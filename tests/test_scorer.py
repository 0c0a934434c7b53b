"""The model that serves is the model that was fitted, and it never claims to know what it cannot."""

from dataclasses import replace

import numpy as np
import pytest

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.policy import Route
from router_model.portal import Portal
from router_model.prediction import Prediction
from router_model.release import Release
from router_model.suggestion import Router, Suggestion
from training.dataset import Example
from training.trainer import Trained

HOSTILE = [
    "",
    " ",
    "\x00",
    "\ud800\udfff",
    "1",
    "0" * 500,
    "!!! ??? ...",
    "😭🌊🙏🏽",
    "a",
    "ab" * 5_000,
    "banjir " * 2_000,
    "#" * 300,
    "#JalanRusak#JalanRusak",
    "@",
    "[NIK] [TELEPON]",
    "https://contoh.id/jalan/rusak",
    "جالان روسك",
    "道路に穴があります",
    "ｊａｌａｎ　ｒｕｓａｋ",
    "<script>jalan rusak</script>",
    "'; DROP TABLE complaint; --",
    "İSTANBUL ß ﬁ ǆ ſ",
    "jalan\u200b\u202erusak",
    "a\u0301" * 200,
    "Yth. Dinas Perhubungan,",
    "000 000 000",
]
MEANINGLESS = [
    "", " ", "\x00", "\ud800", "12345", "?!", "😭😭", "qwxz vbnm zzkx", "xqz " * 50, "[NIK] [TELEPON]",
    "道路に穴があります", "lorem ipsum dolor sit amet consectetur adipiscing elit", "https://contoh.id",
]  # fmt: skip


@pytest.fixture(scope="module")
def complaints(examples: list[Example]) -> list[Complaint]:
    hostile = [Complaint(text=text, title=title) for text in HOSTILE for title in ("", text)]
    return [*(cleaned(example.complaint)[0] for example in examples), *(cleaned(item)[0] for item in hostile)]


@pytest.fixture(scope="module")
def predictions(release: Release, complaints: list[Complaint]) -> list[Prediction]:
    return list(release.scorer.predict_many(complaints))


@pytest.fixture(scope="module")
def suggestions(router: Router, examples: list[Example]) -> list[Suggestion]:
    return router.suggest_many([example.complaint for example in examples])


def test_scores_are_those_of_the_fitted_pipeline(
    trained: Trained, release: Release, complaints: list[Complaint]
) -> None:
    fitted = trained.pipeline.predict(complaints)
    served = np.stack([release.scorer.scores(complaint) for complaint in complaints])
    assert np.abs(fitted - served).max() < 1e-5


def test_text_that_was_never_cleaned_scores_the_same_in_both(trained: Trained, release: Release) -> None:
    raw = [Complaint(*[text] * 5) for text in HOSTILE]
    served = np.stack([release.scorer.scores(complaint) for complaint in raw])
    assert np.abs(trained.pipeline.predict(raw) - served).max() < 1e-5


def test_every_word_of_the_sample_scores_the_same_in_every_village(
    trained: Trained, release: Release, portal: Portal, examples: list[Example]
) -> None:
    """Words together with the village that the form gives, else with the district, however the field is written."""
    fields = [{"village": place.name if place.district_code else "", "district": place.name} for place in portal.places]
    fields += [{"village": f" {name.upper()}. "} for name in ("Sesetan", "Padang Sambian", "Kuta", "-", "|", "x | y")]
    moved = [
        replace(cleaned(example.complaint)[0], **{"village": "", "district": "", **fields[number % len(fields)]})
        for number, example in enumerate(examples)
    ]
    served = np.stack([release.scorer.scores(complaint) for complaint in moved])
    assert np.abs(trained.pipeline.predict(moved) - served).max() < 1e-5
    nowhere = np.stack([release.scorer.scores(replace(item, village="", district="")) for item in moved])
    assert (np.abs(nowhere - served).max(axis=1) > 1e-4).mean() > 0.3


def test_many_at_once_are_the_same_as_one_by_one(
    release: Release, complaints: list[Complaint], predictions: list[Prediction]
) -> None:
    for complaint, many in zip(complaints, predictions, strict=True):
        one = release.scorer.predict(complaint)
        assert (one.complaint, one.category, one.words, one.known_words) == (
            complaint, many.category, many.words, many.known_words,
        )  # fmt: skip
        for answer, ranked in one.answers.items():
            assert [item.p for item in ranked] == pytest.approx([item.p for item in many.answers[answer]], abs=1e-5)
            assert ranked[0].code == many.answers[answer][0].code


def test_an_explained_answer_is_the_same_answer(release: Release, complaints: list[Complaint]) -> None:
    for complaint in complaints[::50]:
        assert release.scorer.predict_explained(complaint)[0] == release.scorer.predict(complaint)


def test_no_complaints_get_no_predictions(release: Release) -> None:
    assert list(release.scorer.predict_many([])) == []


def test_probabilities_fall_and_are_at_most_one_together(predictions: list[Prediction]) -> None:
    for prediction in predictions:
        assert prediction.answers.keys() == {"unit", "category", "urgency", "report_type"}
        for ranked in prediction.answers.values():
            values = [item.p for item in ranked]
            assert values == sorted(values, reverse=True)
            assert min(values) >= 0
            assert sum(values) <= 1 + 1e-4
        assert 0 <= prediction.known_words <= prediction.words
        assert 0 <= prediction.coverage <= 1


def test_evidence_points_at_the_own_words_of_the_citizen(router: Router, examples: list[Example]) -> None:
    for example in examples[::20]:
        suggestion = router.suggest(example.complaint)
        for item in suggestion.evidence:
            own = getattr(suggestion.prediction.complaint, item.field)
            assert item.term == own[item.start : item.end] != ""
            assert item.weight > 0
        weights = [item.weight for item in suggestion.evidence]
        assert weights == sorted(weights, reverse=True)


def test_the_evidence_of_a_plain_case_is_what_a_person_would_name(router: Router) -> None:
    text = "Air PDAM di rumah kami tidak mengalir sejak kemarin, meteran tetap berputar"
    terms = {item.term.casefold() for item in router.suggest(Complaint(text=text)).evidence[:5]}
    assert terms & {"air", "pdam", "mengalir", "meteran"}


def test_the_category_is_one_that_the_first_unit_may_own(release: Release, predictions: list[Prediction]) -> None:
    portal = release.portal
    for prediction in predictions:
        assert portal.may_own(portal.category[prediction.category], prediction.answers["unit"][0].code)


def test_the_category_in_front_is_one_that_the_agency_in_front_may_own(
    release: Release, suggestions: list[Suggestion]
) -> None:
    """A desa that answers for a kelurahan's matter counts as either."""
    portal, wrong = release.portal, []
    for suggestion in suggestions:
        if not suggestion.categories:
            # A rule put an agency in front that can own none of those listed.
            assert suggestion.rules
            continue
        code = suggestion.agency.code
        unit = code if code.startswith("@") else portal.agency[code].unit
        category = portal.category[suggestion.categories[0].code]
        units = {"@desa", "@kelurahan"} if unit in ("@desa", "@kelurahan") else {unit}
        if not any(portal.may_own(category, unit) for unit in units):
            wrong.append((code, category.code, suggestion.prediction.complaint.text[:60]))
    assert wrong == []


def test_agencies_fall_by_probability_and_are_listed_once(suggestions: list[Suggestion]) -> None:
    for suggestion in suggestions:
        codes, p = [a.code for a in suggestion.agencies], [a.p for a in suggestion.agencies]
        assert len(set(codes)) == len(codes)
        assert p == sorted(p, reverse=True)
        assert 0 <= min(p) <= max(p) <= 1


@pytest.mark.parametrize("text", MEANINGLESS)
def test_what_the_model_cannot_read_never_gets_a_confident_answer(router: Router, text: str) -> None:
    suggestion = router.suggest(Complaint(text=text))
    assert suggestion.route in (Route.INCOMPLETE, Route.REVIEW)
    assert suggestion.reasons


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_makes_a_suggestion_fail(router: Router, text: str) -> None:
    one = router.suggest(Complaint(text=text, title=text, address=text, village=text, district=text))
    many = router.suggest_many([one.prediction.complaint])
    assert [item.route for item in many] == [one.route]
