"""Names that probably mean one body are proposed to a person, never merged; names of two bodies are left alone."""

import csv
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router_model.errors import DatasetError
from router_model.portal import Portal, load_portal
from service.cli import app
from training.alias_decisions import ALIAS_FILE, read_decisions
from training.name_similarity import NearestNames, proposals
from training.portal_derivation import derive, derive_from_names
from training.reading import Row

LONG = "Dinas Pengendalian Penduduk, Keluarga Berencana, Pemberdayaan Perempuan dan Perlindungan Anak"
CAPIL = "Dinas Kependudukan dan Pencatatan Sipil"
HEADER = "label,rows,agency,agency_rows,similarity,reason,merge\n"


def pairs(labels: Iterable[str]) -> dict[str, str]:
    """Proposed label to agency, where earlier labels stand on more rows."""
    names = list(labels)
    counts = {name: len(names) - position for position, name in enumerate(names)}
    return {proposal.label: proposal.agency for proposal in proposals(counts)}


@pytest.mark.parametrize(
    ("usual", "other"),
    [
        ("Dinas Kesehatan Kab. Melati", "Dinas Kesehatan Kabupaten Melati"),
        ("Dinas Kesehatan Kab. Melati", "Dinas Kesehatan Melati"),
        ("Dinas Kesehatan", "DINAS KESEHATAN Pemerintah Kota Melati"),
        ("Kecamatan Pangalengan", "Kec. Pangalengan Kabupaten Melati"),
        ("Kantor Camat Pangalengan", "Kecamatan Pangalengan"),
        ("Kelurahan Karang Pilang", "Kelurahan Karangpilang"),
        ("Satuan Polisi Pamong Praja Kab. Melati", "Satpol PP"),
        ("Rumah Sakit Umum Daerah Melati", "RSUD Melati"),
        ("Bagian Hukum Sekda Kab. Melati", "Bag. Hukum Setda"),
        ("Inspektorat Daerah", "Inspektorat"),
        ("UPTD Puskesmas Melati I", "Puskesmas Melati I"),
        ("Dinas Perpustakaan dan Kearsipan", "Dinas Kearsipan dan Perpustakaan"),
        ("Dinas Kepemudaan dan Olahraga", "Dinas Pemuda dan Olah Raga"),
        ("Dinas Pekerjaan Umum dan Penataan Ruang", "Dinas PU dan Tata Ruang"),
        ("Dinas Pekerjaan Umum dan Penataan Ruang", "Dinas PUPR"),
        ("Dinas Pekerjaan Umum dan Penataan Ruang", "DPUPR"),
        (CAPIL, "Disdukcapil Kab. Melati"),
        (CAPIL, "Dispendukcapil"),
        ("Dinas Penanaman Modal dan Pelayanan Terpadu Satu Pintu", "DPMPTSP"),
        ("Dinas Pemberdayaan Perempuan dan Perlindungan Anak", "DP3A"),
        (LONG, "Daldukppa"),
        ("Badan Penanggulangan Bencana Daerah", "BPBD"),
        ("Dinas Pemadam Kebakaran dan Penyelamatan", "Damkar"),
        ("Bagian Protokol dan Komunikasi Pimpinan", "Bagian Prokopim"),
        ("Dinas Perhubungan", "Dinas Perhubugan"),
        (
            "Badan Kepegawaian dan Pengembangan Sumber Daya Manusia",
            "Badan Kepegawaian dan Sumber Daya Manusia",
        ),
        ("Dinas Lingkungan Hidup dan Kebersihan", "Dinas Lingkungan Hidup"),
    ],
)
def test_two_names_of_one_body_are_proposed(usual: str, other: str) -> None:
    assert pairs([usual, other]) == {other: usual}
    assert pairs([other, usual]) == {usual: other}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dinas Pendidikan", "Dinas Pendidikan Provinsi"),
        ("Dinas Pendidikan Kota Melati", "Dinas Pendidikan Provinsi Mawar"),
        ("Inspektorat Kota Melati", "Inspektorat Provinsi Mawar"),
        ("Inspektorat", "Inspektorat Provinsi Mawar"),
        ("Satpol PP", "Satpol PP Provinsi Mawar"),
        ("Dinas Kesehatan Kota Melati", "Dinas Kesehatan Kabupaten Melati"),
        ("Kecamatan Cicalengka", "RSUD Cicalengka"),
        ("Kecamatan Benowo", "Kelurahan Benowo"),
        ("Kelurahan Pemecutan", "Desa Pemecutan"),
        ("Kelurahan Pemecutan", "Kelurahan Pemecutan Kaja"),
        ("Kelurahan Kedungdoro", "Kelurahan Kedungdowo"),
        ("Kelurahan Wetan", "Kelurahan Kota Wetan"),
        ("Puskesmas Melati I", "Puskesmas Melati II"),
        ("SMP Negeri 1", "SMP Negeri 10"),
        ("Bagian Umum", "Bagian Hukum"),
        ("Bagian Umum", "Bagian Umum Protokol dan Komunikasi Pimpinan"),
        ("Dinas Pertanian", "Dinas Pertanahan"),
        ("Dinas Sosial", "Dinas Sosial dan Tenaga Kerja"),
        ("Sekretariat Daerah", "Sekretariat DPRD"),
        ("Dinas Perhubungan", "Bagian Perhubungan"),
        ("Kelurahan Dukuh Pakis", "Kelurahan Dupak"),
        ("Dinas Perindustrian dan Perdagangan", "DPRD"),
        (CAPIL, "Dishub"),
        ("...", "-"),
    ],
)
def test_two_bodies_are_not_proposed(one: str, other: str) -> None:
    assert pairs([one, other]) == pairs([other, one]) == {}


