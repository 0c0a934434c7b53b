"""Bodies are renamed, merged and split; labels of history become the bodies that have the matters today."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from router_model.errors import PortalError
from router_model.portal import Portal, load_portal
from training.dataset import LabelMapping, examples, label_mappings
from training.reading import Row

AGENCIES = """code,name,short_name,kind,aliases,territory,valid_to
bencana,Badan Bencana,BPB,badan,Badan Kebencanaan,,
damkar,Dinas Damkar,Damkar,dinas,,,
pu,Dinas Pekerjaan Umum,DPU,dinas,,,2020-12-31
jalan,Dinas Jalan,,dinas,,,
air,Dinas Air,,dinas,,,2022-12-31
sda,Dinas Sumber Daya Air,,dinas,Dinas SDA,,
lama,Kantor Lama,,kantor,,,2019-01-01
melati,Kelurahan Melati,,kelurahan,,1,2021-01-01
mawar,Kelurahan Mawar,,kelurahan,,2,
"""
CATEGORIES = """code,name,parent,agencies
bahaya,Bahaya,,
kebakaran,Kebakaran,bahaya,bencana
banjir,Banjir,bahaya,bencana
lubang,Jalan berlubang,,
got,Got mampet,,
surat,Surat,,
"""
HEADER = "agency,successor,from,categories,certainty,source,note\n"
SUCCESSIONS = """bencana,damkar,2023-07-01,kebakaran,B,berita,
pu,jalan,2021-01-01,lubang,A,,
pu,air,2021-01-01,got,A,,
air,sda,2023-01-01,,A,,
melati,mawar,2021-01-01,,A,,
"""
Build = Callable[..., Portal]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Loads a small portal folder with the given rows of `successions.csv`."""

    def load(successions: str = SUCCESSIONS, agencies: str = AGENCIES, categories: str = CATEGORIES) -> Portal:
        files = {
            "portal.toml": 'code = "uji"\nname = "Uji"\ngovernment = "Uji"\ntimezone = "Asia/Jakarta"\n'
            'territorial_kinds = ["kelurahan"]\n',
            "agencies.csv": agencies,
            "categories.csv": categories,
            "urgency.csv": "code,name\ndarurat,D\ntinggi,T\nsedang,S\nrendah,R\n",
            "territory.csv": "code,name,kind\n1,Melati,kelurahan\n2,Mawar,kelurahan\n",
            "successions.csv": HEADER + successions,
        }
        for name, content in files.items():
            (tmp_path / name).write_text(content, "utf-8")
        return load_portal(tmp_path)

    return load


def row(agency: str, category: str = "", received_at: str = "", **values: str) -> Row:
    given = {"text": "isi laporan", "agency": agency, "category": category, "received_at": received_at, **values}
    return Row("a.csv baris 2", given)


def learned(portal: Portal, *arguments: str) -> str:
    """The agency that one row teaches, or what is wrong with its label."""
    found, faults = examples([row(*arguments)], portal)
    return faults[0].kind if faults else found[0].labels["agency"]


def test_a_folder_without_successions_has_none(build: Build, tmp_path: Path) -> None:
    build()
    (tmp_path / "successions.csv").unlink()
    assert load_portal(tmp_path).successions == ()


def test_a_row_is_read_with_its_date_categories_and_certainty(build: Build) -> None:
    first = build().successions[0]
    assert (first.agency, first.successor, first.since) == ("bencana", "damkar", date(2023, 7, 1))
    assert (first.categories, first.certainty, first.source) == (frozenset({"kebakaran"}), "B", "berita")


def test_retired_bodies_are_found_by_their_labels_but_are_no_answer(build: Build) -> None:
    portal = build()
    assert portal.retired == {"pu", "air", "lama", "melati"}
    assert portal.units == ("bencana", "damkar", "jalan", "sda", "@kelurahan")
    assert [agency.code for agency in portal.living_agencies] == ["bencana", "damkar", "jalan", "sda", "mawar"]
    assert (found := portal.find_agency("DPU")) and found.code == "pu"


