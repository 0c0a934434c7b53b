"""Labelled complaints are read from every format alike, and each fault is named with its place."""

import csv
import json
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from router_model.errors import DatasetError
from router_model.portal import Portal
from training.dataset import load_examples
from training.reading import parse_moment, read_rows

HEADER = ["id", "received_at", "title", "text", "address", "village", "agency", "category", "urgency"]
ROWS = [
    ["A-1", "2025-04-07T15:28", "Lubang", 'Lubang besar, kata orang "sumur"', "Jl. Noja", "Tonja",
     "Dinas Pekerjaan Umum dan Penataan Ruang Kota Denpasar", "Jalan rusak dan berlubang", "tinggi"],
    ["A-2", "2025-04-08T09:00", "", "Pedagang menutup trotoar;\nbau pula", "", "", "satpolpp", "", "sedang"],
]  # fmt: skip
RECORDS = [dict(zip(HEADER, row, strict=True)) for row in ROWS]


def write_csv(path: Path, delimiter: str = ",", encoding: str = "utf-8") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([HEADER, *ROWS])


def write_xlsx(path: Path) -> None:
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.worksheets[0].append(row)
    book.save(path)


def write_jsonl(path: Path) -> None:
    path.write_text("\n".join(json.dumps(record) for record in RECORDS) + "\n\n", "utf-8")


def write_parquet(path: Path) -> None:
    pyarrow.parquet.write_table(pa.Table.from_pylist(RECORDS), path)


WRITERS = {
    "a.csv": write_csv,
    "a.CSV": lambda path: write_csv(path, encoding="utf-8-sig"),
    "semicolon.csv": lambda path: write_csv(path, ";"),
    "tab.csv": lambda path: write_csv(path, "\t"),
    "a.xlsx": write_xlsx,
    "a.jsonl": write_jsonl,
    "a.ndjson": write_jsonl,
    "a.parquet": write_parquet,
}


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    WRITERS[name](tmp_path / name)
    assert [dict(row.values) for row in read_rows(tmp_path / name)] == RECORDS


@pytest.mark.parametrize("name", WRITERS)
def test_every_format_gives_the_same_examples(tmp_path: Path, portal: Portal, name: str) -> None:
    WRITERS[name](tmp_path / name)
    found, faults = load_examples([tmp_path / name], portal)
    assert faults == []
    assert [example.received_at for example in found] == [datetime(2025, 4, 7, 15, 28), datetime(2025, 4, 8, 9)]
    assert found[0].labels == {
        "agency": "pupr", "unit": "pupr", "category": "jalan-rusak-dan-berlubang", "urgency": "tinggi",
    }  # fmt: skip
    assert found[0].complaint.village == "Tonja"
    assert found[1].labels == {"agency": "satpolpp", "unit": "satpolpp", "urgency": "sedang"}


def test_an_export_of_lapor_is_read_by_its_own_headers(tmp_path: Path, portal: Portal) -> None:
    header = (
        "Tracking ID,Tanggal Laporan Masuk,Waktu Laporan Masuk,Nama Pelapor,Klasifikasi Laporan,ID Kategori,Kategori,"
        "Judul Laporan,Isi Laporan Awal,Isi Laporan Akhir,Sumber Laporan,Instansi Terdisposisi,Kecamatan,Kelurahan"
    )
    row = (
        "777,12 Nov 2024,13:45,Nama Rahasia,Permintaan Informasi,9,Jembatan,Retak,Jembatan retak,disunting petugas,"
        "SMS,satpolpp,Denpasar Timur,Kesiman"
    )
    path = written(tmp_path / "lapor.csv", f"{header}\n{row}\n")
    found, faults = load_examples([path], portal)
    assert faults == []
    assert found[0].id == "777"
    assert found[0].received_at == datetime(2024, 11, 12, 13, 45)
    assert found[0].labels["report_type"] == "informasi"
    assert found[0].complaint.text == "Jembatan retak"
    assert (found[0].complaint.village, found[0].complaint.district) == ("Kesiman", "Denpasar Timur")
    assert "Rahasia" not in repr(found)


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2024-11-12", datetime(2024, 11, 12)),
        ("2024-11-12T13:45:00+08:00", datetime(2024, 11, 12, 13, 45)),
        ("12 Nov 2024", datetime(2024, 11, 12)),
        ("12 November 2024 13.45", datetime(2024, 11, 12, 13, 45)),
        ("1 Agustus 2024 08:05", datetime(2024, 8, 1, 8, 5)),
        ("45608", datetime(2024, 11, 12)),
        ("45608.5", datetime(2024, 11, 12, 12)),
        ("", None),
        ("kemarin", None),
        ("31 Feb 2024", None),
        ("12 Xyz 2024", None),
    ],
)
def test_a_date_is_read_in_the_three_ways_that_portals_write_it(value: str, moment: datetime | None) -> None:
    assert parse_moment(value) == moment