def test_a_short_form_that_fits_two_bodies_is_not_proposed() -> None:
    bodies = ["Dinas Pekerjaan Umum Bina Marga", "Dinas Pekerjaan Umum Cipta Karya"]
    assert pairs([*bodies, "Dinas PU"]) == {}
    assert pairs(["Dinas Perikanan dan Ketahanan Pangan", "Dinas Pertanian dan Ketahanan Pangan", "DPKP"]) == {}


def test_the_125_bodies_of_denpasar_are_125(portal: Portal) -> None:
    assert pairs(agency.name for agency in portal.agencies) == {}


def test_short_names_of_denpasar_lead_to_their_own_body_or_nowhere(portal: Portal) -> None:
    counts = {agency.name: 9 for agency in portal.agencies}
    counts |= {agency.short_name: 1 for agency in portal.agencies if agency.short_name}
    found = {proposal.label: proposal.agency for proposal in proposals(counts)}
    own = {agency.short_name: agency.name for agency in portal.agencies}
    assert {label: agency for label, agency in found.items() if own[label] != agency} == {}
    assert len(found) > 60


def test_the_more_frequent_label_is_the_name_and_its_rows_are_told() -> None:
    (proposal,) = proposals({"Satpol PP": 70, "Satuan Polisi Pamong Praja": 3})
    assert (proposal.label, proposal.rows) == ("Satuan Polisi Pamong Praja", 3)
    assert (proposal.agency, proposal.agency_rows, proposal.similarity) == ("Satpol PP", 70, 100)
    (proposal,) = proposals({"Satpol PP": 3, "Satuan Polisi Pamong Praja": 3})
    assert proposal.agency == "Satuan Polisi Pamong Praja"


@pytest.mark.parametrize("label", ["a" * 5_000, "dinas " * 2_000, "kota " * 300, "\u0130\ufb01 ₂", "p3" * 50])
def test_hostile_labels_are_read_too(label: str) -> None:
    assert pairs([label, CAPIL]) == {}
    assert NearestNames({CAPIL: CAPIL}).of(label) == ""