def test_a_body_whose_every_matter_went_on_is_retired_without_an_end_date(build: Build) -> None:
    assert "damkar" in build("damkar,bencana,2024-01-01,,B,,\n").retired


def test_a_living_body_keeps_a_short_name_that_it_took_over(build: Build) -> None:
    portal = build(agencies=AGENCIES.replace("jalan,Dinas Jalan,,", "jalan,Dinas Jalan,DPU,"))
    assert (found := portal.find_agency("dpu")) and found.code == "jalan"


@pytest.mark.parametrize(
    ("label", "category", "received_at", "agency"),
    [
        ("Badan Bencana", "Kebakaran", "2023-06-30", "damkar"),
        ("Badan Bencana", "Kebakaran", "2023-07-01", "bencana"),
        ("Badan Bencana", "Kebakaran", "", "damkar"),
        ("Badan Kebencanaan", "Kebakaran", "kemarin", "damkar"),
        ("Badan Bencana", "Banjir", "2020-01-01", "bencana"),
        ("Badan Bencana", "", "2020-01-01", "bencana"),
        ("DPU", "Jalan berlubang", "2019-05-01", "jalan"),
        ("DPU", "Jalan berlubang", "2025-05-01", "jalan"),
        ("DPU", "Got mampet", "2019-05-01", "sda"),
        ("DPU", "Got mampet", "", "sda"),
        ("Dinas Air", "Banjir", "2024-01-01", "sda"),
        ("DPU", "Surat", "2019-05-01", "split"),
        ("DPU", "", "2019-05-01", "split"),
        ("Kantor Lama", "Surat", "2018-01-01", "retired"),
        ("Kantor Entah", "Surat", "2018-01-01", "unknown"),
        ("Kelurahan Melati", "Surat", "2018-01-01", "mawar"),
    ],
)
def test_a_label_becomes_the_body_that_has_the_matter_today(
    build: Build, label: str, category: str, received_at: str, agency: str
) -> None:
    assert learned(build(), label, category, received_at) == agency


def test_the_class_of_a_mapped_label_is_that_of_its_heir(build: Build) -> None:
    found, _ = examples([row("Kelurahan Melati"), row("BPB", "Kebakaran")], build())
    assert [dict(example.labels) for example in found] == [
        {"agency": "mawar", "unit": "@kelurahan"},
        {"agency": "damkar", "unit": "damkar", "category": "kebakaran"},
    ]


def test_a_catch_all_takes_what_no_other_row_names(build: Build) -> None:
    portal = build(SUCCESSIONS + "pu,damkar,2021-01-01,,A,,\n")
    assert [learned(portal, "DPU", c) for c in ("Got mampet", "Jalan berlubang", "Surat", "")] == [
        "sda", "jalan", "damkar", "damkar",
    ]  # fmt: skip


def test_a_rule_without_a_date_holds_for_every_row(build: Build) -> None:
    portal = build("bencana,damkar,,kebakaran,B,,\n")
    assert learned(portal, "BPB", "Kebakaran", "2030-01-01") == "damkar"


def test_of_two_rules_for_one_matter_the_later_holds(build: Build) -> None:
    portal = build("bencana,damkar,2020-01-01,kebakaran,B,,\nbencana,sda,2023-01-01,kebakaran,B,,\n")
    days = ("2019-01-01", "2021-01-01", "2024-01-01", "")
    assert [learned(portal, "BPB", "Kebakaran", day) for day in days] == ["sda", "sda", "bencana", "sda"]


def test_an_heir_keeps_what_it_got_after_its_own_matters_went_on(build: Build) -> None:
    portal = build("bencana,damkar,2023-01-01,kebakaran,B,,\ndamkar,sda,2020-01-01,kebakaran,B,,\n")
    assert [learned(portal, "BPB", "Kebakaran", day) for day in ("2019-01-01", "")] == ["damkar", "damkar"]
    assert learned(portal, "Damkar", "Kebakaran", "2019-01-01") == "sda"


