"""Where a complaint happened, and which office serves that place."""

from dataclasses import replace

import pytest

from router_model.complaint import Complaint
from router_model.place import PlaceFinder
from router_model.portal import Portal


@pytest.fixture(scope="module")
def finder(portal: Portal) -> PlaceFinder:
    return PlaceFinder(portal)


def found(finder: PlaceFinder, **fields: str) -> tuple[str, str] | None:
    place = finder.find(Complaint(**{"text": "", **fields}))
    return (place.place.name, place.source) if place else None


def office(finder: PlaceFinder, unit: str, **fields: str) -> str | None:
    complaint = Complaint(**{"text": "", **fields})
    agency = finder.office(unit, complaint, finder.find(complaint))
    return agency.code if agency else None


def test_the_field_of_the_form_comes_before_the_words(finder: PlaceFinder) -> None:
    text = "di kelurahan Panjer juga begitu"
    assert found(finder, village="Sesetan", text=text) == ("Sesetan", "village")
    assert found(finder, address="Jl. Tukad, Renon", text=text) == ("Renon", "address")
    assert found(finder, title="Lurah Sanur", text=text) == ("Sanur", "title")
    assert found(finder, text=text) == ("Panjer", "text")


@pytest.mark.parametrize("written", ["SESETAN", " sesetan ", "Kel. Sesetan", "Kelurahan Sesetan", "Sesetan."])
def test_the_field_is_understood_however_it_is_written(finder: PlaceFinder, written: str) -> None:
    assert found(finder, village=written) == ("Sesetan", "village")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("got di Pemecutan Kaja mampet", "Pemecutan Kaja"),
        ("kelurahan Pemecutan mampet", "Pemecutan"),
        ("desa Pemecutan-Kaja", "Pemecutan Kaja"),
        ("desa Penatih Dangin Puri gelap", "Penatih Dangin Puri"),
        ("kel Dangin Puri gelap", "Dangin Puri"),
        ("jalan di Padang Sambian Kelod", "Padangsambian Kelod"),
    ],
)
def test_the_longest_name_wins(finder: PlaceFinder, text: str, wanted: str) -> None:
    assert found(finder, text=text) == (wanted, "text")


@pytest.mark.parametrize("cue", ["kelurahan", "kel.", "desa", "ds", "lurah", "perbekel", "wilayah", "banjar", "daerah"])
def test_a_name_of_one_word_counts_behind_a_cue(finder: PlaceFinder, cue: str) -> None:
    assert found(finder, text=f"jalan {cue} Renon rusak") == ("Renon", "text")


def test_a_name_of_one_word_without_a_cue_is_only_a_word(finder: PlaceFinder) -> None:
    assert found(finder, text="serangan nyamuk, penyu di Serangan") is None
    assert found(finder, title="Serangan jantung") is None
    assert found(finder, address="Gang buntu, Serangan") == ("Serangan", "address")


def test_a_second_spelling_is_the_same_place(finder: PlaceFinder) -> None:
    assert found(finder, village="Padang Sambian") == found(finder, village="Padangsambian")
    assert found(finder, text="wilayah padang sambian kaja") == ("Padang Sambian Kaja", "text")


def test_a_district_is_found_but_a_village_is_more_exact(finder: PlaceFinder) -> None:
    assert found(finder, text="se-Denpasar Barat") == ("Denpasar Barat", "text")
    assert found(finder, text="Denpasar Barat, tepatnya desa Tegal Harum") == ("Tegal Harum", "text")
    assert found(finder, district="Denpasar Barat", text="desa Tegal Harum") == ("Tegal Harum", "text")


def test_a_village_of_another_district_does_not_overrule_the_field(finder: PlaceFinder) -> None:
    assert found(finder, district="Denpasar Utara", text="desa Sanur Kauh saja bisa") == ("Denpasar Utara", "district")


