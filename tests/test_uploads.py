"""What portals send is held to what it must be, read aside, and masked before it is kept."""

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

import joblib
import pyarrow
import pyarrow.parquet
import pytest
from openpyxl import Workbook
from publisher import small_town

from service.dataset_content import from_content
from service.upload_checks import CHUNK, UploadRefusedError, check_content
from service.upload_reading import DRAFT
from service.uploads import Look, UnknownHeadersError, Upload, look_at, read_upload
from training.reading import COLUMNS

HEADER = "text,agency\n"
LAPOR = (
    "Tracking ID", "Tanggal Laporan Masuk", "Waktu Laporan Masuk", "Nama Pelapor", "Judul Laporan",
    "Isi Laporan Awal", "Isi Laporan Akhir", "Instansi Terdisposisi", "Kecamatan",
)  # fmt: skip


@pytest.fixture
def send(tmp_path: Path) -> Callable[..., Upload]:
    """Sends bytes under a name, as a file that has no name any more."""

    def sent(content: bytes, name: str, portal: Path | None = None, seconds: float = 60.0) -> Upload:
        path = tmp_path / "sent"
        path.write_bytes(content)
        with path.open("rb") as file:
            path.unlink()
            return read_upload(file, name, portal, seconds)

    return sent


@pytest.fixture
def draft(tmp_path: Path) -> Callable[..., Upload]:
    """As `send`, but for a draft; headers may be mapped."""

    def sent(content: bytes, name: str, **columns: str) -> Upload:
        path = tmp_path / "sent"
        path.write_bytes(content)
        with path.open("rb") as file:
            return read_upload(file, name, purpose=DRAFT, columns=columns)

    return sent


@pytest.fixture
def look(tmp_path: Path) -> Callable[[bytes, str], Look]:
    def looked(content: bytes, name: str) -> Look:
        path = tmp_path / "sent"
        path.write_bytes(content)
        with path.open("rb") as file:
            return look_at(file, name)

    return looked


@pytest.fixture
def check(tmp_path: Path) -> Callable[[bytes, str], None]:
    """Holds bytes to what their name says, without reading them."""

    def checked(content: bytes, name: str) -> None:
        path = tmp_path / name
        path.write_bytes(content)
        check_content(path, path.suffix)

    return checked


