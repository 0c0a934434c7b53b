"""The plain models that ours is measured against."""

from router_model.complaint import Complaint
from training.baselines import baseline_answers
from training.dataset import Example

LAMP = "lampu jalan mati di depan pasar"
WASTE = "sampah menumpuk tidak diangkut"


def row(text: str, **labels: str) -> Example:
    return Example("", "", None, "", Complaint(text), labels)


KNOWN = [
    row(LAMP, unit="dishub", category="lampu"),
    row("lampu penerangan padam", unit="dishub", category="lampu"),
    row("lampu gang mati gelap", unit="dishub"),
    row(WASTE, unit="dlhk", category="sampah"),
    row("tumpukan sampah bau", unit="dlhk", category="sampah"),
]


def test_the_majority_is_the_most_frequent_label_for_every_row_asked() -> None:
    asked = [row("sampah"), row("lampu"), row("")]
    assert baseline_answers(KNOWN, asked)["agency_kind"]["majority"] == ["dishub"] * 3


def test_of_equally_frequent_labels_the_first_by_name_is_the_majority() -> None:
    assert baseline_answers(KNOWN, [row("x")])["category"]["majority"] == ["lampu"]


def test_the_plain_model_goes_by_the_words() -> None:
    asked = [row("sampah pasar belum diangkut"), row("lampu mati")]
    plain = baseline_answers(KNOWN, asked)
    assert plain["agency_kind"]["plain"] == ["dlhk", "dishub"]
    assert plain["category"]["plain"] == ["sampah", "lampu"]


def test_the_title_is_read_like_the_text() -> None:
    asked = Example("", "", None, "", Complaint("mohon bantuan", title="sampah menumpuk"), {})
    assert baseline_answers(KNOWN, [asked])["category"]["plain"] == ["sampah"]


def test_an_answer_that_nobody_labelled_is_missing() -> None:
    assert baseline_answers(KNOWN, [row("x")]).keys() == {"agency_kind", "category"}
    assert baseline_answers([], [row("x")]) == {}


def test_only_the_answers_asked_for_are_given() -> None:
    assert baseline_answers(KNOWN, [row("x")], ["category"]).keys() == {"category"}


def test_with_one_label_only_both_models_say_it() -> None:
    known = [row(LAMP, urgency="sedang"), row(WASTE, urgency="sedang")]
    assert baseline_answers(known, [row("x")])["urgency"] == {"majority": ["sedang"], "plain": ["sedang"]}


def test_texts_without_a_word_leave_the_plain_model_guessing_but_not_failing() -> None:
    known = [row("!!", unit="a"), row("??", unit="b"), row("..", unit="b")]
    found = baseline_answers(known, [row("lampu"), row("")])
    assert set(found["agency_kind"]["plain"]) <= {"a", "b"}
    assert len(found["agency_kind"]["plain"]) == 2


def test_few_rows_of_many_classes_are_learned_without_a_warning() -> None:
    known = [row(f"kata{number} lampu", category=f"k{number}") for number in range(30)]
    assert baseline_answers(known, known[:2])["category"]["plain"] == ["k0", "k1"]


def test_nothing_asked_is_nothing_answered() -> None:
    assert baseline_answers(KNOWN, [])["category"] == {"majority": [], "plain": []}


def test_the_same_rows_give_the_same_answers(examples: list[Example]) -> None:
    known, asked = examples[:400], examples[400:500]
    first = baseline_answers(known, asked)
    assert first == baseline_answers(known, asked)
    assert all(len(model) == 100 for models in first.values() for model in models.values())