@pytest.mark.parametrize(
    ("label", "nearest"),
    [
        ("Dinas Kependudukan & Pencatatan Sipl", CAPIL),
        ("Pencatatan Sipil dan Kependudukan, Dinas", CAPIL),
        ("Disdukcapil Kota Mawar", CAPIL),
        ("Kel Ngagelrejo", "Kelurahan Ngagel Rejo"),
        ("Dinas Kesehtan Kota Melati", "Dinas Kesehatan"),
        ("Dinas Kesehtan Provinsi Melati", ""),
        ("RSUD Mawwar Kota Mawar", "RSUD Mawar Kota Mawar"),
        ("RSUD Mawwar Kota Melati", ""),
        ("Dinas Entah", ""),
        ("PLN", ""),
        ("", ""),
    ],
)
def test_the_nearest_known_name_is_found_by_spelling_or_as_an_acronym(label: str, nearest: str) -> None:
    names = [CAPIL, "Kelurahan Ngagel Rejo", "Dinas Kesehatan", "RSUD Mawar Kota Mawar"]
    assert NearestNames({name: name for name in names}).of(label) == nearest


def history(*labels: str) -> list[Row]:
    return [Row("", {"text": "isi", "agency": label, "category": "Surat"}) for label in labels]


def decided(path: Path, *rows: str) -> Path:
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), "utf-8")
    return path


def test_a_derived_portal_holds_both_names_until_a_person_merges_them(tmp_path: Path) -> None:
    rows = history("Satpol PP", "Satuan Polisi Pamong Praja", "Satpol PP", "Dinas Kesehatan")
    counts = derive(rows, tmp_path / "satu", "Satu")
    assert (counts["agencies"], counts["merged"], counts["proposed"]) == (3, 0, 1)
    assert load_portal(tmp_path / "satu").find_agency("Satpol PP").name == "Satpol PP"  # type: ignore[union-attr]
    with (tmp_path / "satu" / ALIAS_FILE).open(encoding="utf-8", newline="") as file:
        (proposal,) = csv.DictReader(file)
    assert (proposal["label"], proposal["rows"]) == ("Satuan Polisi Pamong Praja", "1")
    assert (proposal["agency"], proposal["agency_rows"], proposal["merge"]) == ("Satpol PP", "2", "")

    answers = decided(tmp_path / "a.csv", "Satuan Polisi Pamong Praja,1,Satpol PP,2,100,,Ya")
    counts = derive(rows, tmp_path / "dua", "Dua", read_decisions(answers))
    assert (counts["agencies"], counts["merged"], counts["proposed"]) == (2, 1, 0)
    portal = load_portal(tmp_path / "dua")
    agency = portal.find_agency("Satuan Polisi Pamong Praja")
    assert agency
    assert (agency.name, agency.aliases) == ("Satpol PP", ("Satuan Polisi Pamong Praja",))
    assert portal.categories[0].units == {"satpol-pp", "dinas-kesehatan"}
    assert not (tmp_path / "dua" / ALIAS_FILE).exists()


def test_a_pair_that_a_person_kept_apart_is_not_proposed_again(tmp_path: Path) -> None:
    answers = decided(tmp_path / "a.csv", "Satuan Polisi Pamong Praja,1,Satpol PP,2,100,,tidak")
    rows = history("Satpol PP", "Satuan Polisi Pamong Praja")
    counts = derive(rows, tmp_path / "portal", "Uji", read_decisions(answers))
    assert (counts["agencies"], counts["proposed"]) == (2, 0)


def test_a_person_may_write_another_name_and_merge_in_steps(tmp_path: Path) -> None:
    answers = decided(tmp_path / "a.csv", "Capil,1,Disdukcapil,2,90,,ya", f"Disdukcapil,2,{CAPIL},3,90,,ya")
    derive_from_names(["Capil", "Disdukcapil"], [], tmp_path / "portal", "Uji", read_decisions(answers))
    (agency,) = load_portal(tmp_path / "portal").agencies
    assert (agency.name, set(agency.aliases)) == (CAPIL, {"Capil", "Disdukcapil"})


