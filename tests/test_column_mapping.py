"""Other portals' headers are mapped with a small file, which is proposed from names and cells."""

import csv
import tomllib
from pathlib import Path

import pytest

from router_model.errors import DatasetError
from training.column_mapping import load_mapping, propose_mapping
from training.reading import read_rows

TEXTS = [
    "Got di depan pasar mampet sejak minggu lalu",
    "Lampu jalan di gang kami mati sudah tiga hari",
    "Mohon pohon besar di dekat sekolah dipangkas",
    "Sampah menumpuk di pinggir sungai dan berbau",
]
AGENCIES = ["Dinas Pekerjaan Umum", "Dinas Perhubungan", "Dinas Lingkungan Hidup", "Dinas Lingkungan Hidup"]
DATES = ["12/11/2024", "13/11/2024", "13/11/2024", "14/11/2024"]


def written(path: Path, **columns: list[str]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([list(columns), *zip(*columns.values(), strict=True)])
    return path


def meant(path: Path) -> dict[str, str]:
    return {item.header: item.column for item in propose_mapping(path).columns}


def saved(path: Path, content: str) -> Path:
    path.write_text(content, "utf-8")
    return path


def test_a_mapping_file_is_read_and_used(tmp_path: Path) -> None:
    mapping = load_mapping(saved(tmp_path / "m.toml", '[columns]\n"Isi Aduan" = "text"\n"Status" = ""\n'))
    assert mapping == {"Isi Aduan": "text", "Status": ""}
    path = written(tmp_path / "a.csv", **{"Isi Aduan": TEXTS, "Status": ["Selesai"] * 4})
    assert [row.get("text") for row in read_rows(path, mapping)] == TEXTS


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[columns]\n"Isi" = "isi"\n', "m.toml: Pemetaan 'Isi' = 'isi': kolom isi tidak dikenal; pakai id"),
        ('[columns]\n"Isi" = "text"\n"Uraian" = "text"\n', "'Isi' dan 'Uraian' sama-sama menuju kolom text"),
        ('[columns]\n"Isi Aduan" = "text"\n"isi_aduan" = "title"\n', "'isi_aduan': judul kolom ini tertulis dua kali"),
        ('[columns]\n"Isi" = "text"\n"Isi" = "title"\n', "bukan berkas TOML yang utuh"),
        ('[columns]\n"Nama Pelapor" = "title"\n', "nama pelapor tidak dibaca"),
        ('[columns]\n"Isi" = 3\n', "'Isi' harus menunjuk nama kolom"),
        ('"Isi" = "text"\n', "tabel [columns] tidak ada"),
        ("[columns]\nIsi Aduan = text\n", "bukan berkas TOML yang utuh"),
    ],
)
def test_a_mapping_that_contradicts_itself_is_refused(tmp_path: Path, content: str, said: str) -> None:
    with pytest.raises(DatasetError) as caught:
        load_mapping(saved(tmp_path / "m.toml", content))
    assert said in str(caught.value)


def test_a_missing_mapping_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"m\.toml: berkas pemetaan tidak ada"):
        load_mapping(tmp_path / "m.toml")


NAMES = {
    "text": ["Isi Aduan", "ISI_PENGADUAN", "Uraian Keluhan", "deskripsi", "Pesan", "isiLaporan", "Keluhan Warga",
             "Diskripsi", "Permasalahan"],
    "agency": ["OPD Tujuan", "SKPD", "Dinas Terkait", "Unit Kerja", "Tujuan Disposisi", "OPD/SKPD", "Nama Instansi",
               "Perangkat Daerah", "Instansi Tujuan"],
    "category": ["Kategori Aduan", "Topik", "Bidang", "Katagori", "kategory_laporan"],
    "received_at": ["Tgl. Masuk", "Tanggal Aduan", "Waktu Lapor", "tanggal_masuk"],
    "village": ["Kel.", "Desa", "Kel/Desa", "Desa/Kelurahan", "Kelurahn"],
    "district": ["Kec", "Nama Kecamatan"],
    "address": ["Lokasi Kejadian", "Alamat", "Alamat/Lokasi"],
    "channel": ["Kanal", "Media Pengaduan", "Sumber"],
    "urgency": ["Tingkat Urgensi", "Prioritas", "Tingkat"],
    "title": ["Judul", "Perihal Aduan"],
    "id": ["No. Tiket", "Nomor Aduan", "ID Aduan", "Kode"],
}  # fmt: skip
CELLS = {"text": TEXTS, "agency": AGENCIES, "received_at": DATES}


@pytest.mark.parametrize(("column", "header"), [(column, name) for column, names in NAMES.items() for name in names])
def test_a_header_is_known_by_the_names_that_portals_use(tmp_path: Path, column: str, header: str) -> None:
    cells = CELLS.get(column, ["satu", "dua", "tiga", "empat"])
    assert meant(written(tmp_path / "a.csv", **{header: cells, "x": ["y"] * 4})) == {header: column}


