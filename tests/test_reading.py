"""Files are read as portals export them, and what cannot be read is named, never dropped in silence."""

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest

from router_model.errors import DatasetError
from training.reading import COLUMNS, LAPOR_HEADERS, Row, first_agency, parse_moment, read_rows, read_table

HEADER = [
    "Tracking ID", "Tanggal Laporan Masuk", "Waktu Laporan Masuk", "Nama Pelapor", "Klasifikasi Laporan",
    "ID Kategori", "Kategori", "Judul Laporan", "Isi Laporan Awal", "Isi Laporan Akhir",
    "Tipe Laporan (Anonim/Rahasia)", "Sumber Laporan", "Instansi Induk", "ID Instansi Terdisposisi",
    "Instansi Terdisposisi", "Status Laporan", "Alasan Tunda/Arsip", "Provinsi", "Kota/Kabupaten", "Kecamatan",
    "Kelurahan",
]  # fmt: skip
FIRST = [
    "7001", "12 Nov 2024", "13:45", "Made Rahasia", "Permintaan Informasi", "9", "Jembatan", "Retak",
    "Jembatan di banjar kami retak", "Disunting petugas", "Anonim", "SMS", "Pemerintah Kota", "31",
    "Dinas Pekerjaan Umum", "Selesai", "", "Bali", "Kota Denpasar", "Denpasar Timur", "Kesiman",
]  # fmt: skip
SECOND = [
    "7002", "13 Nov 2024", "08:05", "Wayan Rahasia", "Aspirasi", "4", "Taman", "Usul", "Mohon taman diberi bangku",
    "Disunting juga", "Rahasia", "Website", "Pemerintah Kota", "", "", "Arsip", "", "Bali", "Kota Denpasar",
    "Denpasar Barat", "Padangsambian",
]  # fmt: skip
TITLES = [
    ["Judul Laporan", "Rekapitulasi SP4N-LAPOR!"],
    ["Nama Instansi", "Pemerintah Kota"],
    ["Laporan SP4N-LAPOR! periode 1 s.d. 30 November 2024"],
    [],
]


def written_csv(path: Path, lines: Sequence[Sequence[str]], delimiter: str = ",") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(lines)
    return path


def written_xlsx(path: Path, lines: Sequence[Sequence[object]], merged: Sequence[str] = ()) -> Path:
    book = openpyxl.Workbook()
    for line in lines:
        book.worksheets[0].append(line)
    for area in merged:
        book.worksheets[0].merge_cells(area)
    book.save(path)
    return path


def written(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path: Path, columns: dict[str, str] | None = None) -> str:
    with pytest.raises(DatasetError) as caught:
        read_rows(path, columns)
    return str(caught.value)


def texts(rows: Sequence[Row]) -> list[str]:
    return [row.get("text") for row in rows]


# LAPOR! exports


@pytest.mark.parametrize("style", [str, str.upper, str.lower, lambda name: name.upper().replace(" ", "_")])
@pytest.mark.parametrize("write", [written_csv, written_xlsx])
def test_an_export_of_lapor_is_read_in_either_style_of_headers(tmp_path: Path, style, write) -> None:
    path = write(tmp_path / f"a.{write.__name__[8:]}", [[style(name) for name in HEADER], FIRST, SECOND])
    first, second = read_rows(path)
    assert dict(first.values) == {
        "id": "7001", "received_at": "2024-11-12T13:45:00", "report_type": "Permintaan Informasi",
        "category": "Jembatan", "title": "Retak", "text": "Jembatan di banjar kami retak", "channel": "SMS",
        "agency": "Dinas Pekerjaan Umum", "district": "Denpasar Timur", "village": "Kesiman",
    }  # fmt: skip
    assert second.get("agency") == ""
    assert "Rahasia" not in repr([first, second])
    assert "Disunting" not in repr([first, second])


def test_what_is_never_read_is_no_known_header() -> None:
    assert set(LAPOR_HEADERS.values()) <= {*COLUMNS, "received_time"}
    assert not {"nama pelapor", "isi laporan akhir", "instansi induk"} & LAPOR_HEADERS.keys()


