"""The shipped portal folders: complete, open about what is not known, and able to route before they have a label."""

import csv
import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from router_model.complaint import Complaint
from router_model.personal_data import find_personal_data
from router_model.place import PlaceFinder
from router_model.portal import Portal, load_portal
from router_model.suggestion import Suggestion
from training.portal_check import lacks
from training.trainer import train

FOLDERS = Path(__file__).parents[1] / "data" / "labeled_sample"
COMPLAINTS = Path(__file__).parent / "data" / "portal_complaints.csv"
DAY_ONE = ("provinsi-bali", "badung", "batam", "bandung", "kediri")
TERRITORY = {
    "badung": {"kecamatan": 6, "kelurahan": 16, "desa": 46},
    "batam": {"kecamatan": 12, "kelurahan": 64},
    "bandung": {"kecamatan": 30, "kelurahan": 151},
    "kediri": {"kecamatan": 3, "kelurahan": 46},
    "provinsi-bali": {"kecamatan": 57, "kelurahan": 80, "desa": 636},
}
UNPROVEN_NUMBERS = {"provinsi-bali", "batam", "bandung"}
"""No emergency number of theirs was found in a source, and they say so."""

Row = Mapping[str, str]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def complaint(row: Row) -> Complaint:
    return Complaint(text=row["text"], village=row["village"], district=row["district"])


@pytest.fixture(scope="module", params=DAY_ONE)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def town(name: str) -> Portal:
    return load_portal(FOLDERS / name)


@pytest.fixture(scope="module")
def asked(name: str) -> list[dict[str, str]]:
    return [row for row in rows_of(COMPLAINTS) if row["portal"] == name]


@pytest.fixture(scope="module")
def answers(town: Portal, asked: list[dict[str, str]]) -> list[Suggestion]:
    """What a router that saw no label of this portal says."""
    return train([], town).router.suggest_many([complaint(row) for row in asked])


def test_before_a_label_most_complaints_get_the_right_agency_and_all_have_it_in_their_first_three(
    asked: list[dict[str, str]], answers: list[Suggestion]
) -> None:
    ranked = [[agency.code for agency in said.agencies] for said in answers]
    wanted = [row["agency"] for row in asked]
    beyond = [
        (row["text"], codes[:3]) for row, codes in zip(asked, ranked, strict=True) if row["agency"] not in codes[:3]
    ]
    assert beyond == []
    assert sum(code == codes[0] for code, codes in zip(wanted, ranked, strict=True)) >= 8


def test_what_belongs_to_another_body_is_told_with_its_name(
    town: Portal, asked: list[dict[str, str]], answers: list[Suggestion]
) -> None:
    outside = {agency.code: agency.name for agency in town.agencies if agency.external}
    told = [
        (agency.name, agency.external)
        for row, said in zip(asked, answers, strict=True)
        if row["agency"] in outside
        for agency in said.agencies[:3]
        if agency.code == row["agency"]
    ]
    assert told == [(outside[row["agency"]], True) for row in asked if row["agency"] in outside]
    assert len(told) >= 2


def test_the_complaints_are_ten_each_and_name_agencies_and_places_of_their_portal(
    town: Portal, asked: list[dict[str, str]]
) -> None:
    finder = PlaceFinder(town)
    assert len(asked) == 10
    assert len({row["agency"] for row in asked}) >= 8
    assert {row["agency"] for row in asked} <= town.agency.keys()
    placed = [row for row in asked if row["village"] or row["district"]]
    assert [row["text"] for row in placed if finder.find(complaint(row)) is None] == []
    assert [row["text"] for row in asked if list(find_personal_data(row["text"]))] == []


def test_the_territory_is_complete_and_every_place_has_its_office(town: Portal) -> None:
    assert Counter(place.kind for place in town.places) == TERRITORY[town.code]
    prefix = f"{town.settings['territory_code']}."
    assert [place.code for place in town.places if not place.code.startswith(prefix)] == []
    assert [place.code for place in town.places if place.district_code and place.code[:8] != place.district_code] == []
    assert {"territory_none", "territory_code", "office_nowhere", "place_alone"} & codes(town) == set()


def codes(portal: Portal) -> set[str]:
    return {lack.code for lack in lacks(portal, date(2026, 11, 22))}


@pytest.mark.parametrize("folder", sorted(path.parent.name for path in FOLDERS.glob("*/portal.toml")))
def test_a_folder_lacks_nothing_that_it_must_have_but_emergency_numbers_nobody_has_verified(folder: str) -> None:
    found = lacks(load_portal(FOLDERS / folder), date(2026, 11, 22))
    must = [lack.code for lack in found if lack.grade == "harus"]
    assert must == (["emergency_unproven"] if folder in UNPROVEN_NUMBERS else [])


def test_every_agency_says_what_it_does_and_how_it_is_known(town: Portal) -> None:
    assert [agency.code for agency in town.agencies if not agency.responsibilities] == []
    assert [agency.code for agency in town.agencies if not agency.source] == []
    inside = [agency for agency in town.agencies if agency.certainty == "D" and not agency.external]
    assert [agency.code for agency in inside if not agency.note and agency.kind != "majelis"] == []


def test_categories_are_those_of_the_sample_with_the_names_that_fit_the_place(town: Portal, portal: Portal) -> None:
    own = {"alokasi-lahan-dan-uwto", "bea-cukai-dan-barang-kiriman", "hutan-dan-satwa", "tambang-dan-air-tanah"}
    assert {leaf.code for leaf in town.leaves} - own <= portal.leaf.keys()
    assert len(town.leaves) >= 130
    words = " ".join(f"{category.name} {category.description}" for category in town.categories)
    assert "Denpasar" not in words
    if town.timezone == "Asia/Jakarta":
        assert re.search(r"\b(banjar|subak|pecalang|ogoh|perbekel|tukad|setra)\b", words, re.IGNORECASE) is None


@pytest.mark.parametrize("folder", DAY_ONE)
def test_a_folder_says_in_words_what_it_leaves_open(folder: str) -> None:
    told = (FOLDERS / folder / "README.md").read_text("utf-8")
    assert "## Yang masih terbuka" in told
    assert "## Sumber" in told
