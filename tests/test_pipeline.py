"""One reading of all complaints fits models of any earlier part, and none of them knows what came later."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.pipeline import Pipeline

from router_model.calibration import Link
from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.portal import Agency, Category, Place, Portal
from router_model.scorer import Scorer
from router_model.terms import TermExtractor, area
from training.calibration import Calibration
from training.history import place_words
from training.pipeline import AnswerHeads, Labels, TermCounts, TermWeighting, information, label_matrix
from training.ridge import Floats, Learning, Recency
from training.trainer import model_arrays

MATTERS = {
    ("dishub", "lampu"): ("lampu jalan mati", "tiang lampu roboh"),
    ("dlh", "sampah"): ("sampah menumpuk", "tong sampah penuh"),
    ("pu", "jalan"): ("aspal jalan berlubang", "jalan rusak parah"),
}
WHERE = ("dekat sekolah", "depan pasar", "sejak kemarin", "sudah seminggu", "di gang belakang", "tolong segera")
VILLAGES = ("Melati", "Kenanga Timur", "")
PORTAL = Portal(
    code="kecil",
    name="Kota Kecil",
    government="Pemerintah Kota Kecil",
    timezone="Asia/Jakarta",
    agencies=tuple(Agency(code, code, "dinas") for code in ("dishub", "dlh", "pu")),
    categories=tuple(Category(code, code) for code in ("lampu", "sampah", "jalan")),
    urgency=(),
    places=(Place("1", "Melati", "kelurahan"), Place("2", "Kenanga Timur", "kelurahan")),
)
CLASSES = {"unit": ("dishub", "dlh", "pu"), "category": ("lampu", "sampah", "jalan"), "urgency": ("tinggi", "rendah")}
EXTRACTOR = TermExtractor(place_words(PORTAL))
FIRST = 24
"""Complaints that the model of the tests has seen; twelve more came later."""

CASES = [(where, labels, text) for where, (labels, texts) in product(WHERE, MATTERS.items()) for text in texts]
COMPLAINTS = [
    Complaint(
        text=f"{text} {where}",
        title=text.split()[0].title() if number % 2 else "",
        address=f"Jl. Anggrek {where}" if number % 3 else "",
        village=VILLAGES[number % 3],
    )
    for number, (where, _, text) in enumerate(CASES)
]
LABELS = {
    "unit": [unit for _, (unit, _), _ in CASES],
    "category": [category for _, (_, category), _ in CASES],
    "urgency": [("tinggi", "rendah", "")[number % 3] for number in range(len(CASES))],
}
DAYS = np.array([np.nan, np.nan, *range(len(CASES) - 2)], dtype=np.float64)


EARLIER = {answer: labels[:FIRST] for answer, labels in LABELS.items()}
LEARNING = Learning(1.2, Recency(steady=0.7))


def fitted(counts: TermCounts, labels: Labels = EARLIER, classes: Mapping[str, Sequence[str]] = CLASSES) -> Pipeline:
    """A model of the first 24 complaints."""
    return counts.fit(np.arange(FIRST), labels, classes, DAYS[:FIRST], LEARNING, np.ones(FIRST, np.float32))


@pytest.fixture(scope="module")
def counts() -> TermCounts:
    return TermCounts(EXTRACTOR, COMPLAINTS)


@pytest.fixture(scope="module")
def pipeline(counts: TermCounts) -> Pipeline:
    return fitted(counts)


def terms_of(pipeline: Pipeline) -> list[tuple[str, str]]:
    """Block and term of every column of the model."""
    arrays = model_arrays(pipeline, PORTAL, Calibration({}, None))
    return [(block, term) for block, terms in arrays.vocabularies.items() for term in terms]


def blocks_of(pipeline: Pipeline) -> list[str]:
    return [block for block, _ in pipeline["terms"].transformer_list]


def test_later_complaints_score_the_same_from_counts_from_texts_and_from_what_serves(
    counts: TermCounts, pipeline: Pipeline
) -> None:
    later = COMPLAINTS[FIRST:]
    scorer = Scorer(model_arrays(pipeline, PORTAL, Calibration(dict.fromkeys(CLASSES, Link()), None)))
    counted = counts.scores(pipeline, slice(FIRST, None))
    assert counted.shape == (12, 8)
    assert pipeline.predict(later) == pytest.approx(counted, abs=1e-5)
    assert np.stack([scorer.scores(complaint) for complaint in later]) == pytest.approx(counted, abs=1e-5)
    assert blocks_of(pipeline) == ["words", "characters", "title", "place", "local", "danger"]


def test_the_right_classes_score_highest(counts: TermCounts, pipeline: Pipeline) -> None:
    scores = counts.scores(pipeline, slice(FIRST, None))
    assert [CLASSES["unit"][best] for best in scores[:, :3].argmax(axis=1)] == LABELS["unit"][FIRST:]
    assert [CLASSES["category"][best] for best in scores[:, 3:6].argmax(axis=1)] == LABELS["category"][FIRST:]


def test_what_came_later_changes_nothing(pipeline: Pipeline) -> None:
    """Later texts bring new words, and repeat words that only one earlier complaint had."""
    once = replace(COMPLAINTS[0], text="lampu jalan mati dekat sekolah, kucing")
    later = [Complaint(text="kucing pohon tumbang menimpa kabel", title="Kabel", village="Mawar")] * 12
    other = TermCounts(EXTRACTOR, [once, *COMPLAINTS[1:FIRST], *later])
    same = TermCounts(EXTRACTOR, [once, *COMPLAINTS[1:]])
    found, expected = fitted(other), fitted(same)
    assert terms_of(found) == terms_of(expected)
    assert ("words", "kucing") not in terms_of(found)
    assert np.array_equal(found["heads"].coefficients_, expected["heads"].coefficients_)


def test_every_earlier_complaint_does_count(counts: TermCounts, pipeline: Pipeline) -> None:
    other = fitted(counts, EARLIER | {"unit": [*EARLIER["unit"][:-1], "dishub"]})
    assert not np.allclose(other["heads"].coefficients_, pipeline["heads"].coefficients_, atol=1e-3)


def test_a_term_of_one_complaint_teaches_nothing(pipeline: Pipeline, counts: TermCounts) -> None:
    """The fifth `where` begins behind the first 24 complaints; its words are known to the counts alone."""
    assert "belakang" in counts.vectorizers["words"].vocabulary_
    found = {term for block, term in terms_of(pipeline) if block == "words"}
    assert {"lampu", "sampah", "lampu jalan"} <= found
    assert not {"belakang", "gang belakang"} & found
    once = TermCounts(EXTRACTOR, [Complaint(text="lampu padam"), Complaint(text="lampu redup")])
    assert set(once.vectorizers["words"].vocabulary_) == {"lampu"}


def test_a_block_without_terms_is_left_out() -> None:
    only_texts = [Complaint(text=complaint.text) for complaint in COMPLAINTS]
    late_title = [*only_texts[:-2], *(replace(item, title="Sudah lama") for item in only_texts[-2:])]
    for complaints, known in ((only_texts, set()), (late_title, {"title"})):
        counts = TermCounts(EXTRACTOR, complaints)
        assert counts.counts.keys() == {"words", "characters", "danger"} | known
        model = fitted(counts)
        assert blocks_of(model) == ["words", "characters", "danger"]
        later = counts.scores(model, slice(FIRST, None))
        assert model.predict(complaints[FIRST:]) == pytest.approx(later, abs=1e-5)


def test_complaints_without_any_common_term_have_no_counts() -> None:
    assert TermCounts(EXTRACTOR, [Complaint(text="abc"), Complaint(text="xyz"), Complaint(text="")]).counts == {}


def test_earlier_complaints_without_a_word_in_common_are_refused_in_the_users_words() -> None:
    """Words that occur in two later complaints are none of theirs."""
    counts = TermCounts(EXTRACTOR, [Complaint("")] * FIRST + COMPLAINTS[FIRST:])
    with pytest.raises(DatasetError, match="Tidak ada kata yang muncul di dua laporan"):
        fitted(counts)


def test_the_same_words_in_the_same_village_go_where_they_went() -> None:
    """Half of the lamps are the village's own; nothing but the village tells."""
    texts = [f"lampu mati {where}" for where in WHERE] * 2
    complaints = [Complaint(text, village="Melati") for text in texts] + [Complaint(text) for text in texts]
    counts = TermCounts(EXTRACTOR, complaints)
    model = fitted(counts, {"unit": ["desa"] * 12 + ["dinas"] * 12}, {"unit": ("desa", "dinas")})
    scores = model.predict([Complaint("lampu mati", village=village) for village in ("MELATI", "Mawar", "")])
    assert scores.argmax(axis=1).tolist() == [0, 1, 1]