@pytest.mark.parametrize("write", [written_csv, written_xlsx])
def test_titles_above_the_header_are_skipped_and_rows_keep_their_number(tmp_path: Path, write) -> None:
    path = write(tmp_path / f"a.{write.__name__[8:]}", [*TITLES, HEADER, FIRST, [], SECOND])
    name = path.name
    assert [row.where for row in read_rows(path)] == [f"{name} baris 6", f"{name} baris 8"]


def test_a_header_below_a_row_of_groups_is_found(tmp_path: Path) -> None:
    lines = [["Laporan", "", "Tujuan", ""], ["Tracking ID", "Isi Laporan Awal", "Kategori", "Kelurahan"]]
    path = written_xlsx(tmp_path / "a.xlsx", [*lines, ["1", "Got mampet", "Drainase", "Renon"]], ["A1:B1", "C1:D1"])
    assert [dict(row.values) for row in read_rows(path)] == [
        {"id": "1", "text": "Got mampet", "category": "Drainase", "village": "Renon"}
    ]


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_header_split_over_two_rows_is_joined(tmp_path: Path, kind: str) -> None:
    lines = [
        ["Tracking ID", "Isi Laporan Awal", "Instansi", "", "Kategori"],
        ["", "", "Induk", "Terdisposisi", ""],
        ["1", "Got mampet", "Pemerintah Kota", "Dinas PU", "Drainase"],
        ["2", "Lampu mati", "Pemerintah Kota", "", "Lampu jalan"],
    ]
    if kind == "xlsx":
        path = written_xlsx(tmp_path / "a.xlsx", lines, ["A1:A2", "B1:B2", "C1:D1", "E1:E2"])
    else:
        path = written_csv(tmp_path / "a.csv", lines)
    rows = read_rows(path)
    assert [row.get("agency") for row in rows] == ["Dinas PU", ""]
    assert [row.get("category") for row in rows] == ["Drainase", "Lampu jalan"]
    assert rows[0].where.endswith("baris 3")


def test_a_second_header_row_that_names_nothing_known_is_no_data(tmp_path: Path) -> None:
    lines = [["Isi Laporan Awal", "Kategori", "Pelapor", ""], ["", "", "Nama", "Tipe"], ["Got bau", "Got", "X", "Y"]]
    path = written_xlsx(tmp_path / "a.xlsx", lines, ["A1:A2", "B1:B2", "C1:D1"])
    assert texts(read_rows(path)) == ["Got bau"]


def test_column_numbers_and_repeated_headers_are_no_data(tmp_path: Path) -> None:
    header = ["text", "agency", "category"]
    lines = [header, ["(1)", "(2)", "(3)"], ["Got bau", "A", "B"], header, ["Jalan rusak", "A", "B"]]
    assert texts(read_rows(written_csv(tmp_path / "a.csv", lines))) == ["Got bau", "Jalan rusak"]


def test_a_cell_merged_over_rows_belongs_to_each_of_them(tmp_path: Path) -> None:
    lines = [
        ["id", "received_at", "text", "agency"],
        ["1", dt.date(2024, 11, 12), "Got bau", "Dinas A"],
        ["", "", "Jalan rusak", ""],
        ["", "", "Lampu mati", ""],
        ["2", "13/11/2024", "Sampah", "Dinas B"],
    ]
    path = written_xlsx(tmp_path / "a.xlsx", lines, ["A2:A4", "B2:B4", "D2:D4"])
    rows = read_rows(path)
    assert [(row.get("id"), row.get("agency")) for row in rows] == [("1", "Dinas A")] * 3 + [("2", "Dinas B")]
    assert {parse_moment(row.get("received_at")) for row in rows[:3]} == {dt.datetime(2024, 11, 12)}


