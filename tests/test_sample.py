"""What the shipped sample promises: real-sized, written one by one, consistent with its own portal folder."""

import csv
import re
from collections import Counter
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer

from router_model.personal_data import find_personal_data
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal

Rows = list[dict[str, str]]
INVENTED = ("Ketut Rauh", "Ngurah", "Gusti Ngurah", "Wayan", "wayan", "Wayan Suarni", "Komang", "Indira wkwk")
"""Names that the writers of the sample made up where the matter is a name."""
CHANNELS = {"web", "app", "whatsapp", "sms", "x", "telepon", "email", "tatap_muka"}
MOST_SHARED = 0.60
SHORTEST_SKELETON = 5


def words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def skeleton(text: str) -> tuple[str, ...]:
    """What stays of a text when numbers and capitalised names are taken out: the frame of a template."""
    found = re.findall(r"[^\W_]+", text)
    return tuple(w.casefold() for w in found if w.isalpha() and not (w[0].isupper() and not w.isupper()))


def rows_of(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def complaints(denpasar: Path) -> Rows:
    return rows_of(denpasar / "complaints.csv")


@pytest.fixture(scope="module")
def gold(denpasar: Path) -> Rows:
    return rows_of(denpasar / "gold.csv")


@pytest.fixture(scope="module")
def everything(complaints: Rows, gold: Rows) -> Rows:
    return complaints + gold


def test_the_sample_is_large_enough_to_learn_from_and_to_be_judged_by(complaints: Rows, gold: Rows) -> None:
    assert len(complaints) >= 1_600
    assert len(gold) >= 300


def test_every_row_has_a_text_and_all_four_labels(everything: Rows) -> None:
    required = ("id", "received_at", "channel", "text", "agency", "category", "urgency", "report_type")
    assert [row["id"] for row in everything if not all(row[column].strip() for column in required)] == []


def test_no_two_texts_share_more_than_sixty_percent_of_their_five_letter_stretches(everything: Rows) -> None:
    texts = [" ".join(words(row["text"])) for row in everything]
    shingles = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.int32).fit_transform(texts)
    sizes = np.asarray(shingles.sum(axis=1)).ravel()
    shared = (shingles @ shingles.T).tocoo()
    similarity = shared.data / (sizes[shared.row] + sizes[shared.col] - shared.data)
    alike = (shared.row < shared.col) & (similarity > MOST_SHARED)
    pairs = zip(shared.row[alike], shared.col[alike], similarity[alike], strict=True)
    assert [(everything[a]["id"], everything[b]["id"], round(float(s), 2)) for a, b, s in pairs] == []


@pytest.mark.parametrize("part", [slice(0, 6), slice(-6, None)], ids=["opening", "closing"])
def test_no_six_words_begin_or_end_more_than_three_texts(everything: Rows, part: slice) -> None:
    counts = Counter(" ".join(words(row["text"])[part]) for row in everything)
    assert {phrase: count for phrase, count in counts.items() if count > 3} == {}


def test_no_two_texts_are_one_template_with_other_names_and_numbers(everything: Rows) -> None:
    counts = Counter(skeleton(row["text"]) for row in everything)
    assert [" ".join(s) for s, count in counts.items() if count > 1 and len(s) >= SHORTEST_SKELETON] == []


def test_no_long_phrase_runs_through_the_texts(everything: Rows) -> None:
    counts: Counter[tuple[str, ...]] = Counter()
    for row in everything:
        found = words(row["text"])
        counts.update({tuple(found[start : start + 8]) for start in range(len(found) - 7)})
    assert {" ".join(phrase): count for phrase, count in counts.items() if count > 3} == {}


