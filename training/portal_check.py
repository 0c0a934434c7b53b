"""What a portal folder lacks before it goes live; contradictions are none of this, `load_portal` refuses them."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import combinations
from typing import Literal
from zoneinfo import ZoneInfo

from router_model.deadlines import joint_leave_is_known
from router_model.portal import REPORT_TYPES, Agency, Portal
from router_model.rules import Rule
from training.knowledge import Owners, affairs, affairs_of

Grade = Literal["harus", "sebaiknya", "catatan"]
GRADES: tuple[Grade, ...] = ("harus", "sebaiknya", "catatan")
BASIC_LAW = "UU 23/2014 pasal 12 ayat (1)"
OBLIGATORY_LAW = "UU 23/2014 pasal 12 ayat (2)"
LONGEST_WAIT = timedelta(days=100)
"""About 60 working days."""
_AREA_CODE = re.compile(r"\d\d\.\d\d(\.\d\d(\.\d{4})?)?")


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that is missing: `grade` says how much it stands in the way, `where` the file and column, `todo` what
    ends it. `examples` are all it concerns, in the folder's order; empty where the portal as a whole is concerned."""

    code: str
    grade: Grade
    where: str
    told: str
    todo: str
    examples: tuple[str, ...] = ()


def lacks(portal: Portal, today: date) -> list[Lack]:
    """What the portal lacks on that day, gravest first; none of grade `harus` means that it may go live."""
    found = [lack for check in _CHECKS for lack in check(portal, today)]
    return sorted(found, key=lambda lack: GRADES.index(lack.grade))


def _some(code: str, grade: Grade, where: str, told: str, todo: str, examples: Sequence[str]) -> Iterator[Lack]:
    """A lack of each of `examples`; nothing if there are none."""
    if examples:
        yield Lack(code, grade, where, told, todo, tuple(examples))


def _timezone(portal: Portal, _: date) -> Iterator[Lack]:
    try:
        ZoneInfo(portal.timezone)
    except (KeyError, ValueError, OSError):
        told = f"Zona waktu {portal.timezone!r} tidak dikenal."
        yield Lack(
            "timezone", "harus", "portal.toml, timezone", told, "Tulis misalnya Asia/Jakarta atau Asia/Makassar."
        )


def _emergency(portal: Portal, _: date) -> Iterator[Lack]:
    where, contacts = "portal.toml, [[emergency_contacts]]", portal.emergency_contacts
    doubtful = [f"{contact.name}: {contact.number}" for contact in contacts if contact.certainty == "D"]
    if not contacts:
        todo = "Tulis nomor yang benar dijawab siang malam, misalnya 112 atau Pusdalops BPBD."
        yield Lack("emergency_none", "harus", where, "Tidak ada nomor darurat.", todo)
    elif len(doubtful) == len(contacts):
        told = "Tidak satu pun nomor darurat sudah diperiksa (semua berkepastian D)."
        todo = "Telepon nomor-nomor itu, lalu ganti certainty yang terbukti dijawab menjadi A."
        yield Lack("emergency_unproven", "harus", where, told, todo, tuple(doubtful))
    else:
        todo = "Telepon, lalu ganti certainty menjadi A, atau hapus."
        yield from _some("emergency_doubtful", "sebaiknya", where, "Nomor darurat belum diperiksa.", todo, doubtful)


def _deadlines(portal: Portal, _: date) -> Iterator[Lack]:
    where, given = "portal.toml, [deadlines]", portal.settings.get("deadlines")
    rows = {kind: row for kind, row in given.items() if isinstance(row, Mapping)} if isinstance(given, Mapping) else {}
    set_ones = [kind for kind in REPORT_TYPES if rows.get(kind, {}).get("working_days")]
    if not set_ones:
        todo = "Tulis working_days dan source untuk setiap jenis laporan."
        yield Lack("deadline_none", "harus", where, "Tidak ada batas waktu sama sekali.", todo)
        return
    absent = [kind for kind in REPORT_TYPES if kind not in set_ones]
    todo = "Tulis working_days dari peraturan atau standar layanan."
    yield from _some("deadline_absent", "sebaiknya", where, "Jenis laporan tanpa batas waktu.", todo, absent)
    nameless = [kind for kind in set_ones if not rows[kind].get("source")]
    todo = "Tulis peraturan atau standar layanan asalnya di source."
    yield from _some("deadline_source", "sebaiknya", where, "Batas waktu tanpa sumber.", todo, nameless)
    doubtful = [kind for kind in set_ones if rows[kind].get("source") and rows[kind].get("certainty", "D") == "D"]
    todo = "Cari peraturannya, lalu naikkan certainty."
    yield from _some("deadline_doubtful", "catatan", where, "Batas waktu belum diperiksa (D).", todo, doubtful)


def _inside(portal: Portal) -> list[Agency]:
    return [agency for agency in portal.living_agencies if not agency.external]


