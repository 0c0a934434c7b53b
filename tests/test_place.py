"""Where a complaint happened, and which office serves that place."""

from dataclasses import replace

import pytest

from router_model.complaint import Complaint
from router_model.place import PlaceFinder, acted_on
from router_model.portal import Agency, Place, Portal


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


def named(finder: PlaceFinder, **fields: str) -> dict[str, float]:
    """Every place that is shown, with how sure it is."""
    return {one.place.name: one.p for one in finder.find_all(Complaint(**{"text": "", **fields}))}


def test_the_field_of_the_form_comes_before_the_words(finder: PlaceFinder) -> None:
    text = "di kelurahan Panjer juga begitu"
    assert found(finder, village="Sesetan", text=text) == ("Sesetan", "village")
    assert found(finder, address="Jl. Tukad, Kel. Renon") == ("Renon", "address")
    assert found(finder, title="Lurah Sanur") == ("Sanur", "title")
    assert found(finder, text=text) == ("Panjer", "text")


WRITTEN = [
    "SESETAN",
    " sesetan ",
    "Kel. Sesetan",
    "Kelurahan Sesetan",
    "Sesetan.",
    "Ds Sesetan",
    "Lingk. Sesetan",
    "Seset an",
]


@pytest.mark.parametrize("written", [*WRITTEN, "Sesettan", "Kel. Sesetn", "Kel. Sesetan, Kec. Denpasar Selatan"])
def test_the_field_is_understood_however_it_is_written(finder: PlaceFinder, written: str) -> None:
    assert found(finder, village=written) == ("Sesetan", "village")


@pytest.mark.parametrize("written", ["Denpasar Barat", "Kec. denpasar barat", "DENPASARBARAT", "Denpasar Brat"])
def test_the_district_is_understood_however_it_is_written(finder: PlaceFinder, written: str) -> None:
    assert found(finder, district=written) == ("Denpasar Barat", "district")


@pytest.mark.parametrize("written", ["Sanr", "Dangin Puri Ka", "Kuta", "-", "di rumah", "Sesetan Panjer"])
def test_a_field_that_could_be_two_places_or_none_is_none(finder: PlaceFinder, written: str) -> None:
    assert finder.find_all(Complaint(text="", village=written)) == ()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("got di desa Pemecutan Kaja mampet", "Pemecutan Kaja"),
        ("kelurahan Pemecutan mampet", "Pemecutan"),
        ("desa Pemecutan-Kaja", "Pemecutan Kaja"),
        ("desa Penatih Dangin Puri gelap", "Penatih Dangin Puri"),
        ("kel Dangin Puri gelap", "Dangin Puri"),
        ("jalan di desa Padang Sambian Kelod", "Padangsambian Kelod"),
    ],
)
def test_the_longest_name_wins(finder: PlaceFinder, text: str, wanted: str) -> None:
    assert found(finder, text=text) == (wanted, "text")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("desa Pemecutan Kja gelap", "Pemecutan Kaja"),
        ("kel. Sesetn gelap", "Sesetan"),
        ("desa padang sambiyan kelod gelap", "Padangsambian Kelod"),
        ("Kel. Tonj gelap", None),
        ("kelurahan setempat tidak menanggapi", None),
        ("kelurahan sekitar pasar", None),
        ("jalan sesetn gelap", None),
    ],
)
def test_a_misspelt_name_counts_behind_a_strong_word_only(finder: PlaceFinder, text: str, wanted: str | None) -> None:
    assert found(finder, text=text) == ((wanted, "text") if wanted else None)


@pytest.mark.parametrize("cue", ["kelurahan", "kel.", "Kel", "desa", "ds", "lurah", "perbekel", "kantor desa"])
def test_a_name_of_one_word_decides_behind_a_strong_word(finder: PlaceFinder, cue: str) -> None:
    assert found(finder, text=f"jalan berlubang {cue} Renon rusak") == ("Renon", "text")


@pytest.mark.parametrize("cue", ["wilayah", "daerah", "di", "warga"])
def test_behind_a_weaker_word_it_is_shown_and_does_not_decide(finder: PlaceFinder, cue: str) -> None:
    """Renon is a business district too."""
    assert found(finder, text=f"macet {cue} Renon") is None
    assert 0.5 < named(finder, text=f"macet {cue} Renon")["Renon"] < 0.95


