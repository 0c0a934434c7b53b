"""Derives a portal folder from a labelled history or from a list of agency names. Never merges silently."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import tomli_w

from router_model.errors import DatasetError, PortalError
from router_model.portal import folded
from training.reading import Row

URGENCY_ROWS = (
    ("darurat", "Darurat", "Nyawa, badan, atau anak terancam sekarang atau dalam hitungan jam", "Panggil petugas jaga"),
    ("tinggi", "Tinggi", "Risiko serius atau banyak orang terdampak", "Dahulukan hari ini juga"),
    ("sedang", "Sedang", "Layanan rusak bagi satu atau beberapa orang tanpa bahaya", "Sesuai tenggat biasa"),
    ("rendah", "Rendah", "Usul, permintaan informasi, pujian, keindahan", "Sesuai tenggat biasa"),
)
_TERRITORIAL = {"kelurahan": "village", "desa": "village", "kecamatan": "district"}
_KINDS = (
    "kelurahan", "desa", "kecamatan", "dinas", "badan", "bagian", "biro", "inspektorat", "sekretariat", "rsud",
    "puskesmas", "perumda", "satuan",
)  # fmt: skip


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def kind_of(name: str) -> str:
    first = folded(name).split(" ", 1)[0]
    return first if first in _KINDS else "instansi"


def _unique(names: Iterable[str]) -> dict[str, str]:
    """Name to code; names that would share a code get a number."""
    codes: dict[str, str] = {}
    taken: Counter[str] = Counter()
    for name in names:
        code = slug(name) or "tanpa-nama"
        taken[code] += 1
        codes[name] = code if taken[code] == 1 else f"{code}-{taken[code]}"
    return codes


def derive(rows: Sequence[Row], out: Path, name: str) -> dict[str, int]:
    """A portal folder from the labels of a history: agencies, categories with the agencies they went to, and
    the territory of the village and district columns. Returns how many of each.

    An agency is territorial when its name without its kind is one of the villages or districts.

    Raises:
        DatasetError: the rows hold no agency.
        PortalError: `out` exists and is not empty.
    """
    agencies = Counter(row.get("agency") for row in rows if row.get("agency"))
    if not agencies:
        raise DatasetError("Kolom agency kosong di semua baris; portal tidak dapat disusun tanpa instansi.")
    places, districts = _territory(rows)
    place_names: dict[str, dict[str, str]] = {"village": {}, "district": {}}
    for column, values in (("village", places), ("district", districts)):
        place_names[column] = {folded(value): value for value in values}
    district_codes = _unique(sorted(districts))
    village_codes = {
        place: f"{district_codes[district]}/{slug(place)}" if district else slug(place)
        for place, district in places.items()
    }
    agency_codes = _unique(sorted(agencies))
    territory: dict[str, str] = {}
    for agency in agencies:
        column = _TERRITORIAL.get(kind_of(agency), "")
        rest = folded(agency).partition(" ")[2]
        if rest in place_names.get(column, {}):
            place = place_names[column][rest]
            territory[agency] = village_codes[place] if column == "village" else district_codes[place]
    kinds = sorted({kind_of(agency) for agency in agencies if kind_of(agency) in _TERRITORIAL})
    owners: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row.get("agency") and row.get("category"):
            kind = kind_of(row.get("agency"))
            owners[row.get("category")].add(f"@{kind}" if kind in kinds else agency_codes[row.get("agency")])
    category_codes = _unique(sorted({row.get("category") for row in rows if row.get("category")}))
    _write_folder(
        out,
        {
            "code": slug(name),
            "name": name,
            "government": name,
            "timezone": "Asia/Jakarta",
            "territorial_kinds": kinds,
        },
        [
            (
                agency_codes[agency],
                agency,
                kind_of(agency),
                territory.get(agency, ""),
                "C",
                "diturunkan dari riwayat disposisi",
            )
            for agency in sorted(agencies)
        ],
        [(code, category, ";".join(sorted(owners[category]))) for category, code in category_codes.items()],
        [(code, district, "kecamatan", "") for district, code in district_codes.items()]
        + [(code, place, "kelurahan", district_codes.get(places[place], "")) for place, code in village_codes.items()],
    )
    return {
        "agencies": len(agencies),
        "territorial": len(territory),
        "categories": len(category_codes),
        "places": len(village_codes) + len(district_codes),
    }


def derive_from_names(
    agencies: Sequence[str], places: Sequence[tuple[str, str]], out: Path, name: str
) -> dict[str, int]:
    """A portal folder for a city without history: agency names, and `(village, district)` pairs."""
    history = [Row("", {"agency": agency}) for agency in agencies if agency.strip()]
    history += [Row("", {"village": village, "district": district}) for village, district in places]
    return derive(history, out, name)


def _territory(rows: Sequence[Row]) -> tuple[dict[str, str], set[str]]:
    """Each village with the district it is most often given with, and all districts."""
    together: dict[str, Counter[str]] = defaultdict(Counter)
    districts: set[str] = set()
    for row in rows:
        if row.get("district"):
            districts.add(row.get("district"))
        if row.get("village"):
            together[row.get("village")][row.get("district")] += 1
    return {village: counts.most_common(1)[0][0] for village, counts in sorted(together.items())}, districts


def _write_folder(
    out: Path,
    settings: dict[str, object],
    agencies: Sequence[tuple[str, ...]],
    categories: Sequence[tuple[str, ...]],
    places: Sequence[tuple[str, ...]],
) -> None:
    if out.exists() and any(out.iterdir()):
        raise PortalError(f"Folder {out} sudah ada isinya; pilih folder lain atau kosongkan dahulu.")
    out.mkdir(parents=True, exist_ok=True)
    settings["policy"] = {"precision_auto": 0.97, "precision_prefill": 0.90, "emergency_threshold": 0.12}
    (out / "portal.toml").write_text(
        "# Disusun dari riwayat; periksa nama, zona waktu, dan nomor darurat sebelum dipakai.\n"
        + tomli_w.dumps(settings),
        "utf-8",
    )
    tables: dict[str, tuple[str, Sequence[tuple[str, ...]]]] = {
        "agencies.csv": ("code,name,kind,territory,certainty,source", agencies),
        "categories.csv": ("code,name,agencies", categories),
        "urgency.csv": ("code,name,criteria,action", URGENCY_ROWS),
        "territory.csv": ("code,name,kind,district_code", places),
    }
    for file_name, (header, table) in tables.items():
        with (out / file_name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header.split(","))
            writer.writerows(table)