@pytest.mark.parametrize("day", ["12 Nov 2024", date(2024, 11, 12), datetime(2024, 11, 12), 45608])
def test_a_date_cell_and_a_time_cell_of_a_workbook_are_one_moment(tmp_path: Path, portal: Portal, day: object) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Tanggal Laporan Masuk", "Waktu Laporan Masuk", "Isi Laporan Awal", "agency"])
    book.worksheets[0].append([day, "13:45:00", "Trotoar dipakai berjualan", "satpolpp"])
    book.save(tmp_path / "a.xlsx")
    assert load_examples([tmp_path / "a.xlsx"], portal)[0][0].received_at == datetime(2024, 11, 12, 13, 45)


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0b", "\x0c", "\x1c"])
def test_signs_that_only_look_like_line_ends_break_no_row(tmp_path: Path, sign: str) -> None:
    path = written(tmp_path / "a.csv", f"text,agency\njalan{sign}rusak,satpolpp\n")
    assert [row.get("agency") for row in read_rows(path)] == ["satpolpp"]


def test_unknown_labels_are_named_and_the_row_still_teaches_the_others(tmp_path: Path, portal: Portal) -> None:
    path = written(
        tmp_path / "a.csv",
        "text,agency,category,urgency,report_type\n"
        "Air mati,Dinas Entah,Jembatan,gawat,aspirasi\n"
        "Got bau,satpolpp,Hal entah,rendah,gosip\n"
        "Tanpa label yang dikenal,Dinas Entah,,,\n",
    )
    found, faults = load_examples([path], portal)
    assert [dict(example.labels) for example in found] == [
        {"category": "jembatan", "report_type": "aspirasi"},
        {"agency": "satpolpp", "unit": "satpolpp", "urgency": "rendah"},
    ]
    assert [(fault.where, fault.column, fault.value) for fault in faults] == [
        ("a.csv baris 2", "agency", "Dinas Entah"),
        ("a.csv baris 2", "urgency", "gawat"),
        ("a.csv baris 3", "category", "Hal entah"),
        ("a.csv baris 3", "report_type", "gosip"),
        ("a.csv baris 4", "agency", "Dinas Entah"),
    ]
    assert str(faults[0]) == "a.csv baris 2, kolom agency: 'Dinas Entah' tidak dikenal portal"


def test_a_set_without_one_known_label_is_refused_and_says_which(tmp_path: Path, portal: Portal) -> None:
    path = written(tmp_path / "a.csv", "text,agency\nAir mati,Dinas Entah\n")
    with pytest.raises(DatasetError, match=r"a\.csv baris 2, kolom agency: 'Dinas Entah'"):
        load_examples([path], portal)


def test_examples_of_several_files_are_in_the_order_of_time(tmp_path: Path, portal: Portal) -> None:
    for name, days in (("a.csv", (3, 1)), ("b.csv", (2,))):
        lines = [f"2025-01-0{day},laporan {day},satpolpp" for day in days]
        written(tmp_path / name, "\n".join(["received_at,text,agency", *lines, "kapan,tanpa tanggal,satpolpp"]))
    found, _ = load_examples([tmp_path / "a.csv", tmp_path / "b.csv"], portal)
    assert [example.complaint.text for example in found[:3]] == ["laporan 1", "laporan 2", "laporan 3"]
    assert [example.received_at for example in found[3:]] == [None, None]