def test_a_merge_fills_no_blank_row(tmp_path: Path) -> None:
    path = written_xlsx(
        tmp_path / "a.xlsx", [["id", "text"], ["1", "Got bau"], [], ["2", "Sampah"]], ["A2:A3", "B2:B3"]
    )
    assert texts(read_rows(path)) == ["Got bau", "Sampah"]


FOOTERS = [
    [["Jumlah", "2"]],
    [["Total: 2 laporan"]],
    [["Jumlah laporan", "", "2"]],
    [["Dicetak pada 12 Nov 2024 oleh admin"]],
    [["Halaman 1 dari 1"]],
    [[], ["Total", "2"], ["Dicetak oleh: admin"]],
]
SIGNATURE = [["Total", "2"], ["Denpasar, 12 November 2024"], ["Kepala Bagian"]]


@pytest.mark.parametrize(
    ("header", "footer"),
    [
        *((["id", "text", "agency"], footer) for footer in [*FOOTERS, SIGNATURE]),
        *((["text", "agency", "id"], footer) for footer in FOOTERS),
    ],
)
@pytest.mark.parametrize("write", [written_csv, written_xlsx])
def test_totals_below_the_table_are_dropped(tmp_path: Path, header, footer, write) -> None:
    record = {"id": "1", "text": "Jumlah tempat sampah kurang", "agency": "Dinas A"}
    row = [record[name] for name in header]
    table = read_table(write(tmp_path / f"a.{write.__name__[8:]}", [header, row, row, *footer]))
    assert texts(table.rows) == ["Jumlah tempat sampah kurang"] * 2
    assert table.faults == []


def test_a_last_complaint_that_opens_like_a_total_stays(tmp_path: Path) -> None:
    lines = [["text", "agency"], ["Got bau", "A"], ["Jumlah lampu yang mati 12 buah", ""]]
    assert len(read_rows(written_csv(tmp_path / "a.csv", lines))) == 2
    assert len(read_rows(written_csv(tmp_path / "a.csv", [*lines, ["Total", "Dinas B"]]))) == 3