def test_agencies_categories_levels_types_and_channels_are_of_the_closed_sets(everything: Rows, portal: Portal) -> None:
    agencies = {agency.name for agency in portal.agencies}
    leaves = {leaf.name for leaf in portal.leaves}
    assert {row["agency"] for row in everything} <= agencies
    assert {row["category"] for row in everything} <= leaves
    assert {row["urgency"] for row in everything} == set(URGENCY_LEVELS)
    assert {row["report_type"] for row in everything} == set(REPORT_TYPES)
    assert {row["channel"] for row in everything} <= CHANNELS


def test_every_category_may_be_owned_by_the_agency_it_stands_with(everything: Rows, portal: Portal) -> None:
    strays = []
    for row in everything:
        agency, category = portal.find_agency(row["agency"]), portal.find_category(row["category"])
        assert agency is not None
        assert category is not None
        if not portal.may_own(category, agency.unit):
            strays.append((row["id"], agency.unit, category.code))
    assert strays == []


def test_every_agency_has_enough_examples_to_be_learned(complaints: Rows, portal: Portal) -> None:
    units = {agency.name: agency.unit for agency in portal.agencies}
    external = {agency.unit for agency in portal.agencies if agency.external}
    counts = Counter(units[row["agency"]] for row in complaints)
    too_few = {unit: counts[unit] for unit in portal.units if counts[unit] < (8 if unit in external else 15)}
    assert too_few == {}


def test_one_in_eight_is_an_emergency_so_that_what_is_rare_is_learned(complaints: Rows) -> None:
    share = {level: sum(row["urgency"] == level for row in complaints) / len(complaints) for level in URGENCY_LEVELS}
    assert 0.10 <= share["darurat"] <= 0.14
    assert 0.10 <= share["tinggi"] <= 0.16


def test_the_sample_spans_seventeen_months(complaints: Rows, gold: Rows) -> None:
    for rows in (complaints, gold):
        moments = [datetime.fromisoformat(row["received_at"]) for row in rows]
        first, last = min(moments), max(moments)
        assert (last.year - first.year) * 12 + last.month - first.month >= 17


def test_ids_are_unique_across_both_files(everything: Rows) -> None:
    assert [id_ for id_, count in Counter(row["id"] for row in everything).items() if count > 1] == []


def test_no_gold_text_stands_in_the_complaints(complaints: Rows, gold: Rows) -> None:
    learned = {tuple(words(row["text"])) for row in complaints}
    assert [row["id"] for row in gold if tuple(words(row["text"])) in learned] == []


@pytest.mark.parametrize("column", ["title", "text", "address"])
def test_the_sample_holds_no_personal_data(everything: Rows, column: str) -> None:
    found = [
        (row["id"], item.kind, row[column][item.start : item.end])
        for row in everything
        for item in find_personal_data(row[column])
        if row[column][item.start : item.end] not in INVENTED
    ]
    assert found == []


def test_villages_and_districts_are_of_the_territory_and_belong_together(everything: Rows, portal: Portal) -> None:
    names = {place.code: place.name for place in portal.places}
    district_of = {place.name: names[place.district_code] for place in portal.places if place.district_code}
    districts = {place.name for place in portal.places if not place.district_code}
    assert {row["village"] for row in everything} - {""} <= set(district_of)
    assert {row["district"] for row in everything} - {""} <= districts
    given = [row for row in everything if row["village"] and row["district"]]
    assert [row["id"] for row in given if district_of[row["village"]] != row["district"]] == []


def test_a_village_office_stands_with_its_own_village_and_a_district_office_with_its_own_district(
    everything: Rows, portal: Portal
) -> None:
    names = {place.code: place.name for place in portal.places}
    territory = {a.name: {names[code] for code in a.territory} for a in portal.agencies}
    columns = {"kelurahan": "village", "desa": "village", "kecamatan": "district"}
    strays = []
    for row in everything:
        agency = portal.find_agency(row["agency"])
        assert agency is not None
        given = row[columns[agency.kind]] if agency.kind in columns else ""
        if given and given not in territory[agency.name]:
            strays.append((row["id"], agency.name, given))
    assert strays == []