@pytest.mark.parametrize(
    "header",
    [
        "Nama", "Nama Lengkap", "Nama Warga", "Pelapor", "NIK", "No. HP", "No WA", "Email", "Alamat Pelapor",
        "Status Aduan", "Tanggapan", "Isi Laporan Akhir", "Tindak Lanjut OPD", "Tanggal Selesai", "Instansi Induk",
        "ID Kategori", "No", "No. Urut", "Catatan Petugas", "#",
    ],
)  # fmt: skip
@pytest.mark.parametrize("cells", [TEXTS, AGENCIES, DATES, ["satu", "dua", "tiga", "empat"]])
def test_persons_answers_and_row_numbers_are_never_proposed(tmp_path: Path, header: str, cells: list[str]) -> None:
    if header in ("ID Kategori", "No", "No. Urut", "#") and cells != ["satu", "dua", "tiga", "empat"]:
        cells = ["1", "2", "3", "4"]
    proposal = propose_mapping(written(tmp_path / "a.csv", **{"Isi Aduan": TEXTS, header: cells}))
    assert [item.header for item in proposal.columns] == ["Isi Aduan"]
    assert proposal.left_over == (header,)


@pytest.mark.parametrize("cell", ["081234567890", "+6281234567890", "warga@contoh.id", "5171010101010001"])
def test_cells_with_data_of_persons_close_a_column_of_any_name(tmp_path: Path, cell: str) -> None:
    path = written(tmp_path / "a.csv", **{"Isi Aduan": TEXTS, "Sumber": [cell] * 4})
    assert propose_mapping(path).left_over == ("Sumber",)


def test_where_names_say_nothing_the_cells_tell(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", Kolom_A=DATES, Kolom_B=TEXTS, Kolom_C=AGENCIES, Kolom_D=["45608"] * 4)
    proposal = propose_mapping(path)
    assert meant(path) == {"Kolom_A": "received_at", "Kolom_B": "text", "Kolom_C": "agency"}
    assert [item.reason for item in proposal.columns] == [
        "100% isinya tanggal",
        "isinya teks panjang, rata-rata 8 kata",
        "100% isinya nama instansi, 3 yang berbeda",
    ]
    assert proposal.left_over == ("Kolom_D",)


def test_numbers_that_could_be_days_of_excel_are_no_dates(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", Isi=TEXTS, Kolom_D=["45608", "45609", "45610", "45611"])
    assert meant(path) == {"Isi": "text"}


def test_the_day_a_complaint_came_in_goes_before_the_day_it_happened(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", **{"Isi": TEXTS, "Tgl Kejadian": DATES, "Tgl Lapor": DATES})
    assert meant(path) == {"Isi": "text", "Tgl Lapor": "received_at"}


def test_of_two_headers_for_the_text_the_longer_one_is_taken(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", Aduan=["jalan rusak"] * 4, Uraian=TEXTS)
    assert meant(path) == {"Uraian": "text"}


def test_names_whose_cells_say_otherwise_are_not_believed(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", Laporan=["1", "2", "3", "4"], Tanggal=["a", "b", "c", "d"], Keterangan=TEXTS)
    assert meant(path) == {"Keterangan": "text"}


@pytest.mark.parametrize(
    ("cells", "column"),
    [(["Aspirasi", "Pengaduan", "Aspirasi", "Permintaan Informasi"], "report_type"), (["Jalan"] * 4, "category")],
)
def test_the_kind_of_a_complaint_is_told_from_its_values(tmp_path: Path, cells: list[str], column: str) -> None:
    assert meant(written(tmp_path / "a.csv", **{"Isi": TEXTS, "Jenis Aduan": cells}))["Jenis Aduan"] == column


def test_a_time_of_day_beside_a_date_is_received_time(tmp_path: Path) -> None:
    path = written(tmp_path / "a.csv", Isi=TEXTS, Tanggal=DATES, Waktu=["13.45", "08:05 WITA", "9.10", "10:00:01"])
    assert meant(path) == {"Isi": "text", "Tanggal": "received_at", "Waktu": "received_time"}


def test_the_proposal_is_a_mapping_file_that_reads_the_data(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        **{"Tgl Masuk": DATES, 'Isi "Aduan"': TEXTS, "OPD": AGENCIES, "Kategori": ["x"] * 4, "Nama": ["Made"] * 4},
    )
    proposal = propose_mapping(path)
    assert proposal.toml.startswith("# Usulan pemetaan kolom a.csv; periksa sebelum dipakai.\n# Tidak dibaca: Nama\n")
    assert tomllib.loads(proposal.toml)["columns"]["Kategori"] == "category"
    rows = read_rows(path, load_mapping(saved(tmp_path / "m.toml", proposal.toml)))
    assert [row.get("agency") for row in rows] == AGENCIES
    assert "Made" not in repr(proposal)
