"""Derives a portal folder from a labelled history or from a list of agency names. Never merges silently."""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import tomli_w

from router_model.errors import DatasetError, PortalError
from router_model.portal import Place, folded, load_portal
from training.alias_decisions import ALIAS_FILE, AliasDecisions, write_proposals
from training.knowledge import shipped_categories
from training.name_similarity import Proposal, parse_name, proposals
from training.reading import Row
from training.territory import codes_named, territory_rows

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
CATEGORY_FILE = "categories.csv"
CATEGORY_COLUMNS = "code,name,parent,national_name,agencies,description"
_UNDECIDED = AliasDecisions()


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def kind_of(name: str) -> str:
    """The kind a name begins with, also where it is shortened as in `Kec.`."""
    firsts = (folded(name).split(" ", 1)[0], parse_name(name).words[0])
    return next((first for first in firsts if first in _KINDS), "instansi")


def _unique(names: Iterable[str]) -> dict[str, str]:
    """Name to code; names that would share a code get a number."""
    codes: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        code = free = slug(name) or "tanpa-nama"
        number = 1
        while free in taken:
            number += 1
            free = f"{code}-{number}"
        taken.add(free)
        codes[name] = free
    return codes


def _one_spelling(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Values of the columns used here; of spellings that a portal takes for one name the most frequent stands."""
    columns = ("agency", "category", "village", "district")
    usual: dict[tuple[str, str], str] = {}
    counts = Counter((column, row.get(column)) for row in rows for column in columns if folded(row.get(column)))
    for (column, value), _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        usual.setdefault((column, folded(value)), value)
    return [{column: usual.get((column, folded(row.get(column))), "") for column in columns} for row in rows]


def derive(
    rows: Sequence[Row], out: Path, name: str, decisions: AliasDecisions = _UNDECIDED, region: str = ""
) -> dict[str, int]:
    """A portal folder from the labels of a history: agencies, categories with the agencies they went to, and
    the territory of the village and district columns. Returns how many of each, how many names were merged as
    decided and how many more are proposed in `ALIAS_FILE`. Without a category column the categories are the shipped
    ones that somebody here has.

    An agency is territorial when its name without its kind is one of the villages or districts. With the Kemendagri
    code of a `region`, such as `51.71`, all its villages and districts make the territory, with their own codes.

    Raises:
        DatasetError: the rows hold no agency.
        PortalError: `out` exists and is not empty, or there is no such region.
    """
    records = _one_spelling(rows)
    labels = Counter(record["agency"] for record in records if record["agency"])
    if not labels:
        raise DatasetError("Kolom agency kosong di semua baris; portal tidak dapat disusun tanpa instansi.")
    names = _names(labels, decisions)
    agencies: Counter[str] = Counter()
    for label, count in labels.items():
        agencies[names[label]] += count
    places = _territory(records, region)
    agency_codes = _unique(sorted(agencies))
    offices = {level: _by_name(places, level) for level in ("village", "district")}
    territory = {agency: code for agency in agencies if (code := _served(agency, offices))}
    kinds = sorted({kind_of(agency) for agency in agencies if kind_of(agency) in _TERRITORIAL})
    owners: dict[str, set[str]] = defaultdict(set)
    for record in records:
        if record["agency"] and record["category"]:
            agency = names[record["agency"]]
            owners[record["category"]].add(f"@{kind_of(agency)}" if kind_of(agency) in kinds else agency_codes[agency])
    category_codes = _unique(sorted({record["category"] for record in records if record["category"]}))
    proposed = [item for item in proposals(agencies) if not _is_apart(item, decisions)]
    _write_folder(
        out,
        {
            "code": slug(name),
            "name": name,
            "government": name,
            "timezone": _timezone(region),
            "territorial_kinds": kinds,
        },
        [
            (
                agency_codes[agency],
                agency,
                kind_of(agency),
                _aliases(agency, labels, names),
                territory.get(agency, ""),
                "C",
                "diturunkan dari riwayat disposisi",
            )
            for agency in sorted(agencies)
        ],
        [(code, category, "", "", ";".join(sorted(owners[category])), "") for category, code in category_codes.items()],
        [(place.code, place.name, place.kind, place.district_code, ";".join(place.aliases)) for place in places],
    )
    shipped = () if category_codes else shipped_categories(load_portal(out))
    if shipped:
        _write_table(
            out / CATEGORY_FILE,
            CATEGORY_COLUMNS,
            [(item.code, item.name, item.parent, item.national_name, "", item.description) for item in shipped],
        )
    if proposed:
        write_proposals(proposed, out / ALIAS_FILE)
    return {
        "agencies": len(agencies),
        "territorial": len(territory),
        "categories": len(category_codes) or sum(bool(item.parent) for item in shipped),
        "places": len(places),
        "merged": sum(label != name for label, name in names.items()),
        "proposed": len(proposed),
    }


def derive_from_names(
    agencies: Sequence[str],
    places: Sequence[tuple[str, str]],
    out: Path,
    name: str,
    decisions: AliasDecisions = _UNDECIDED,
    region: str = "",
) -> dict[str, int]:
    """A portal folder for a city without history: agency names, and `(village, district)` pairs or a `region`."""
    history = [Row("", {"agency": agency}) for agency in agencies if agency.strip()]
    history += [Row("", {"village": village, "district": district}) for village, district in places]
    return derive(history, out, name, decisions, region)


def _names(labels: Iterable[str], decisions: AliasDecisions) -> dict[str, str]:
    """Each label with the name of its agency."""
    usual = {folded(label): label for label in labels}
    merged = {label: decisions.name_of(label) for label in labels}
    return {label: usual.get(folded(name), name) for label, name in merged.items()}


def _aliases(agency: str, labels: Counter[str], names: Mapping[str, str]) -> str:
    """The other labels of an agency as a cell, the most frequent first."""
    others = [label for label, _ in labels.most_common() if names[label] == agency and label != agency]
    return ";".join(label.replace(";", ",") for label in others)


def _is_apart(proposal: Proposal, decisions: AliasDecisions) -> bool:
    return frozenset((folded(proposal.label), folded(proposal.agency))) in decisions.apart


def _served(agency: str, offices: dict[str, dict[str, str]]) -> str:
    """The code of the village or district that a territorial agency is named after, "" if there is none."""
    codes = offices.get(_TERRITORIAL.get(kind_of(agency), ""), {})
    names = (folded(agency).partition(" ")[2], " ".join(parse_name(agency).words[1:]))
    return next((codes[name] for name in names if name in codes), "")


def _territory(records: Sequence[dict[str, str]], region: str) -> list[Place]:
    """Districts and villages, of the region and of those the records name; a village is in the district it is most
    often given with."""
    together: dict[str, Counter[str]] = defaultdict(Counter)
    districts = {record["district"] for record in records if record["district"]}
    for record in records:
        if record["village"]:
            together[record["village"]][record["district"]] += 1
    pairs = [(village, counts.most_common(1)[0][0]) for village, counts in sorted(together.items())]
    official = {place.code: place for place in territory_rows(region)} if region else {}
    known = codes_named(region, [*pairs, *(("", district) for district in districts)]) if region else {}
    for (village, district), code in known.items():
        place, spelled = official[code], village or district
        if folded(spelled) != folded(place.name):
            official[code] = replace(place, aliases=(*place.aliases, spelled))
    own = _unique(sorted(district for district in districts if ("", district) not in known))
    codes = own | {district: code for (village, district), code in known.items() if not village}
    return [
        *(place for place in official.values() if not place.district_code),
        *(Place(code, district, "kecamatan") for district, code in own.items()),
        *(place for place in official.values() if place.district_code),
        *(
            Place(f"{codes[district]}/{slug(village)}" if district else slug(village), village, "kelurahan",
                  codes.get(district, ""))
            for village, district in pairs
            if (village, district) not in known
        ),
    ]  # fmt: skip


def _by_name(places: Sequence[Place], level: str) -> dict[str, str]:
    """Codes of the villages or the districts by name; names that two of them bear are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for place in places:
        if bool(place.district_code) == (level == "village") or (level == "village" and place.kind != "kecamatan"):
            for name in (place.name, *place.aliases):
                found[folded(name)].add(place.code)
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}