def test_local_terms_join_the_village_or_else_the_district_with_each_stem() -> None:
    here = Complaint("Lampunya padam", title="Lampu", village=" KENANGA  timur", district="Utara")
    assert EXTRACTOR.local(here) == ["kenanga timur | lampu", "kenanga timur | lampu", "kenanga timur | padam"]
    assert EXTRACTOR.local(replace(here, village="")) == ["utara | lampu", "utara | lampu", "utara | padam"]
    assert EXTRACTOR.local(replace(here, village="", district="")) == []


def test_a_village_field_without_a_word_is_no_village() -> None:
    assert area(Complaint("Lampu padam", village="-", district="Utara")) == "utara"


def features(rows: int = 40) -> sp.csr_matrix:
    return sp.random(rows, 8, 0.5, format="csr", dtype=np.float32, random_state=1)


def alone(rows: sp.csr_matrix, classes: Sequence[str], labels: Sequence[str]) -> Floats:
    """Coefficients of one answer that was taught by itself."""
    return np.asarray(AnswerHeads({"one": classes}).fit(rows, {"one": labels}).coefficients_)


def test_each_answer_is_taught_by_the_rows_that_have_its_label() -> None:
    rows = features()
    labels = {
        "unit": [("a", "b")[number % 2] for number in range(40)],
        "urgency": [("tinggi", "rendah")[number % 3 > 0] if number < 15 else "" for number in range(40)],
        "category": [("x", "y", "z")[number % 3] for number in range(40)],
    }
    classes = {"unit": ("a", "b"), "urgency": ("tinggi", "rendah"), "category": ("x", "y", "z")}
    found = AnswerHeads(classes).fit(rows, labels).coefficients_
    assert found[:, :2] == pytest.approx(alone(rows, classes["unit"], labels["unit"]), abs=1e-5)
    assert found[:, 2:4] == pytest.approx(alone(rows[:15], classes["urgency"], labels["urgency"][:15]), abs=1e-5)
    assert found[:, 4:] == pytest.approx(alone(rows, classes["category"], labels["category"]), abs=1e-5)