def test_a_broken_row_below_a_total_is_still_named(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.csv", 'id,text\n1,Got bau\nJumlah,1\n2,"Jalan"rusak\n'))
    assert [fault.where for fault in table.faults] == ["a.csv baris 4"]


def test_a_line_with_the_text_is_the_header_whatever_stands_above(tmp_path: Path) -> None:
    lines = [["Kategori", "Kecamatan", "Kelurahan"], ["text", "agency", ""], ["Got bau", "A", ""]]
    assert texts(read_rows(written_csv(tmp_path / "a.csv", lines))) == ["Got bau"]


def test_the_sheet_with_the_complaints_is_found_and_named(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.worksheets[0].append(["Ringkasan", "Jumlah"])
    book.worksheets[0].append(["Laporan", 2])
    for month, text in (("Januari", "Got bau"), ("Februari", "Jalan rusak")):
        sheet = book.create_sheet(month)
        sheet.append(["Isi Laporan Awal", "Kategori"])
        sheet.append([text, "Umum"])
    book.save(tmp_path / "a.xlsx")
    assert [(row.where, row.get("text")) for row in read_rows(tmp_path / "a.xlsx")] == [
        ('a.xlsx lembar "Januari" baris 2', "Got bau"),
        ('a.xlsx lembar "Februari" baris 2', "Jalan rusak"),
    ]


def test_numbers_of_a_workbook_are_written_as_they_show(tmp_path: Path) -> None:
    path = written_xlsx(tmp_path / "a.xlsx", [["id", "text", "lat"], [5522719, "Got bau", -8.65]])
    assert dict(read_rows(path)[0].values) == {"id": "5522719", "text": "Got bau", "lat": "-8.65"}


@pytest.mark.parametrize("cell", ["-", "NULL", "nan", " – ", "#N/A"])
def test_a_sign_for_nothing_is_nothing(tmp_path: Path, cell: str) -> None:
    rows = read_rows(written_csv(tmp_path / "a.csv", [["text", "agency"], ["Got bau", cell]]))
    assert rows[0].get("agency") == ""


@pytest.mark.parametrize(
    ("cell", "first"),
    [
        ("Dinas A", "Dinas A"),
        ("Dinas A; Dinas B", "Dinas A"),
        ("Dinas A | Dinas B", "Dinas A"),
        ("Dinas A\nDinas B", "Dinas A"),
        ("Dinas A\r\nDinas B", "Dinas A"),
        ("1. Dinas A\n2. Dinas B", "Dinas A"),
        ("1) Dinas A 2) Dinas B", "Dinas A"),
        ("- Dinas A\n- Dinas B", "Dinas A"),
        (";Dinas A", "Dinas A"),
        ("Dinas Pekerjaan Umum\ndan Penataan Ruang", "Dinas Pekerjaan Umum dan Penataan Ruang"),
        ("Dinas Pekerjaan Umum dan\nPenataan Ruang", "Dinas Pekerjaan Umum dan Penataan Ruang"),
        ("Dinas Koperasi, Usaha Kecil dan Menengah", "Dinas Koperasi, Usaha Kecil dan Menengah"),
        ("", ""),
    ],
)
def test_of_several_agencies_in_a_cell_the_first_is_the_label(cell: str, first: str) -> None:
    assert first_agency(cell) == first


# Dates


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("12/11/2024", (2024, 11, 12)),
        ("12-11-2024", (2024, 11, 12)),
        ("12.11.2024", (2024, 11, 12)),
        ("1/2/2024 8:05", (2024, 2, 1, 8, 5)),
        ("12/11/2024 13:45:10", (2024, 11, 12, 13, 45, 10)),
        ("12-11-2024 13.45 WITA", (2024, 11, 12, 13, 45)),
        ("12-11-2024, 13.45 WIB", (2024, 11, 12, 13, 45)),
        ("12/11/24", (2024, 11, 12)),
        ("12-Nov-24", (2024, 11, 12)),
        ("12 Nop 2024", (2024, 11, 12)),
        ("Selasa, 12 November 2024 pukul 13.45 WIT", (2024, 11, 12, 13, 45)),
        ("Jum'at, 1 Agustus 2025", (2025, 8, 1)),
        ("1 Desember 2024", (2024, 12, 1)),
        ("2024-11-12 13.45 WIB", (2024, 11, 12, 13, 45)),
        ("2024/11/12", (2024, 11, 12)),
        ("2024-11-12 13:45:10.250000", (2024, 11, 12, 13, 45, 10, 250000)),
        ("2024-11-12T13:45:00Z", (2024, 11, 12, 13, 45)),
        ("45608", (2024, 11, 12)),
        ("45608.573", (2024, 11, 12, 13, 45, 7)),
        ("45608,5", (2024, 11, 12, 12)),
        ("31 Feb 2024", None),
        ("31/02/2024", None),
        ("11/25/2024", None),
        ("12/11/2024 25:00", None),
        ("12 Nov 2024 dan seterusnya", None),
        ("13:45", None),
        ("7001", None),
        ("12 Xyz 2024", None),
    ],
)
def test_dates_are_read_day_first_as_indonesian_portals_write_them(value: str, moment: tuple[int, ...] | None) -> None:
    assert parse_moment(value) == (moment and dt.datetime(*moment))


@pytest.mark.parametrize(
    ("day", "time", "moment"),
    [
        ("12 Nov 2024", "13:45", "2024-11-12T13:45:00"),
        ("12/11/2024", "13.45 WIB", "2024-11-12T13:45:00"),
        (dt.date(2024, 11, 12), dt.time(13, 45, 10), "2024-11-12T13:45:10"),
        (dt.datetime(2024, 11, 12), "13:45:10", "2024-11-12T13:45:10"),
        (45608, "13:45", "2024-11-12T13:45:00"),
        ("45608", dt.datetime(1900, 1, 1, 13, 45), "2024-11-12T13:45:00"),
        ("12 Nov 2024", "siang", "12 Nov 2024"),
        ("12 Nov 2024", "25:00", "12 Nov 2024"),
        ("kemarin", "13:45", "kemarin 13:45"),
        ("12 Nov 2024", "", "12 Nov 2024"),
    ],
)
def test_a_day_and_a_time_of_day_are_one_moment(tmp_path: Path, day: object, time: object, moment: str) -> None:
    header = ["Tanggal Laporan Masuk", "Waktu Laporan Masuk", "Isi Laporan Awal"]
    rows = read_rows(written_xlsx(tmp_path / "a.xlsx", [header, [day, time, "Got bau"]]))
    assert rows[0].get("received_at") == moment