def _matters(portal: Portal, _: date) -> Iterator[Lack]:
    """Affairs that the law gives to every government, by the names of this government's own agencies."""
    owners = Owners(replace(portal, agencies=tuple(_inside(portal))))
    grades: tuple[tuple[Grade, str], ...] = (("harus", BASIC_LAW), ("sebaiknya", OBLIGATORY_LAW))
    for grade, law in grades:
        missing = [
            affair.name for affair in affairs().values() if affair.law.startswith(law) and not owners.of(affair.code)
        ]
        told = f"Tidak ada instansi yang namanya menunjukkan urusan wajib ini ({law})."
        todo = "Tambahkan instansinya, atau tulis urusannya sebagai alias instansi yang memegangnya."
        yield from _some(f"matter_{grade}", grade, "agencies.csv", told, todo, missing)


def _supervision(portal: Portal, _: date) -> Iterator[Lack]:
    if not any("pengawasan" in affairs_of(agency) for agency in _inside(portal)):
        told = "Tidak ada badan untuk laporan berkadar pengawasan; laporan itu akan sampai ke instansi yang diadukan."
        yield Lack("supervision", "harus", "agencies.csv", told, "Tambahkan Inspektorat.")


def _outside(portal: Portal, _: date) -> Iterator[Lack]:
    outside = [agency for agency in portal.living_agencies if agency.external]
    if not outside:
        told = "Tidak ada badan di luar pemerintah ini; warga yang salah alamat tidak mendapat petunjuk."
        todo = "Tambahkan misalnya PLN, BPN, polisi, BPJS, Samsat, dan pemerintah tetangga dengan external = ya."
        yield Lack("outside_none", "harus", "agencies.csv, kolom external", told, todo)
    todo = "Tulis nomor atau kanal yang dapat ditunjukkan kepada warga."
    silent = [agency.name for agency in outside if not agency.channel]
    told = "Badan luar tanpa kanal: warga tahu ke siapa, tetapi tidak tahu caranya."
    yield from _some("outside_channel", "sebaiknya", "agencies.csv, kolom channel", told, todo, silent)


def _responsibilities(portal: Portal, _: date) -> Iterator[Lack]:
    owning = {unit for leaf in portal.leaves for unit in leaf.units}
    silent = [agency for agency in portal.living_agencies if not agency.responsibilities]
    unreachable = [agency.name for agency in silent if agency.unit not in owning]
    where, todo = "agencies.csv, kolom responsibilities", "Tulis urusannya dengan kata sehari-hari warga."
    told = "Instansi tanpa urusan dan tanpa kategori: tanpa riwayat, tidak akan pernah disarankan."
    yield from _some("agency_unreachable", "sebaiknya", where, told, todo, unreachable)
    told = "Instansi tanpa urusan: tanpa riwayat, model hanya mengenal namanya."
    known = [agency.name for agency in silent if agency.unit in owning]
    yield from _some("responsibilities", "sebaiknya", where, told, todo, known)


def _categories(portal: Portal, _: date) -> Iterator[Lack]:
    where = "categories.csv, kolom agencies"
    if not portal.leaves:
        told, todo = (
            "Tidak ada kategori; saran hanya menyebut instansi.",
            "Ambil kategori dari portal lain sebagai awal.",
        )
        yield Lack("category_none", "sebaiknya", "categories.csv", told, todo)
        return
    free = [leaf.name for leaf in portal.leaves if not leaf.units]
    told, todo = "Kategori yang boleh dimiliki instansi mana pun.", "Tulis pemiliknya bila sudah diketahui."
    yield from _some("category_anyone", "catatan", where, told, todo, free)
    owning = {unit for leaf in portal.leaves for unit in leaf.units}
    if not free:
        told = "Instansi yang bukan pemilik satu kategori pun: saran untuknya tidak akan berkategori."
        without = [portal.unit_name(unit) for unit in portal.units if unit not in owning]
        yield from _some(
            "agency_category", "catatan", where, told, "Tulis di kategori yang menjadi urusannya.", without
        )


def _territory(portal: Portal, _: date) -> Iterator[Lack]:
    offices = [agency for agency in portal.living_agencies if agency.territorial]
    if not portal.places:
        grade: Grade = "harus" if offices else "sebaiknya"
        todo = "Isi kecamatan dan kelurahan/desa dengan kode Kemendagri."
        yield Lack("territory_none", grade, "territory.csv", "Wilayah kosong; tempat kejadian tidak dikenali.", todo)
        return
    odd = [f"{place.code} {place.name}" for place in portal.places if not _AREA_CODE.fullmatch(place.code)]
    told, todo = "Kode wilayah bukan bentuk kode Kemendagri.", "Contoh: 51.71.01 kecamatan, 51.71.01.1003 kelurahan."
    yield from _some("territory_code", "sebaiknya", "territory.csv, kolom code", told, todo, odd)
    where = "agencies.csv, kolom territory"
    nowhere = [agency.name for agency in offices if not agency.territory]
    told = "Instansi kewilayahan tanpa wilayah: hanya ditemukan bila namanya disebut."
    yield from _some("office_nowhere", "sebaiknya", where, told, "Tulis kode wilayah yang dilayaninya.", nowhere)
    told, todo = (
        "Tempat tanpa kantor yang melayaninya.",
        "Tambahkan kantornya, atau tulis kode tempat itu di kolom ini.",
    )
    yield from _some("place_alone", "sebaiknya", where, told, todo, _unserved(portal, offices))