@pytest.mark.parametrize("text", ["", "lampu mati di depan rumah", "desa", "kelurahan", "Kuta Utara", "\ud800"])
def test_nothing_is_found_where_nothing_is_said(finder: PlaceFinder, text: str) -> None:
    assert found(finder, text=text) is None
    assert office(finder, "@kelurahan", text=text) is None


def test_every_village_and_district_finds_itself_and_its_office(finder: PlaceFinder, portal: Portal) -> None:
    for place in portal.places:
        field = "village" if place.district_code else "district"
        assert found(finder, **{field: place.name}) == (place.name, field)
        agency = portal.agency[office(finder, f"@{place.kind}", **{field: place.name}) or ""]
        assert place.code in agency.territory


def test_the_kind_of_the_place_decides_between_kelurahan_and_desa(finder: PlaceFinder) -> None:
    for unit in ("@kelurahan", "@desa"):
        assert office(finder, unit, village="Pemogan") == "desa-pemogan"
        assert office(finder, unit, village="Panjer") == "kel-panjer"


def test_a_desa_that_the_citizen_calls_kelurahan_is_still_the_desa(finder: PlaceFinder) -> None:
    """The kelurahan Pemecutan is another office; the longer name must win here too."""
    assert office(finder, "@kelurahan", text="staf kelurahan Pemecutan Kaja minta uang") == "desa-pemecutan-kaja"


def test_the_district_office_serves_every_village_in_it(finder: PlaceFinder) -> None:
    assert office(finder, "@kecamatan", village="Sesetan") == "kec-denpasar-selatan"
    assert office(finder, "@kecamatan", text="legalisasi di kecamatan Denpasar Timur") == "kec-denpasar-timur"
    assert office(finder, "@kelurahan", district="Denpasar Selatan") is None


def test_an_office_named_in_the_words_is_that_office(finder: PlaceFinder) -> None:
    text = "surat di Kelurahan Sesetan ditunda terus"
    assert office(finder, "@kelurahan", village="Panjer", text=text) == "kel-sesetan"


def test_of_several_offices_the_one_named_first_counts_and_the_title_comes_first(finder: PlaceFinder) -> None:
    text = "dari Kelurahan Sesetan disuruh ke Kelurahan Panjer, lalu ke Kelurahan Sanur"
    assert office(finder, "@kelurahan", text=text) == "kel-sesetan"
    assert office(finder, "@kelurahan", title="Kelurahan Sanur lambat", text=text) == "kel-sanur"


def test_an_office_named_at_the_very_end_is_that_office(finder: PlaceFinder) -> None:
    assert office(finder, "@kelurahan", village="Panjer", text="surat ditunda di Kelurahan Sesetan") == "kel-sesetan"
    assert office(finder, "@kelurahan", title="Kelurahan Sesetan", text="Kelurahan Panjer juga") == "kel-sesetan"


def test_an_office_that_ended_serves_no_place_any_more(portal: Portal) -> None:
    ended = [replace(item, valid_to="2024-12-31") if item.code == "kel-sesetan" else item for item in portal.agencies]
    finder = PlaceFinder(replace(portal, agencies=tuple(ended)))
    assert found(finder, village="Sesetan") == ("Sesetan", "village")
    assert office(finder, "@kelurahan", village="Sesetan") is None
    assert office(finder, "@kelurahan", village="Panjer", text="surat di Kelurahan Sesetan") == "kel-panjer"


def test_an_office_whose_name_holds_no_word_is_found_by_its_place(portal: Portal) -> None:
    unnamed = [replace(item, name="–") if item.code == "kel-sesetan" else item for item in portal.agencies]
    finder = PlaceFinder(replace(portal, agencies=tuple(unnamed)))
    assert office(finder, "@kelurahan", village="Sesetan", text="–") == "kel-sesetan"


def test_a_desa_adat_is_known_only_by_its_name(finder: PlaceFinder) -> None:
    assert office(finder, "@desa_adat", text="parkir desa adat Intaran mahal") == "adat-intaran"
    assert office(finder, "@desa_adat", text="parkir di pasar mahal", village="Renon") is None