# Formats


@pytest.mark.parametrize("delimiter", ",;\t|")
def test_every_delimiter_is_told_from_signs_inside_the_cells(tmp_path: Path, delimiter: str) -> None:
    header = ["Isi Laporan Awal", "Kategori, lama; baru", "Kategori"]
    lines = [header, ["Got, bau; sejak|kemarin", "x", "Got"], ["Jalan rusak, gelap, licin", "y", "Jalan"]]
    rows = read_rows(written_csv(tmp_path / "a.csv", lines, delimiter))
    assert [(row.get("text"), row.get("category")) for row in rows] == [
        ("Got, bau; sejak|kemarin", "Got"),
        ("Jalan rusak, gelap, licin", "Jalan"),
    ]


def test_unquoted_commas_do_not_hide_the_semicolon(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", "sep=;\ntext;agency\nGot bau, mampet;A\nJalan rusak, gelap;B\n")
    assert [row.get("agency") for row in read_rows(path)] == ["A", "B"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_tells_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = written(tmp_path / "a.csv", "\ufeffIsi Laporan Awal\tKategori\nKafé bising\tUmum\n".encode(encoding))
    assert texts(read_rows(path)) == ["Kafé bising"]


def test_a_stray_byte_of_zeros_breaks_nothing(tmp_path: Path) -> None:
    assert texts(read_rows(written(tmp_path / "a.csv", "text,agency\nGot\0 bau,A\n"))) == ["Got\0 bau"]


def test_utf_16_without_its_mark_and_windows_1252_are_refused(tmp_path: Path) -> None:
    assert "memuat byte nol" in refused(written(tmp_path / "a.csv", "text,agency\na,b\n".encode("utf-16-le")))
    message = refused(written(tmp_path / "b.csv", "text,agency\nKafé bising,b\n".encode("cp1252")))
    assert "b.csv baris 2: bukan UTF-8 (byte 0xe9); simpan ulang sebagai CSV UTF-8" in message


def test_a_workbook_under_a_wrong_ending_and_text_called_xls_are_read(tmp_path: Path) -> None:
    book = written_xlsx(tmp_path / "a.xlsx", [["text", "agency"], ["Got bau", "A"]])
    assert texts(read_rows(book.rename(tmp_path / "a.csv"))) == ["Got bau"]
    assert texts(read_rows(written(tmp_path / "a.xls", "text\tagency\nGot, bau\tA\n"))) == ["Got, bau"]


HTML = """<html><head><meta charset="utf-8"><style>td {color: red}</style></head><body>
<table border=1><tr><td colspan="3">Laporan SP4N-LAPOR!</td></tr>
<tr><th>Tracking ID</th><th>Isi Laporan&nbsp;Awal</th><th>Kategori</th></tr>
<tr><td rowspan="2">1</td><td>Got bau<br>
   sejak kemarin &amp; makin parah</td><td>Got</td></tr>
<tr><td><b>Jalan</b> rusak</td><td>Jalan</tr>
<tr><td colspan="2">Jumlah</td><td>2</td></tr></table></body></html>"""


@pytest.mark.parametrize("name", ["lapor.xls", "lapor.xlsx", "lapor.csv"])
def test_a_table_of_a_web_page_called_a_workbook_is_read(tmp_path: Path, name: str) -> None:
    rows = read_rows(written(tmp_path / name, HTML))
    assert [dict(row.values) for row in rows] == [
        {"id": "1", "text": "Got bau\nsejak kemarin & makin parah", "category": "Got"},
        {"id": "1", "text": "Jalan rusak", "category": "Jalan"},
    ]
    assert rows[0].where == f"{name} baris 3"


def test_cells_that_span_the_header_of_a_web_table_are_placed(tmp_path: Path) -> None:
    content = (
        "<table><tr><th rowspan=2>Tracking ID</th><th colspan=2>Instansi</th><th rowspan=2>Isi Laporan Awal</th></tr>"
        "<tr><th>Induk</th><th>Terdisposisi</th></tr><tr><td>1</td><td>Kota</td><td>Dinas A</td><td>Got bau</td></tr>"
        "<tr><td colspan=2>2</td><td>Dinas B</td><td>Jalan rusak</td></tr></table>"
    )
    rows = read_rows(written(tmp_path / "a.xls", content))
    assert [(row.get("id"), row.get("agency"), row.get("text")) for row in rows] == [
        ("1", "Dinas A", "Got bau"),
        ("2", "Dinas B", "Jalan rusak"),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html><body>Sesi Anda habis, silakan masuk</body></html>", "halaman HTML atau XML tanpa tabel"),
        (b'<?xml version="1.0"?><Workbook><Worksheet/></Workbook>', "lalu simpan sebagai XLSX"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600), "Excel 97-2003 (.xls) tidak dapat dibaca"),
        (
            bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
            "dikunci kata sandi tidak dapat dibaca; buka dengan Excel atau LibreOffice, lalu simpan tanpa kata sandi",
        ),
        (b"PK\x03\x04" + bytes(99), "bukan buku kerja Excel yang utuh"),
        (b"\x00\x01\x02", "bukan buku kerja Excel yang utuh"),
    ],
)
@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_what_is_no_workbook_is_called_what_it_is(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    message = refused(written(tmp_path / name, content))
    assert message.startswith(f"{name}: ")
    assert said in message


def test_a_sheet_with_a_cell_in_its_far_corner_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    written_xlsx(tmp_path / "a.xlsx", [["text", "agency"], ["Got bau", "A"]])
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part.replace(b'ref="A1:B2"', b'ref="A1:XFD1048576"'))
    assert "membentang A1:XFD1048576" in refused(written(tmp_path / "b.xlsx", content.getvalue()))