def test_a_file_saved_with_semicolons_by_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.replace(",", ";").encode() + b"Capil;1;Disdukcapil;2;90;;ya\r\n")
    assert read_decisions(path).name_of("CAPIL") == "Disdukcapil"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (["Capil,1,Disdukcapil,2,90,,boleh"], "a.csv baris 2, kolom merge: 'boleh'"),
        (["Capil,1,,2,90,,ya"], "a.csv baris 2: label dan agency harus diisi"),
        (["Capil,1,A,2,90,,ya", "capil,1,B,2,90,,ya"], "a.csv baris 3: 'capil' sudah digabung dengan 'A'"),
        (["A,1,B,2,90,,ya", "B,1,a,2,90,,ya"], "akhirnya digabung dengan dirinya sendiri"),
    ],
)
def test_answers_that_cannot_be_followed_are_named(tmp_path: Path, rows: list[str], said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        read_decisions(decided(tmp_path / "a.csv", *rows))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"label;agency\n", "kolom tidak ada: merge"), (HEADER.encode() + b"\xe9,1,A,2,3,,ya\n", "bukan UTF-8")],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=said):
        read_decisions(tmp_path / "a.csv")


def test_spellings_that_a_portal_takes_for_one_name_are_one_agency(tmp_path: Path) -> None:
    counts = derive(history("DINAS SOSIAL", "Dinas Sosial", "Dinas Sosial"), tmp_path / "portal", "Uji")
    assert (counts["agencies"], counts["merged"], counts["proposed"]) == (1, 0, 0)
    assert load_portal(tmp_path / "portal").agencies[0].name == "Dinas Sosial"


def test_an_office_is_territorial_also_under_a_shortened_name(tmp_path: Path) -> None:
    names = ["Kec. Taman Kota Melati", "Kel. Mawar", "Dinas Sosial Kota Melati"]
    derive_from_names(names, [("Mawar", "Taman")], tmp_path / "portal", "Uji")
    portal = load_portal(tmp_path / "portal")
    assert [agency.territory for agency in portal.agencies if agency.territorial] == [("taman",), ("taman/mawar",)]


def init(*arguments: str | Path) -> Result:
    outcome = CliRunner().invoke(app, ["portal", "init", *map(str, arguments)])
    assert outcome.exit_code == 0, outcome.output
    return outcome


def test_the_command_says_how_many_names_to_look_at_and_takes_the_answers(tmp_path: Path) -> None:
    names = tmp_path / "nama.txt"
    names.write_text("Satpol PP\nSatuan Polisi Pamong Praja\nDinas Sosial\n", "utf-8")
    first = init("--agencies", names, "--out", tmp_path / "portal")
    assert "1 pasang nama mungkin satu instansi" in first.stderr
    assert f"--aliases {tmp_path / 'portal' / ALIAS_FILE}" in first.stderr
    assert first.stdout.strip() == str(tmp_path / "portal")
    answers = decided(tmp_path / "a.csv", "Satpol PP,1,Satuan Polisi Pamong Praja,1,100,,ya")
    second = init("--agencies", names, "--out", tmp_path / "dua", "--aliases", answers)
    assert "2 instansi" in second.stderr
    assert "1 nama digabung" in second.stderr
    assert "mungkin satu instansi" not in second.stderr


def test_the_closest_names_are_told_however_far_they_are_and_the_nearest_one_first() -> None:
    known = ("Dinas Perhubungan", "Dinas Kebersihan", "Badan Pendapatan", "Dinas Perikanan")
    names = NearestNames({name: name for name in known} | {"Dishub": "Dinas Perhubungan"})
    assert names.closest("Dinas Perhubugan", 2)[0] == "Dinas Perhubungan"
    assert names.closest("dishub kota", 1) == ["Dinas Perhubungan"]
    assert set(names.closest("Kantor Kucing", 9)) == names.names == set(known)
    assert len(names.closest("", 9)) == 4
