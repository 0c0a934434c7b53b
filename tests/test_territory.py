"""Villages and districts of any region with their Kemendagri codes."""

import pytest

from router_model.errors import PortalError
from router_model.portal import Portal
from training.territory import codes_named, region_named, territory_rows


def test_the_rows_of_denpasar_are_those_of_the_shipped_folder(portal: Portal) -> None:
    shipped = {(place.code, place.name, place.kind, place.district_code) for place in portal.places}
    assert {(row.code, row.name, row.kind, row.district_code) for row in territory_rows("51.71")} == shipped


def test_a_province_has_the_districts_and_villages_of_all_its_regencies() -> None:
    rows = territory_rows("51")
    codes = [row.code for row in rows]
    assert len(codes) == len(set(codes)) > 700
    assert {code[:5] for code in codes} == {
        "51.01",
        "51.02",
        "51.03",
        "51.04",
        "51.05",
        "51.06",
        "51.07",
        "51.08",
        "51.71",
    }
    assert {row.district_code for row in rows if row.kind != "kecamatan"} <= set(codes)


def test_a_district_of_papua_is_one_like_any_other() -> None:
    assert {row.kind for row in territory_rows("91") if not row.district_code} == {"kecamatan"}


@pytest.mark.parametrize("region", ["99", "51.71.01", "51.71.01.1003", "", "Denpasar"])
def test_what_is_no_regency_city_or_province_is_refused(region: str) -> None:
    with pytest.raises(PortalError, match="Kode wilayah"):
        territory_rows(region)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Kota Denpasar", "51.71"),
        ("Pemerintah Kota Denpasar", "51.71"),
        ("KAB. BADUNG", "51.03"),
        ("Provinsi Bali", "51"),
        ("Bali", "51"),
        ("Kota Bandung", "32.73"),
        ("Kabupaten Bandung", "32.04"),
        ("Bandung", None),
        ("Kota Antah Berantah", None),
        ("", None),
    ],
)
def test_a_region_is_known_by_the_name_of_its_government(name: str, code: str | None) -> None:
    assert region_named(name) == code


def test_codes_are_found_however_the_names_are_written() -> None:
    given = [
        ("Kel. Sesetan", "Denpasar Selatan"),
        ("PADANG SAMBIAN", "Kec. Denpasar Barat"),
        ("Pemecutan Kja", ""),
        ("", "Kecamatan Denpasar Utara"),
        ("Kuta", ""),
    ]
    assert codes_named("51.71", given) == {
        given[0]: "51.71.01.1003",
        given[1]: "51.71.03.1010",
        given[2]: "51.71.04.2005",
        given[3]: "51.71.04",
    }


def test_of_two_villages_with_one_name_only_the_district_tells() -> None:
    names = [("Wonorejo", "Rungkut"), ("Wonorejo", "Tegalsari"), ("Wonorejo", "")]
    assert codes_named("35.78", names) == {names[0]: "35.78.03.1005", names[1]: "35.78.05.1005"}