def test_records_with_different_keys_share_their_columns(tmp_path: Path) -> None:
    records = [{"text": "Got bau", "lat": -8.5}, {"Isi Laporan Akhir": "x", "text": "Sampah", "agency": ["A", "B"]}]
    rows = read_rows(written(tmp_path / "a.jsonl", "\n".join(map(json.dumps, records))))
    assert [dict(row.values) for row in rows] == [
        {"text": "Got bau", "lat": "-8.5", "agency": ""},
        {"text": "Sampah", "lat": "", "agency": "A"},
    ]


# Faults


def test_a_bad_row_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    content = (
        "id,text,agency\n"
        '1,"Got bau\nsejak kemarin",A\n'
        "2,Jalan rusak\n"
        "3,Lampu, mati,A\n"
        '4,"Sampah menumpuk,A\n'
        '5,"Pohon tumbang",A\n'
        "6,Trotoar rusak,A,,\n"
    )
    table = read_table(written(tmp_path / "a.csv", content))
    assert [(row.where, row.get("id")) for row in table.rows] == [
        ("a.csv baris 2", "1"),
        ("a.csv baris 7", "5"),
        ("a.csv baris 8", "6"),
    ]
    assert [str(fault).partition(" (")[0] for fault in table.faults] == [
        "a.csv baris 4: 2 kolom, seharusnya 3; periksa tanda kutip",
        "a.csv baris 5: 4 kolom, seharusnya 3; periksa tanda kutip",
        "a.csv baris 6: CSV rusak, periksa tanda kutip",
    ]