def test_a_common_word_is_no_place(finder: PlaceFinder) -> None:
    assert named(finder, text="serangan nyamuk di serangan umum", title="Serangan jantung") == {}
    assert named(finder, text="penyu di Serangan") == {"Serangan": 0.75}
    assert found(finder, text="kelurahan serangan") == ("Serangan", "text")


@pytest.mark.parametrize(
    "text",
    [
        "bapak Ketut Tegal Harum marah",
        "Pak Tegal Harum marah",
        "saya, a.n. Tegal Harum, melapor",
        "nama saya Tegal Harum",
        "Jl. Tegal Harum gelap",
        "Jalan Raya Tegal Harum gelap",
        "jembatan Tegal Harum",
        "Pasar Tegal Harum sepi",
        "SDN Tegal Harum",
        "Tegal Harum Asri",
        "lampu sanur redup",
        "kabupaten Sanur",
    ],
)
def test_a_person_a_road_a_school_or_an_estate_is_no_place(finder: PlaceFinder, text: str) -> None:
    assert named(finder, text=text) == {}
    assert named(finder, text="warga Tegal Harum marah").keys() == {"Tegal Harum"}


def test_a_word_that_is_nearly_a_village_is_still_a_word(portal: Portal) -> None:
    finder = PlaceFinder(
        replace(portal, places=(*portal.places, Place("51.71.01.2099", "Sekitaran", "desa", "51.71.01")))
    )
    assert found(finder, text="kelurahan sekitar pasar") is None
    assert found(finder, text="kelurahan sekitarann pasar") == ("Sekitaran", "text")


def test_where_a_name_stands_is_right_beside_tags_and_masks(finder: PlaceFinder) -> None:
    text = "#LampuMati desa Sidakarya [NIK]"
    place = finder.find(Complaint(text=text))
    assert place and text[place.start : place.end] == place.name == "Sidakarya"


def test_the_head_of_a_village_is_a_person_of_that_village(finder: PlaceFinder) -> None:
    assert found(finder, text="Bapak Perbekel Sidakarya tidak menjawab") == ("Sidakarya", "text")


def test_a_part_of_the_address_decides_if_the_name_comes_again(finder: PlaceFinder) -> None:
    address = "Jl. Mawar 3, Panjer, Kota Denpasar"
    assert found(finder, address=address) is None
    assert found(finder, address=address, text="lampu jalan Panjer mati") == ("Panjer", "address")
    assert found(finder, address=address, text="lampu jalan Panjer mati, warga Renon juga") is None


def test_a_household_number_decides_in_the_district_of_the_form(finder: PlaceFinder) -> None:
    address = "RT 02 RW 05 Panjer"
    assert found(finder, address=address) is None
    assert found(finder, address=address, district="Denpasar Selatan") == ("Panjer", "address")


def test_two_places_that_are_named_alike_are_shown_and_neither_decides(finder: PlaceFinder) -> None:
    text = "dari kelurahan Sesetan sampai kelurahan Panjer gelap"
    assert found(finder, text=text) is None
    assert set(named(finder, text=text)) == {"Sesetan", "Panjer"}


def test_places_are_shown_surest_first_and_each_once(finder: PlaceFinder) -> None:
    text = "warga Renon dan desa Sidakarya, ya desa Sidakarya"
    places = finder.find_all(Complaint(text=text))
    assert [one.place.name for one in places] == ["Sidakarya", "Renon"]
    assert text[places[0].start : places[0].end] == places[0].name == "Sidakarya"
    assert places[0].start == text.index("Sidakarya")


def test_a_second_spelling_is_the_same_place(finder: PlaceFinder) -> None:
    assert found(finder, village="Padang Sambian") == found(finder, village="Padangsambian")
    assert found(finder, text="desa padangsambian kaja") == ("Padang Sambian Kaja", "text")


def test_a_name_does_not_go_on_behind_a_comma(finder: PlaceFinder) -> None:
    assert found(finder, text="desa Sanur, Kaja namanya") == ("Sanur", "text")


def test_a_district_is_found_but_a_village_is_more_exact(finder: PlaceFinder) -> None:
    assert found(finder, text="se-kecamatan Denpasar Barat") == ("Denpasar Barat", "text")
    assert found(finder, text="kec. Denpasar Barat, tepatnya desa Tegal Harum") == ("Tegal Harum", "text")
    assert found(finder, district="Denpasar Barat", text="desa Tegal Harum") == ("Tegal Harum", "text")