def test_two_bodies_may_exchange_matters(build: Build) -> None:
    portal = build("bencana,damkar,2023-01-01,kebakaran,B,,\ndamkar,bencana,2023-01-01,banjir,B,,\n")
    assert learned(portal, "BPB", "Kebakaran", "2022-01-01") == "damkar"
    assert learned(portal, "Damkar", "Banjir", "2022-01-01") == "bencana"


def test_a_split_that_a_person_must_resolve_still_teaches_the_other_answers(build: Build) -> None:
    found, faults = examples([row("DPU", "Surat", "2019-01-01", urgency="sedang")], build())
    assert [dict(example.labels) for example in found] == [{"category": "surat", "urgency": "sedang"}]
    assert [(fault.column, fault.value, fault.kind) for fault in faults] == [("agency", "DPU", "split")]
    assert str(faults[0]).startswith("a.csv baris 2, kolom agency: 'DPU' sudah dipecah")
    assert "harus dipilih petugas" in str(faults[0])


def test_a_main_branch_is_no_category_of_a_complaint(build: Build) -> None:
    _, faults = examples([row("Damkar", "Bahaya")], build())
    assert [(fault.column, fault.kind) for fault in faults] == [("category", "branch")]
    assert "kategori induk" in str(faults[0])


@pytest.mark.parametrize(
    ("column", "value", "nearest"),
    [
        ("agency", "Dinas Sumberdaya Air", "Dinas Sumber Daya Air"),
        ("agency", "Badan Kebncanaan", "Badan Bencana"),
        ("category", "Jalan berlubng", "Jalan berlubang"),
        ("urgency", "sedangg", "sedang"),
        ("agency", "Perpustakaan", ""),
    ],
)
def test_an_unknown_label_comes_with_the_nearest_known_one(build: Build, column: str, value: str, nearest: str) -> None:
    given = {"agency": "Damkar", column: value}
    _, faults = examples([row(**given)], build())
    assert [(fault.column, fault.kind, fault.nearest) for fault in faults] == [(column, "unknown", nearest)]
    assert str(faults[0]).endswith(f"; mungkin maksudnya {nearest!r}" if nearest else "tidak dikenal portal")


def test_what_was_mapped_is_told_with_its_rule_count_and_days(build: Build) -> None:
    rows = [
        row("BPB", "Kebakaran", "2022-05-02"),
        row("BPB", "Kebakaran", "2021-05-01"),
        row("BPB", "Kebakaran", "2024-01-01"),
        row("DPU", "Got mampet"),
        row("Kelurahan Melati", "Surat", "2020-01-01"),
        row("Dinas SDA", "Banjir", "2024-02-02"),
        row("dinas sumber-daya air", "Banjir", "2024-02-02"),
        row("DPU", "Surat"),
        row("", "Surat"),
    ]
    assert label_mappings(rows, build()) == [
        LabelMapping("BPB", "bencana", "damkar", "split", 2, date(2021, 5, 1), date(2022, 5, 2)),
        LabelMapping("BPB", "bencana", "bencana", "alias", 1, date(2024, 1, 1), date(2024, 1, 1)),
        LabelMapping("DPU", "pu", "sda", "split", 1, None, None),
        LabelMapping("Dinas SDA", "sda", "sda", "alias", 1, date(2024, 2, 2), date(2024, 2, 2)),
        LabelMapping("Kelurahan Melati", "melati", "mawar", "succession", 1, date(2020, 1, 1), date(2020, 1, 1)),
    ]


def test_categories_are_owned_by_the_bodies_of_today(build: Build) -> None:
    owned = {"banjir,Banjir,bahaya,": "bencana;air", "lubang,Jalan berlubang,,": "pu", "got,Got mampet,,": "pu"}
    categories = CATEGORIES.replace("bahaya,bencana\nlubang", "bahaya,\nlubang")
    for line, owners in owned.items():
        categories = categories.replace(f"{line}\n", f"{line}{owners}\n")
    category = build(categories=categories).category
    assert category["lubang"].units == {"jalan"}
    assert category["got"].units == {"sda"}
    assert category["banjir"].units == {"bencana", "sda"}
    assert category["kebakaran"].units == {"bencana", "damkar"}
    assert category["surat"].units == frozenset()