def _timezone(region: str) -> str:
    """Of a province by its code, Keppres 41/1987; Jakarta where no region is given."""
    province = region[:2]
    if province in {"51", "52", "53", "63", "64", "65"} or province.startswith("7"):
        return "Asia/Makassar"
    return "Asia/Jayapura" if province[:1] in {"8", "9"} else "Asia/Jakarta"


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
    settings["policy"] = {"precision_auto": 0.97, "precision_prefill": 0.90, "emergency_threshold": 0.2}
    (out / "portal.toml").write_text(
        "# Disusun dari riwayat; periksa nama, zona waktu, dan nomor darurat sebelum dipakai.\n"
        + tomli_w.dumps(settings),
        "utf-8",
    )
    tables: dict[str, tuple[str, Sequence[tuple[str, ...]]]] = {
        "agencies.csv": ("code,name,kind,aliases,territory,certainty,source", agencies),
        CATEGORY_FILE: (CATEGORY_COLUMNS, categories),
        "urgency.csv": ("code,name,criteria,action", URGENCY_ROWS),
        "territory.csv": ("code,name,kind,district_code,aliases", places),
    }
    for file_name, (header, table) in tables.items():
        _write_table(out / file_name, header, table)


def _write_table(path: Path, header: str, table: Sequence[tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(table)