def test_a_village_of_another_district_does_not_overrule_the_field(finder: PlaceFinder) -> None:
    text = "desa Sanur Kauh saja bisa"
    assert found(finder, district="Denpasar Utara", text=text) == ("Denpasar Utara", "district")
    assert named(finder, district="Denpasar Utara", text=text)["Sanur Kauh"] < 0.1


def test_a_village_of_the_form_that_lies_in_another_district_does_not_decide(finder: PlaceFinder) -> None:
    """Pemecutan lies in Denpasar Barat; Pemecutan Kaja in Denpasar Utara may be meant."""
    assert found(finder, village="Pemecutan", district="Denpasar Utara") == ("Denpasar Utara", "district")


def test_of_two_villages_with_one_name_the_district_tells_which(portal: Portal) -> None:
    twin = Place("51.71.04.2099", "Sidakarya", "desa", "51.71.04")
    finder = PlaceFinder(replace(portal, places=(*portal.places, twin)))
    assert found(finder, village="Sidakarya") is None
    assert found(finder, text="desa Sidakarya") is None
    assert [one.p for one in finder.find_all(Complaint(text="warga Sidakarya"))] == [0.375, 0.375]
    for district, code in (("Denpasar Selatan", "51.71.01.2007"), ("Denpasar Utara", twin.code)):
        for fields in (
            {"village": "Sidakarya", "district": district},
            {"text": "desa Sidakarya", "district": district},
            {"text": f"desa Sidakarya kecamatan {district}"},
        ):
            place = finder.find(Complaint(**{"text": "", **fields}))
            assert place and place.place.code == code


def test_a_village_that_ends_in_its_district_is_known_without_it(portal: Portal) -> None:
    village = Place("51.71.04.2098", "Mekar Denpasar Utara", "desa", "51.71.04")
    finder = PlaceFinder(replace(portal, places=(*portal.places, village)))
    assert found(finder, village="Mekar") == found(finder, village="Mekar Denpasar Utara") == (village.name, "village")


def test_what_is_acted_on_is_one_of_all_that_was_found(finder: PlaceFinder) -> None:
    complaint = Complaint(text="desa Sidakarya, dekat Renon", district="Denpasar Selatan")
    assert acted_on(finder.find_all(complaint)) == finder.find(complaint)


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


def branch(code: str, name: str, *territory: str) -> Agency:
    return Agency(code, name, "puskesmas", territory=territory, territorial=True)


def test_a_branch_is_resolved_from_the_place_or_its_name(portal: Portal) -> None:
    branches = (branch("pkm-1", "Puskesmas I Selatan", "51.71.01.1003"), branch("pkm-2", "Puskesmas Timur", "51.71.02"))
    finder = PlaceFinder(replace(portal, agencies=portal.agencies + branches))
    assert office(finder, "@puskesmas", village="Sesetan") == "pkm-1"
    assert office(finder, "@puskesmas", village="Sumerta") == "pkm-2"
    assert office(finder, "@puskesmas", village="Panjer") is None
    assert office(finder, "@puskesmas", village="Sesetan", text="antre di puskesmas timur") == "pkm-2"


def test_of_two_branches_in_one_village_the_place_does_not_tell_which(portal: Portal) -> None:
    branches = (branch("sd-1", "SDN 1 Sesetan", "51.71.01.1003"), branch("sd-2", "SDN 2 Sesetan", "51.71.01.1003"))
    finder = PlaceFinder(replace(portal, agencies=portal.agencies + branches))
    assert office(finder, "@puskesmas", village="Sesetan") is None


def test_an_office_without_territory_serves_the_place_it_is_named_after(portal: Portal) -> None:
    """However it is spelled: histories write Kelurahan Padang Sambian and the village as Padangsambian."""
    changed = {"kel-padangsambian": "Kelurahan Padang Sambian", "kec-denpasar-barat": "Kecamatan Denpasar Brat"}
    agencies = [
        replace(item, name=changed[item.code], territory=()) if item.code in changed else item
        for item in portal.agencies
    ]
    finder = PlaceFinder(replace(portal, agencies=tuple(agencies)))
    assert office(finder, "@kelurahan", village="Padangsambian") == "kel-padangsambian"
    assert office(finder, "@kecamatan", village="Tegal Harum") == "kec-denpasar-barat"