@pytest.mark.parametrize(
    ("successions", "said"),
    [
        ("entah,damkar,,,A,,\n", "successions.csv baris 2, kolom agency: 'entah' tidak ada"),
        ("pu,entah,,,A,,\n", "successions.csv baris 2, kolom successor: 'entah' tidak ada"),
        ("pu,,,,A,,\n", "successions.csv baris 2: agency dan successor harus diisi"),
        ("pu,jalan,Juli 2023,,A,,\n", "successions.csv baris 2, kolom from: 'Juli 2023'"),
        ("pu,jalan,,lubang;entah,A,,\n", "successions.csv baris 2, kolom categories: 'entah'"),
        ("pu,jalan,,bahaya,A,,\n", "successions.csv baris 2, kolom categories: 'bahaya'"),
        ("pu,jalan,,,X,,\n", "successions.csv baris 2, kolom certainty: 'X'"),
        ("pu,jalan,2021-01-01,got;lubang,A,,\npu,sda,2021-01-01,got,A,,\n", "successions.csv baris 3: kategori 'got'"),
        ("pu,jalan,,,A,,\npu,sda,,,A,,\n", "successions.csv baris 3: semua urusan lain dari 'pu'"),
        ("jalan,jalan,,,A,,\n", "berputar: jalan -> jalan"),
        ("pu,jalan,,,A,,\njalan,sda,2020-01-01,,A,,\nsda,pu,,,A,,\n", "penerus berputar"),
        ("jalan,sda,,got,A,,\nsda,jalan,,,A,,\n", "berputar untuk kategori 'got'"),
    ],
)
def test_a_fault_is_named_with_its_line_and_column(build: Build, successions: str, said: str) -> None:
    with pytest.raises(PortalError) as caught:
        build(successions)
    assert said in str(caught.value)


def test_a_missing_column_is_named(build: Build, tmp_path: Path) -> None:
    build()
    (tmp_path / "successions.csv").write_text("agency,successor\n", "utf-8")
    with pytest.raises(PortalError, match=r"successions\.csv: kolom tidak ada: from, categories"):
        load_portal(tmp_path)


def test_a_category_whose_owners_all_ended_without_heirs_is_named(build: Build) -> None:
    with pytest.raises(PortalError, match=r"categories\.csv, surat, kolom agencies: lama tidak berlaku"):
        build(categories=CATEGORIES.replace("surat,Surat,,", "surat,Surat,,lama"))


def test_a_portal_needs_one_living_body(build: Build) -> None:
    with pytest.raises(PortalError, match="tidak ada satu pun instansi yang masih berlaku"):
        build("", agencies="code,name,kind,valid_to\nlama,Kantor Lama,kantor,2019-01-01\n", categories="code,name\n")


def test_in_denpasar_fire_went_from_bpbd_to_damkar_and_floods_did_not(portal: Portal) -> None:
    bpbd = portal.find_agency("BPBD")
    assert bpbd
    heirs = {
        category: heir.code
        for category in ("kebakaran", "evakuasi-hewan-dan-penyelamatan", "banjir-dan-genangan", "pohon-tumbang")
        if (heir := portal.in_charge(bpbd, category, date(2022, 1, 1)))
    }
    assert heirs == {
        "kebakaran": "damkar",
        "evakuasi-hewan-dan-penyelamatan": "damkar",
        "banjir-dan-genangan": "bpbd",
        "pohon-tumbang": "bpbd",
    }
    assert portal.in_charge(bpbd, "kebakaran", date(2024, 1, 1)) == bpbd
    assert "bpbd" in portal.units


@pytest.mark.parametrize(
    ("label", "code"), [("PDAM", "perumda-air"), ("PD Parkir", "perumda-parkir"), ("PD Pasar", "perumda-pasar")]
)
def test_in_denpasar_the_old_names_of_the_perumda_are_known(portal: Portal, label: str, code: str) -> None:
    assert (found := portal.find_agency(label)) and found.code == code
