"""Models are asked only about complaints that came later, and what they said is kept without a word of the text."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest

from router_model.complaint import Complaint
from router_model.decoding import Belief
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Agency, Category, Place, Portal
from router_model.prediction import Ranked
from router_model.suggestion import Router, SuggestedAgency
from training.answered import Answered, answered, answered_live, read_answered, write_answered
from training.complaint_keys import seen_key
from training.dataset import Example
from training.forward import Asked, ForwardScores
from training.history import ForwardStretches, History, forward_stretches
from training.ridge import Learning, Recency
from training.trainer import Trained

PORTAL = Portal(
    code="kecil",
    name="Kota Kecil",
    government="Pemerintah Kota Kecil",
    timezone="Asia/Jakarta",
    agencies=(
        Agency("dishub", "Dinas Perhubungan", "dinas"),
        Agency("dlh", "Dinas Lingkungan", "dinas"),
        Agency("kel-melati", "Kelurahan Melati", "kelurahan", territory=("1",), territorial=True),
    ),
    categories=(Category("lampu", "Lampu jalan"), Category("sampah", "Sampah")),
    urgency=(),
    places=(Place("1", "Melati", "kelurahan"),),
    settings={"knowledge": False},
)
LAMP = "Lampu penerangan di simpang lima depan toko buku mati total sejak pekan kemarin"
SIZE = 60
OPENINGS = ("mohon", "tolong", "sudah lama", "kenapa", "setiap malam", "pak wali")
WHERE = ("dekat sekolah", "depan pasar", "sebelah masjid", "di gang buntu", "arah terminal", "belakang kantor pos",
         "samping jembatan", "pinggir lapangan", "seberang rumah sakit", "sekitar makam")  # fmt: skip


SYLLABLES = ("ba", "ci", "du", "fe", "go", "ha", "ki", "lu", "me", "no")


def example(number: int, text: str, unit: str, category: str) -> Example:
    """A complaint of its own day."""
    labels = {"agency": unit, "unit": unit, "category": category}
    received_at = datetime(2025, 1, 1) + timedelta(days=7 * number)
    return Example(f"baris {number}", str(number), received_at, "web", Complaint(text), labels)


def rows_of_two_matters() -> list[Example]:
    """Sixty complaints about lamps and litter in turn, each near another house."""
    matters = (("lampu padam gelap", "dishub", "lampu"), ("sampah menumpuk bau", "dlh", "sampah"))
    places = [(opening, where) for opening in OPENINGS for where in WHERE]
    found = []
    for number, (opening, where) in enumerate(places):
        text, agency, category = matters[number % 2]
        house = f"ba{SYLLABLES[number // 10]}{SYLLABLES[number % 10]}"
        found.append(example(number, f"{opening} {text} {where} rumah {house}ra wisma {house}ti", agency, category))
    return found


ROWS = rows_of_two_matters()


def history_of(rows: Sequence[Example]) -> History:
    return History(PORTAL, rows)


def stretches_of(rows: Sequence[Example]) -> ForwardStretches:
    return forward_stretches(history_of(rows), len(rows), lambda *_: None)


def sent_again(rows: Sequence[Example], copies: Mapping[int, int]) -> list[Example]:
    """The rows, where some hold the text of an earlier one, hardly edited."""
    found = list(rows)
    for number, first in sorted(copies.items()):
        found[number] = replace(rows[number], complaint=Complaint(f"{found[first].complaint.text}, tolong"))
    return found


@pytest.fixture(scope="module")
def stretches() -> ForwardStretches:
    return stretches_of(ROWS)


def numbers(scores: ForwardScores) -> list[int]:
    return [item.number for item in scores.asked]


def test_every_row_after_the_first_part_is_asked_about_once_in_the_order_of_time(stretches: ForwardStretches) -> None:
    assert numbers(stretches.scores) == list(range(24, SIZE))
    assert stretches.last == 51
    assert stretches.scores.rows == ROWS[24:]
    assert [item.key for item in stretches.scores.asked] == [seen_key(row.complaint) for row in ROWS[24:]]


def test_near_copies_never_stand_on_both_sides() -> None:
    """Stretches begin at 24, 33, 42 and 51. Copies of rows before their stretch are left out; 35 copies a row of
    its own stretch, so both stay; 58 copies the copy."""
    rows = sent_again(ROWS, {26: 0, 35: 33, 44: 40, 50: 1, 52: 51, 58: 26})
    assert numbers(stretches_of(rows).scores) == [n for n in range(24, SIZE) if n not in {26, 44, 50, 58}]


def test_fresh_rows_are_no_near_copies_of_one_before_the_first_of_them() -> None:
    history = history_of(sent_again(ROWS, {3: 0, 5: 4, 7: 3}))
    assert history.fresh(3, 8).tolist() == [False, True, True, True, False]
    assert history.fresh(5, 8).tolist() == [False, True, False]
    assert history.fresh(0, SIZE).all()


def test_scores_are_those_of_a_model_that_knows_only_what_was_before() -> None:
    history = history_of(sent_again(ROWS, {32: 2}))
    pipeline = history.fit(30, Learning())
    found = history.ask(pipeline, 30, 36)
    assert numbers(found) == [30, 31, 33, 34, 35]
    assert found.scores == pytest.approx(pipeline.predict([item.complaint for item in found.asked]), abs=1e-5)
    best = found.of("unit").argmax(axis=1)
    assert [found.classes["unit"][column] for column in best] == [item.row.labels["unit"] for item in found.asked]


def test_what_came_later_changes_nothing_of_what_was_said_before(stretches: ForwardStretches) -> None:
    """In the last stretch every matter goes to the other agency, in other words."""
    other = {"dishub": "dlh", "dlh": "dishub"}
    moved = [
        replace(row, complaint=Complaint(f"kabel kucing {n}"), labels={"agency": to, "unit": to, "category": "lampu"})
        for n, row in enumerate(ROWS[51:])
        for to in [other[row.labels["unit"]]]
    ]
    found = stretches_of([*ROWS[:51], *moved])
    before, expected = found.scores.before(51), stretches.scores.before(51)
    assert numbers(before) == numbers(expected)
    assert np.array_equal(before.scores, expected.scores)
    assert found.learning == stretches.learning
    assert np.array_equal(found.pipeline["heads"].coefficients_, stretches.pipeline["heads"].coefficients_)


def test_where_agencies_change_hands_the_past_fades_and_where_they_do_not_it_stays() -> None:
    """Lamps go to the second agency from the fifteenth row on, litter stays where it was."""
    moved = [
        replace(row, labels=row.labels | {"agency": "kel-melati", "unit": "@kelurahan"})
        if number >= 15 and row.labels["category"] == "lampu"
        else row
        for number, row in enumerate(ROWS)
    ]
    assert stretches_of(moved).learning.recency.steady < 1
    assert stretches_of(ROWS).learning.recency == Recency(steady=1.0)


def scored(labels: Sequence[str], *scores: Sequence[float]) -> ForwardScores:
    """Scores of units a and b, then of categories x, y and z."""
    asked = []
    for number, label in enumerate(labels):
        wanted = {answer: code for answer, code in zip(("unit", "category"), label, strict=True) if code != "-"}
        row = replace(ROWS[number], labels=wanted)
        asked.append(Asked(number, row, row.complaint, number))
    classes = {"unit": ("a", "b"), "category": ("x", "y", "z")}
    return ForwardScores(asked, np.array(scores, np.float32).reshape(-1, 5), classes)


def test_each_answer_has_its_own_columns_and_labels() -> None:
    scores = scored(["ax", "-z"], [1, 2, 3, 4, 5], [6, 7, 8, 9, 10])
    assert scores.of("unit").tolist() == [[1, 2], [6, 7]]
    assert scores.of("category").tolist() == [[3, 4, 5], [8, 9, 10]]
    assert scores.matrix("unit").known.tolist() == [True, False]
    assert scores.matrix("category").indicators.toarray().tolist() == [[1, 0, 0], [0, 0, 1]]


def test_scores_are_parted_and_joined_where_rows_stand_in_the_history(stretches: ForwardStretches) -> None:
    whole = stretches.scores
    before, since = whole.before(40), whole.since(40)
    assert (numbers(before), numbers(since)) == (list(range(24, 40)), list(range(40, SIZE)))
    assert (len(before.scores), len(since.scores)) == (16, 20)
    joined = before.joined(since)
    assert joined.asked == whole.asked
    assert np.array_equal(joined.scores, whole.scores)
    assert whole.before(0).asked == whole.since(SIZE).asked == []


def test_reciprocal_rank_of_three_rows_by_hand() -> None:
    """Units: first, second, no label: (1 + 1/2) / 2. Categories: third, first, first: (1/3 + 1 + 1) / 3."""
    rows = scored(["ax", "az", "-y"], [0.9, 0.1, 0.1, 0.2, 0.3], [0.1, 0.9, 0.1, 0.2, 0.3], [0.9, 0.1, 0, 0.2, 0.1])
    assert rows.reciprocal_rank() == pytest.approx((0.75 + 7 / 9) / 2)
    assert scored(["--"], [1, 2, 3, 4, 5]).reciprocal_rank() == 0


def ranked(*right: bool) -> ForwardScores:
    """Rows of unit a, first or second among the units."""
    return scored(["a-"] * len(right), *([int(first), 1 - int(first), 0, 0, 0] for first in right))


def test_better_is_what_is_better_by_more_than_chance() -> None:
    usual = ranked(*[True] * 20, *[False] * 16)
    luck = ranked(*[False] * 8, *[True] * 12, *[True] * 9, *[False] * 7)
    skill = ranked(*[True] * 20, *[True] * 9, *[False] * 7)
    assert luck.reciprocal_rank() > usual.reciprocal_rank()
    assert not luck.clearly_better(usual)
    assert skill.clearly_better(usual)
    assert not usual.clearly_better(usual)
    assert not usual.clearly_better(skill)


RECORD = [
    Answered(
        key=2**64 - 1,
        received_at=datetime(2025, 3, 1, 13, 45, 59),
        held_back=False,
        given={answer: (f"satu {answer}", 0.5) for answer in ("agency", "unit", "category", "urgency", "report_type")},
        wanted={"agency": "dua", "unit": "@kelurahan", "urgency": "darurat"},
        agency_p=0.25,
        danger=0.125,
    ),
    Answered(0, None, True, {"agency": ("@kelurahan", 1.0), "unit": ("@kelurahan", 1.0)}, {}, 0.0, 0.0),
]


def test_answers_come_back_from_the_file_as_they_were(tmp_path: Path) -> None:
    write_answered(RECORD, tmp_path / "forward.parquet")
    assert read_answered(tmp_path / "forward.parquet") == RECORD
    write_answered([], tmp_path / "none.parquet")
    assert read_answered(tmp_path / "none.parquet") == []


def test_the_same_answers_are_the_same_bytes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("one", "again", "other")]
    for path, record in zip(files, (RECORD, list(RECORD), RECORD[::-1]), strict=True):
        write_answered(record, path)
    one, again, other = (path.read_bytes() for path in files)
    assert one == again != other


def test_the_file_holds_labels_and_figures_and_no_word_of_a_text(
    trained: Trained, portal: Portal, tmp_path: Path
) -> None:
    write_answered(trained.answered, tmp_path / "forward.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "forward.parquet")
    written = {value for name in table.column_names for value in table[name].to_pylist() if isinstance(value, str)}
    labels = {*portal.agency, *portal.units, *portal.leaf, *URGENCY_LEVELS, *REPORT_TYPES}
    assert len(written) > 30
    assert written <= labels | {""}
    assert not table.schema.metadata


def test_the_record_of_a_training_ends_with_the_rows_that_were_held_back(trained: Trained) -> None:
    held_back = [item for item in trained.answered if item.held_back]
    assert held_back == list(trained.answered)[-len(held_back) :]
    assert [item.key for item in held_back] == [seen_key(row.complaint) for row in trained.held_back]
    assert [item.wanted for item in trained.answered[-3:]] == [dict(row.labels) for row in trained.held_back[-3:]]
    assert trained.scores["rows"] == len(held_back)


BELIEF = Belief(
    {
        "unit": (Ranked("@kelurahan", 0.6), Ranked("dishub", 0.4)),
        "category": (Ranked("sampah", 0.7), Ranked("lampu", 0.3)),
        "urgency": (Ranked("sedang", 0.8), Ranked("darurat", 0.2)),
    },
    "lampu",
    danger=0.25,
)
AGENCIES = [
    SuggestedAgency("dishub", "Dinas Perhubungan", "dinas", False, 0.4),
    SuggestedAgency("kel-melati", "Kelurahan Melati", "kelurahan", False, 0.35),
]


def test_an_answer_is_the_agency_in_front_with_its_unit_and_the_category_that_goes_with_it() -> None:
    row = replace(ROWS[0], labels={"agency": "kel-melati", "unit": "@kelurahan", "category": "lampu"})
    found = answered(row, 7, BELIEF, AGENCIES, PORTAL, held_back=True)
    assert (found.key, found.received_at, found.held_back) == (7, row.received_at, True)
    assert found.given["agency"] == ("dishub", 0.4)
    assert found.given["unit"][0] == "dishub"
    assert found.given["category"] == ("lampu", 0.3)
    assert found.given["urgency"] == ("sedang", 0.8)
    assert (found.agency_p, found.danger) == (0.35, 0.25)
    assert (found.right("agency"), found.right("category")) == (False, True)
    assert found.judged("category")
    assert not found.judged("urgency")
    assert not found.judged("report_type")


@pytest.mark.parametrize("labels", [{"agency": "dlh"}, {"category": "lampu"}, {}], ids=["not listed", "other", "none"])
def test_a_right_agency_that_was_not_listed_had_no_probability(labels: dict[str, str]) -> None:
    found = answered(replace(ROWS[0], labels=labels), 0, BELIEF, AGENCIES, PORTAL, held_back=False)
    assert found.agency_p == 0


def test_an_office_whose_place_is_not_known_answers_for_its_kind() -> None:
    nowhere = [SuggestedAgency("@kelurahan", "Kelurahan", "kelurahan", False, 0.6)]
    found = answered(replace(ROWS[0], labels={"agency": "kel-melati"}), 0, BELIEF, nowhere, PORTAL, held_back=False)
    assert found.given["agency"] == found.given["unit"] == ("@kelurahan", 0.6)
    assert not found.right("agency")


def test_what_a_router_says_now_is_what_it_would_suggest(router: Router, examples: list[Example]) -> None:
    rows = examples[:30]
    found = answered_live(router, rows)
    suggestions = router.suggest_many([row.complaint for row in rows])
    assert [item.given["agency"] for item in found] == [(s.agency.code, s.agency.p) for s in suggestions]
    assert [item.given["category"][0] for item in found] == [s.prediction.category for s in suggestions]
    assert [item.key for item in found] == [seen_key(row.complaint) for row in rows]
    assert all(item.held_back for item in found)


@pytest.mark.parametrize(
    "other", [LAMP.upper(), f"  {LAMP.replace(' ', '  ')}!!", f"<p>{LAMP}</p>", LAMP.replace("Lampu", "Lampuuuu")]
)
def test_a_key_does_not_see_how_a_text_is_written(other: str) -> None:
    assert seen_key(Complaint(other)) == seen_key(Complaint(LAMP))


def test_a_key_sees_other_words_and_their_order() -> None:
    texts = (LAMP, f"{LAMP} lagi", " ".join(reversed(LAMP.split())), "")
    assert len({seen_key(Complaint(text)) for text in texts}) == len(texts)
    assert seen_key(Complaint("padam", title="lampu")) == seen_key(Complaint("lampu padam"))
    assert 0 <= min(seen_key(Complaint(text)) for text in texts) < 2**64