def _unserved(portal: Portal, offices: Sequence[Agency]) -> list[str]:
    """A village may be its district's where no office of this portal serves a village at all."""
    served = {code for agency in offices for code in agency.territory}
    by_village = any(place.district_code and place.code in served for place in portal.places)
    return [
        f"{place.code} {place.name}"
        for place in portal.places
        if place.code not in served and (by_village or not place.district_code or place.district_code not in served)
    ]


def _rules(portal: Portal, today: date) -> Iterator[Lack]:
    past = [rule.code for rule in portal.rules if rule.until and rule.until < today]
    told, todo = "Aturan yang masanya sudah lewat.", "Biarkan bila laporan lama masih dilatih; hapus bila tidak."
    yield from _some("rule_past", "catatan", "rules.csv, kolom to", told, todo, past)
    covered = [
        f"{later.code} (didahului {earlier.code})"
        for earlier, later in combinations(portal.rules, 2)
        if _covers(earlier, later)
    ]
    told = "Aturan yang tidak akan pernah berlaku: aturan di atasnya cocok dengan semua laporannya."
    todo = "Persempit aturan yang di atas, letakkan yang lebih khusus lebih dahulu, atau hapus salah satunya."
    yield from _some("rule_covered", "sebaiknya", "rules.csv", told, todo, covered)


def _covers(earlier: Rule, later: Rule) -> bool:
    """Whether every complaint that the later rule fits is fitted by the earlier one, which then counts instead."""
    wider = all(
        not getattr(earlier, column)
        or (getattr(later, column) and {*getattr(later, column)} <= {*getattr(earlier, column)})
        for column in ("words", "categories", "agencies", "report_types", "places")
    )
    days = (earlier.since or date.min) <= (later.since or date.min) and (later.until or date.max) <= (
        earlier.until or date.max
    )
    return wider and days and {*earlier.without} <= {*later.without}


def _certainty(portal: Portal, _: date) -> Iterator[Lack]:
    doubtful: tuple[tuple[str, str, list[str]], ...] = (
        ("agencies.csv", "instansi", [agency.name for agency in portal.living_agencies if agency.certainty == "D"]),
        ("rules.csv", "aturan", [rule.code for rule in portal.rules if rule.certainty == "D"]),
        ("landmarks.csv", "tempat yang dikenal", [item.name for item in portal.landmarks if item.certainty == "D"]),
        (
            "successions.csv",
            "peralihan",
            [f"{rule.agency} ke {rule.successor}" for rule in portal.successions if rule.certainty == "D"],
        ),
    )
    for file, what, names in doubtful:
        told = f"Fakta yang belum diperiksa (D) ikut menentukan tujuan laporan: {what}."
        todo = "Cocokkan dengan peraturan atau situs resmi, lalu naikkan certainty dan tulis sumbernya."
        yield from _some(
            f"doubtful_{file.partition('.')[0]}", "sebaiknya", f"{file}, kolom certainty", told, todo, names
        )


def _calendar(portal: Portal, today: date) -> Iterator[Lack]:
    """Joint leave that a deadline of what comes today may have to leave out."""
    year = (today + LONGEST_WAIT).year
    written = any(day.kind == "libur" and day.day.year == year for day in portal.calendar)
    if not written and not joint_leave_is_known(year):
        told = f"Cuti bersama tahun {year} belum dikenal; tenggat pada tahun itu dapat jatuh terlalu awal."
        todo = f"Tulis cuti bersama {year} dari SKB tiga menteri, atau perbarui paket holidays."
        yield Lack("calendar_leave", "sebaiknya", "calendar.csv", told, todo)


def _successions(portal: Portal, _: date) -> Iterator[Lack]:
    """Retired agencies some of whose labels end at nobody."""
    categories = ["", *portal.leaf]
    ended = [agency for agency in portal.agencies if agency.code in portal.retired]
    lost = [agency.name for agency in ended if not all(portal.in_charge(agency, category) for category in categories)]
    told = "Instansi yang sudah berakhir tanpa penerus untuk sebagian urusannya: label lamanya tidak dapat dipelajari."
    todo = "Tulis penerusnya, dengan satu baris tanpa categories untuk sisanya."
    yield from _some("succession_lost", "sebaiknya", "successions.csv", told, todo, lost)


_CHECKS: tuple[Callable[[Portal, date], Iterator[Lack]], ...] = (
    _timezone,
    _emergency,
    _deadlines,
    _matters,
    _supervision,
    _outside,
    _responsibilities,
    _categories,
    _territory,
    _rules,
    _certainty,
    _calendar,
    _successions,
)