def test_a_few_rows_without_a_label_of_the_answer_teach_that_no_class_fits() -> None:
    rows = features()
    units = [("a", "b")[number % 2] for number in range(40)]
    categories = ["", "", *(("x", "y")[number % 2] for number in range(38))]
    classes = {"unit": ("a", "b"), "category": ("x", "y")}
    found = AnswerHeads(classes).fit(rows, {"unit": units, "category": categories}).coefficients_
    none_fits = [label or "none" for label in categories]
    assert found[:, 2:] == pytest.approx(alone(rows, ("x", "y", "none"), none_fits)[:, :2], abs=1e-5)


def test_an_answer_that_no_row_has_a_label_for_scores_nothing() -> None:
    rows = features()
    labels = {"unit": [("a", "b")[number % 2] for number in range(40)], "urgency": [""] * 40}
    found = AnswerHeads({"unit": ("a", "b"), "urgency": ("tinggi", "rendah")}).fit(rows, labels)
    assert np.abs(found.predict(rows)[:, 2:]).max() == 0
    assert np.abs(found.predict(rows)[:, :2]).max() > 0


def test_labels_become_indicators_and_an_unknown_one_is_refused() -> None:
    matrix = label_matrix(["b", "", "a"], ["a", "b"])
    assert matrix.known.tolist() == [True, False, True]
    assert matrix.indicators.toarray().tolist() == [[0, 1], [0, 0], [1, 0]]
    with pytest.raises(KeyError):
        label_matrix(["c"], ["a", "b"])


def test_information_of_a_term_is_its_divergence_from_what_all_complaints_say() -> None:
    """Labels half and half. A term of two rows, both `a`: with two pseudo-rows (2 + 1)/4 a, 1/4 b."""
    counts = sp.csr_matrix(np.array([[1, 3, 0], [1, 0, 0], [0, 1, 0], [0, 2, 0]], np.float32))
    told = information(counts, label_matrix(["a", "a", "b", "b"], ["a", "b"]).indicators)
    pure = 0.75 * np.log(0.75 / 0.5) + 0.25 * np.log(0.25 / 0.5)
    mixed = 0.4 * np.log(0.4 / 0.5) + 0.6 * np.log(0.6 / 0.5)
    assert told == pytest.approx([pure, mixed, 0], abs=1e-6)


def test_terms_that_tell_most_are_kept_and_rows_have_unit_length() -> None:
    """First term in every row, second in the rows of `a`, third in the rows of `b`, fourth in one row."""
    counts = sp.csr_matrix(np.array([[1, 2, 0, 0], [1, 1, 0, 1], [1, 0, 1, 0], [3, 0, 1, 0]], np.float32))
    weighting = TermWeighting(most_terms=2).fit(counts, {"unit": ["a", "a", "b", "b"]})
    assert weighting.kept_.tolist() == [1, 2]
    rows = TermWeighting().fit(counts, {"unit": ["a", "a", "b", "b"]}).transform(counts)
    assert rows.shape == (4, 3)
    assert np.asarray(rows.multiply(rows).sum(axis=1)).ravel() == pytest.approx(np.ones(4), abs=1e-6)


def test_without_labels_a_rare_term_weighs_more_than_a_frequent_one() -> None:
    counts = sp.csr_matrix(np.array([[1, 1], [1, 1], [1, 0], [1, 0]], np.float32))
    frequent, rare = TermWeighting().fit(counts, {"unit": ["", "", "", ""]}).weights_
    assert (frequent, rare) == pytest.approx((1.0, np.sqrt(np.log(5 / 3) + 1)), abs=1e-6)