def test_a_quote_that_never_closes_costs_one_row_only(tmp_path: Path) -> None:
    lines = [f"laporan {number},A" for number in range(50)]
    table = read_table(written(tmp_path / "a.csv", "\n".join(["text,agency", '"rusak,A', *lines])))
    assert len(table.rows) == 50
    assert [fault.where for fault in table.faults] == ["a.csv baris 2"]


def test_a_bad_line_of_json_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    table = read_table(written(tmp_path / "a.jsonl", '{"text": "a"}\n{"text": }\n["b"]\n{"text": "c"}\n'))
    assert texts(table.rows) == ["a", "c"]
    assert [str(fault).partition(" (")[0] for fault in table.faults] == [
        "a.jsonl baris 2: JSON rusak pada kolom 10",
        "a.jsonl baris 3: harus sebuah objek JSON",
    ]


def test_more_bad_rows_than_good_ones_are_refused(tmp_path: Path) -> None:
    message = refused(written(tmp_path / "a.csv", "text,agency\na,b\nc\nd\n"))
    assert "a.csv: 2 dari 3 baris rusak" in message
    assert "a.csv baris 4: 1 kolom, seharusnya 2" in message


def test_two_headers_for_one_column_are_refused_by_name(tmp_path: Path) -> None:
    path = written_csv(tmp_path / "a.csv", [["text", "Isi Laporan Awal", "agency"], ["a", "b", "c"]])
    assert "kolom 'text' dan 'Isi Laporan Awal' sama-sama berarti text" in refused(path)
    assert texts(read_rows(path, {"text": ""})) == ["b"]


def test_a_file_without_a_text_column_names_its_headers_and_the_way_out(tmp_path: Path) -> None:
    path = written_csv(tmp_path / "a.csv", [["Rekap"], ["Isi Aduan", "OPD Tujuan"], ["Got bau", "Dinas A"]])
    message = refused(path)
    assert "kolom text tidak ada; kolom yang ada: Isi Aduan, OPD Tujuan" in message
    assert f"aduan check {path}" in message


def test_a_file_without_any_header_repeats_none_of_its_cells(tmp_path: Path) -> None:
    path = written_csv(tmp_path / "a.csv", [["7001", "12/11/2024", "Got di depan rumah saya bau"]] * 3)
    assert refused(path) == "a.csv: baris judul kolom tidak ditemukan"


def test_a_mapping_names_other_headers(tmp_path: Path) -> None:
    path = written_csv(
        tmp_path / "a.csv",
        [["Isi Aduan", "OPD", "Kategori", "Jam", "Tgl"], ["Got bau", "Dinas A; Dinas B", "x", "13.45", "12/11/2024"]],
    )
    mapping = {"isi aduan": "text", "OPD": "agency", "Kategori": "", "Jam": "received_time", "Tgl": "received_at"}
    assert [dict(row.values) for row in read_rows(path, mapping)] == [
        {"text": "Got bau", "agency": "Dinas A", "received_at": "2024-11-12T13:45:00"}
    ]


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"Uraian": "text"}, "a.csv: kolom 'Uraian' dari pemetaan tidak ada; kolom yang ada: text, Nama Pelapor"),
        ({"Nama Pelapor": "title"}, "tidak boleh, nama pelapor tidak dibaca"),
        ({"Nama Pelapor": "judul"}, "kolom judul tidak dikenal; pakai id, received_at"),
    ],
)
def test_a_mapping_that_does_not_fit_the_file_is_refused(tmp_path: Path, mapping: dict[str, str], said: str) -> None:
    path = written_csv(tmp_path / "a.csv", [["text", "Nama Pelapor"], ["Got bau", "Made"]])
    assert said in refused(path, mapping)


def test_a_hundred_thousand_rows_are_read(tmp_path: Path) -> None:
    lines = [[str(number), f"laporan nomor {number}", "Dinas A"] for number in range(100_000)]
    rows = read_rows(written_csv(tmp_path / "a.csv", [["id", "text", "agency"], *lines]))
    assert len(rows) == 100_000
    assert rows[-1].where == "a.csv baris 100001"