def workbook(*rows: tuple[str, ...]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    return saved(book.save)


def saved(save: Callable[[IO[bytes]], object]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def with_part(name: str, content: bytes, replacing: str = "") -> bytes:
    """A sound workbook with one more part, or with one that is another."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(("text", "agency"), ("lampu mati", "Dinas Perhubungan")))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            if part != replacing:
                new.writestr(part, old.read(part))
        new.writestr(name, content)
    return file.getvalue()


def archive(**parts: bytes) -> bytes:
    def save(file: IO[bytes]) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as written:
            for name, content in parts.items():
                written.writestr(name, content)

    return saved(save)


def test_an_export_as_it_comes_loses_its_names_and_its_numbers(send: Callable[..., Upload]) -> None:
    upload = send(
        workbook(
            LAPOR,
            (
                "7001", "12 Nov 2024", "13:45", "Komang Ayu Pertiwi", "Lampu mati",
                "Lampu jalan mati, hubungi 081234567890 atau ayu@contoh.id, NIK 5171010101900001.",
                "Sudah dihubungi Bu Komang", "Dinas Perhubungan", "Kecamatan Timur",
            ),
        ),
        "ekspor.xlsx",
    )  # fmt: skip
    (row,) = from_content(upload.content)
    assert row["text"] == "Lampu jalan mati, hubungi [TELEPON] atau [SUREL], NIK [NIK]."
    assert (row["id"], row["received_at"], row["agency"]) == ("7001", "2024-11-12T13:45:00", "Dinas Perhubungan")
    for secret in ("Komang", "Pertiwi", "0812", "5171", "contoh.id", "dihubungi"):
        assert not any(secret in cell for cell in row.values())
        assert secret.encode() not in upload.content


def test_personal_data_is_masked_in_every_column_that_is_kept(send: Callable[..., Upload]) -> None:
    """Only the portal's own number stays; a moment and a place are kept as such or not at all."""
    number = "telp 081234567890"
    (row,) = from_content(
        send(f"{','.join(COLUMNS)}\n{','.join([number] * len(COLUMNS))}\n".encode(), "data.csv").content
    )
    assert row == dict.fromkeys(COLUMNS, "telp [TELEPON]") | {"id": number, "received_at": "", "lat": "", "lon": ""}


def test_rows_that_teach_nothing_are_named_and_the_others_kept(send: Callable[..., Upload]) -> None:
    rows = ["lampu mati,Dishub", ",Dishub", "lampu padam,", f"{'a' * 10_001},Dishub", "jalan rusak,PU"]
    upload = send((HEADER + "\n".join(rows)).encode(), "data.csv")
    assert [row["text"] for row in from_content(upload.content)] == ["lampu mati", "jalan rusak"]
    assert [(fault.where, fault.column) for fault in upload.faults] == [
        ("berkas.csv baris 3", "text"),
        ("berkas.csv baris 4", ""),
        ("berkas.csv baris 5", "text"),
    ]
    assert (upload.rows, upload.faulty) == (2, 3)


def test_labels_the_portal_does_not_know_are_counted(send: Callable[..., Upload], tmp_path: Path) -> None:
    town = small_town(tmp_path / "portal")
    content = HEADER + "lampu mati,Dinas Perhubungan\nkucing hilang,Dinas Kucing\nkucing lari,Dinas Kucing\n"
    (unknown,) = send(content.encode(), "data.csv", town).unknown or ()
    assert (unknown.column, unknown.label, unknown.rows) == ("agency", "Dinas Kucing", 2)
    assert "tidak dikenal portal" in unknown.message
    assert send(content.encode(), "data.csv").unknown is None


@pytest.mark.parametrize("name", ["data.jsonl", "data.parquet", "data.tsv"])
def test_every_format_gives_the_same_rows(send: Callable[..., Upload], tmp_path: Path, name: str) -> None:
    parquet = saved(
        lambda file: pyarrow.parquet.write_table(pyarrow.table({"text": ["lampu mati"], "agency": ["Dishub"]}), file)
    )
    content = {
        "data.jsonl": b'{"text": "lampu mati", "agency": "Dishub"}\n',
        "data.parquet": parquet,
        "data.tsv": b"text\tagency\nlampu mati\tDishub\n",
    }[name]
    expected = send(f"{HEADER}lampu mati,Dishub\n".encode(), "data.csv")
    found = send(content, name)
    assert found.fingerprint == expected.fingerprint
    assert list(from_content(found.content)) == list(from_content(expected.content))


class Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("name", ["data.csv", "data.jsonl", "data.parquet", "data.xlsx"])
def test_a_pickle_is_never_opened_whatever_it_is_called(
    send: Callable[..., Upload], check: Callable[[bytes, str], None], tmp_path: Path, name: str
) -> None:
    trap = tmp_path / "opened"
    for content in (pickle.dumps(Harmful(trap)), saved(lambda file: joblib.dump([Harmful(trap)], file))):
        with pytest.raises(UploadRefusedError, match="bukan"):
            check(content, name)
    # The oldest protocol is plain text, which is read as such.
    with pytest.raises(UploadRefusedError):
        send(pickle.dumps(Harmful(trap), 0), name)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "data.csv", "kosong"),
        (b"MZ\x90\x00\x03\x00\x00\x00", "data.csv", "bukan teks UTF-8"),
        (b"text,agency\nlampu mati\xff,Dishub\n", "data.csv", "Baris 2 bukan teks UTF-8 .byte 0xff."),
        (b"text,agency\nlampu\0mati,Dishub\n", "data.jsonl", "Baris 2 memuat byte nol"),
        ("text,agency\nlampu mati,Dishub\n".encode("utf-16"), "data.csv", "bukan teks UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "data.xlsx", r"Excel lama \(.xls\)"),
        (b"text,agency\nlampu mati,Dishub\n", "data.xlsx", "isinya bukan buku kerja Excel"),
        (workbook(("text", "agency"), ("lampu mati", "Dishub")), "data.csv", "isinya bukan teks"),
        (workbook(("text", "agency"), ("lampu mati", "Dishub"))[:900], "data.xlsx", "rusak atau terpotong"),
        (b"PAR1" + bytes(50), "data.parquet", "rusak atau terpotong"),
        (archive(**{"word/document.xml": b"<a/>", "[Content_Types].xml": b"<a/>"}), "data.xlsx", "bukan buku kerja"),
    ],
)
def test_what_is_something_else_is_refused_and_said(
    check: Callable[[bytes, str], None], content: bytes, name: str, words: str
) -> None:
    with pytest.raises(UploadRefusedError, match=words):
        check(content, name)


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"text,agency\nlampu mati,Dishub\n", "data.exe", "'.exe' tidak diterima"),
        (b"text,agency\nlampu mati,Dishub\n", "data", "tanpa akhiran"),
        (b"judul,instansi\nlampu mati,Dishub\n", "data.csv", "kolom text tidak ada.*aduan check berkas.csv"),
        (b'{"a":' * 100_000, "data.jsonl", "tidak selesai dibaca"),
        (b"\0", "data.csv", "byte nol"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_of_it_stays_on_the_disk(
    send: Callable[..., Upload],
    content: bytes,
    name: str,
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(UploadRefusedError, match=words):
        send(content, name)
    assert list(tmp_path.iterdir()) == []


SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/>%s</worksheet>'
BOMB = SHEET % b"" + b" " * 50_000_000
ENTITY = b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol">]>' + SHEET % b""
BEYOND = b"".join(b"<v>%d</v>" % number for number in range(100_000))[: CHUNK - 4] + b"<!doctype x>"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (with_part("xl/worksheets/sheet1.xml", BOMB, "xl/worksheets/sheet1.xml"), "mengembang tidak wajar"),
        (with_part("xl/worksheets/sheet1.xml", ENTITY, "xl/worksheets/sheet1.xml"), "deklarasi XML"),
        (with_part("xl/sharedStrings.xml", BEYOND, "xl/sharedStrings.xml"), "deklarasi XML"),
        (with_part("xl/theme/extra.xml", ENTITY.decode().encode("utf-16")), "deklarasi XML"),
        (with_part("xl/vbaProject.bin", b"\xd0\xcf\x11\xe0"), "makro"),
        (with_part("xl/macrosheets/sheet1.xml", SHEET % b""), "makro"),
        (with_part("xl/embeddings/oleObject1.bin", b"x"), "objek tertanam"),
        (with_part("../../etc/cron.d/x", b"x"), "nama berkas yang tidak wajar"),
        (with_part("..\\x", b"x"), "nama berkas yang tidak wajar"),
        (archive(**{f"xl/{number}.xml": b"<a/>" for number in range(2_001)}), "terlalu besar"),
    ],
    ids=["bomb", "entity", "doctype", "utf-16", "macro", "macro-sheet", "object", "path", "backslash", "parts"],
)
def test_a_workbook_that_could_do_harm_is_refused(
    check: Callable[[bytes, str], None], content: bytes, words: str
) -> None:
    assert len(content) < 1_000_000
    with pytest.raises(UploadRefusedError, match=words):
        check(content, "data.xlsx")


def test_a_part_that_unpacks_to_more_than_it_says_is_refused(check: Callable[[bytes, str], None]) -> None:
    """The sizes in the directory are what the sender wrote there."""
    content = bytearray(with_part("xl/worksheets/sheet1.xml", BOMB, "xl/worksheets/sheet1.xml"))
    true, said = len(BOMB).to_bytes(4, "little"), (900).to_bytes(4, "little")
    assert content.count(true) == 2
    with pytest.raises(UploadRefusedError, match="rusak atau terpotong"):
        check(bytes(content.replace(true, said)), "data.xlsx")


def test_a_parquet_file_of_few_bytes_and_endless_rows_is_refused(check: Callable[[bytes, str], None]) -> None:
    table = pyarrow.table({"text": pyarrow.repeat("lampu mati", 300_001), "agency": pyarrow.repeat("a", 300_001)})
    content = saved(lambda file: pyarrow.parquet.write_table(table, file))
    assert len(content) < 20_000
    with pytest.raises(UploadRefusedError, match="Paling banyak 300000 baris"):
        check(content, "data.parquet")


def test_a_file_that_takes_too_much_memory_ends_its_own_process_only(send: Callable[..., Upload]) -> None:
    numbers = pyarrow.array([0] * 100_000, pyarrow.int32())
    columns = {
        "text": pyarrow.DictionaryArray.from_arrays(numbers, ["lampu mati " * 50_000]),
        "agency": pyarrow.DictionaryArray.from_arrays(numbers, ["Dishub"]),
    }
    content = saved(lambda file: pyarrow.parquet.write_table(pyarrow.table(columns), file, store_schema=False))
    assert len(content) < 1_000_000
    with pytest.raises(UploadRefusedError, match=r"tidak selesai dibaca|tidak utuh|bukan berkas Parquet"):
        send(content, "data.parquet")


def test_a_file_that_takes_too_long_is_given_up(send: Callable[..., Upload]) -> None:
    with pytest.raises(UploadRefusedError, match="tidak selesai dibaca"):
        send(f"{HEADER}lampu mati,Dishub\n".encode(), "data.csv", seconds=0.01)


def test_a_look_at_a_file_shows_what_columns_mean_and_no_data_of_persons(look: Callable[[bytes, str], Look]) -> None:
    found = look(
        workbook(
            ("Nama Pelapor", "Uraian Aduan", "OPD Tujuan", "Kontak", "Warna"),
            ("Komang Ayu", "Lampu mati, hubungi 081234567890", "Dinas Perhubungan", "081234567890", "biru"),
            ("Made", "Jalan rusak di depan " + "pasar " * 40, "Dinas Perhubungan", "081234567891", "biru"),
        ),
        "data.xlsx",
    )
    told = {column.header: (column.column, column.closed, column.never, column.cells) for column in found.columns}
    assert told["Nama Pelapor"] == ("", True, True, ())
    assert told["Kontak"] == ("", True, False, ())
    assert told["OPD Tujuan"] == ("agency", False, False, ("Dinas Perhubungan",))
    assert told["Warna"] == ("", False, False, ("biru",))
    assert told["Uraian Aduan"][0] == "text"
    first, second = told["Uraian Aduan"][3]
    assert first == "Lampu mati, hubungi [TELEPON]"
    assert (len(second) < 100, second.endswith(" …")) == (True, True)


def test_a_draft_says_where_its_rows_stood_and_what_was_masked(draft: Callable[..., Upload]) -> None:
    upload = draft(
        b"Isi,Instansi\nlampu mati telp 081234567890,Dishub\n,Dishub\njalan rusak,PU\n", "data.csv",
        Isi="text", Instansi="agency",
    )  # fmt: skip
    assert [(row["text"], row["where"]) for row in from_content(upload.content)] == [
        ("lampu mati telp [TELEPON]", "baris 2"),
        ("jalan rusak", "baris 4"),
    ]
    assert [(fault.where, fault.column) for fault in upload.faults] == [("baris 3", "text")]
    assert upload.masked == {"phone": 1}


@pytest.mark.parametrize(
    "content", [b"Isi Aduan,Instansi\nlampu mati,Dishub\n", b"text,Warna\nlampu mati,biru\n"], ids=["text", "label"]
)
def test_a_draft_of_a_file_without_a_known_text_or_label_asks_for_a_mapping(
    draft: Callable[..., Upload], content: bytes
) -> None:
    with pytest.raises(UnknownHeadersError) as asked:
        draft(content, "data.csv")
    assert [len(column.cells) for column in asked.value.look.columns] == [1, 1]


@pytest.mark.parametrize(("encoding", "told"), [("utf-8", ""), ("cp1252", "cp1252"), ("utf-16", "utf-16")])
def test_a_draft_of_text_in_another_encoding_is_read_and_says_so(
    draft: Callable[..., Upload], send: Callable[..., Upload], encoding: str, told: str
) -> None:
    content = "text,agency\nKafé bising – tiap malam,Satpol PP\n".encode(encoding)
    upload = draft(content, "data.csv")
    assert [row["text"] for row in from_content(upload.content)] == ["Kafé bising – tiap malam"]
    assert upload.encoding == told
    if told:
        # Programs are told rather than guessed at.
        with pytest.raises(UploadRefusedError, match="bukan teks UTF-8"):
            send(content, "data.csv")


@pytest.mark.parametrize("content", [b"MZ\x90\x00\x03\x00", b"text,agency\nlampu\x05mati\xff,Dishub\n"])
def test_what_is_no_text_at_all_is_refused_for_a_draft_too(draft: Callable[..., Upload], content: bytes) -> None:
    with pytest.raises(UploadRefusedError, match="bukan teks UTF-8"):
        draft(content, "data.csv")
