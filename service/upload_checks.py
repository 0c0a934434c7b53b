"""What a file must be before anything is read from it: told by its content, and by what it would unpack to."""

import re
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow
import pyarrow.parquet

from router_model.errors import AduanError

MOST_ROWS = 300_000
MOST_UNPACKED = 600_000_000
"""Bytes, of a whole file; no office program writes more for as many rows."""
MOST_PARTS = 2_000
MOST_RATIO = 300
RATIO_FROM = 1_000_000
"""Bytes; what unpacks to less may be packed as tightly as it likes."""
CHUNK = 1 << 20
EXPECTED = (
    "Kirim CSV atau TSV (teks UTF-8, .csv, .tsv), buku kerja Excel tanpa makro (.xlsx), "
    "JSON Lines (.jsonl) atau Parquet (.parquet)."
)
KINDS = {
    ".csv": "teks",
    ".tsv": "teks",
    ".jsonl": "teks",
    ".ndjson": "teks",
    ".xlsx": "buku kerja Excel",
    ".parquet": "Parquet",
}
_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_ACTIVE = re.compile(r"vbaproject|vbadata|/macrosheets/|/activex/|/embeddings/", re.IGNORECASE)
_XML = (".xml", ".rels", ".vml")
_DECLARED = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)|\0|macroEnabled", re.IGNORECASE)
_LONGEST_DECLARED = 64


class UploadRefusedError(AduanError):
    """A file that is not what it should be; the message says what was found and what is expected."""


def check_content(path: Path, suffix: str) -> None:
    """Holds a file to what its ending says; nothing is unpacked that would not fit.

    Links of a workbook to other files are let be: nothing follows them.

    Raises:
        UploadRefusedError: naming what was found and what is expected.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise UploadRefusedError(f"Berkas ini kosong. {EXPECTED}")
    if start == _OLE:
        raise UploadRefusedError(
            "Berkas ini buku kerja Excel lama (.xls) atau terkunci kata sandi. Simpan ulang sebagai .xlsx."
        )
    found = {_ZIP: "buku kerja Excel", _PARQUET: "Parquet"}.get(start, "teks")
    if found != KINDS[suffix]:
        raise UploadRefusedError(f"Berkas berakhiran {suffix} ini isinya bukan {KINDS[suffix]}. {EXPECTED}")
    _CHECKS[found](path)


def _check_text(path: Path) -> None:
    line = 1
    with path.open("rb") as file:
        for content in file:
            try:
                content.decode("utf-8-sig" if line == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise UploadRefusedError(
                    f"Baris {line} bukan teks UTF-8 (byte 0x{content[error.start]:02x}). {EXPECTED}"
                ) from None
            if b"\0" in content:
                raise UploadRefusedError(f"Baris {line} memuat byte nol, jadi ini bukan teks UTF-8. {EXPECTED}")
            line += 1


def _check_workbook(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
            _check_parts(parts)
            names = {part.filename for part in parts}
            if not {"[Content_Types].xml", "xl/workbook.xml"} <= names:
                raise UploadRefusedError(f"Arsip zip ini bukan buku kerja Excel (.xlsx). {EXPECTED}")
            for part in parts:
                if part.filename.casefold().endswith(_XML):
                    _check_xml(archive, part)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError):
        raise UploadRefusedError("Buku kerja Excel ini rusak atau terpotong. Unduh atau simpan ulang.") from None


def _check_parts(parts: Sequence[zipfile.ZipInfo]) -> None:
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
        raise UploadRefusedError("Buku kerja ini terlalu besar setelah dibuka. Bagi menjadi beberapa berkas.")
    for part in parts:
        name = part.filename.replace("\\", "/")
        if name.startswith("/") or ".." in name.split("/") or ":" in name:
            raise UploadRefusedError("Buku kerja ini memuat nama berkas yang tidak wajar. Simpan ulang dengan Excel.")
        if _ACTIVE.search(f"/{name}"):
            raise UploadRefusedError(
                "Buku kerja ini memuat makro atau objek tertanam. Simpan ulang sebagai .xlsx biasa."
            )
        if part.flag_bits & 1:
            raise UploadRefusedError("Buku kerja ini terkunci kata sandi. Simpan ulang tanpa kata sandi.")
        if part.file_size > RATIO_FROM and part.file_size > MOST_RATIO * part.compress_size:
            raise UploadRefusedError(
                "Buku kerja ini mengembang tidak wajar ketika dibuka. Salin tabelnya ke buku kerja baru."
            )


def _check_xml(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    tail = b""
    with archive.open(part) as file:
        while chunk := file.read(CHUNK):
            if _DECLARED.search(tail + chunk):
                raise UploadRefusedError(
                    "Buku kerja ini memuat deklarasi XML atau makro yang tidak diterima. Salin tabelnya ke yang baru."
                )
            tail = chunk[-_LONGEST_DECLARED:]


def _check_parquet(path: Path) -> None:
    try:
        metadata = pyarrow.parquet.read_metadata(path)
    except (pyarrow.ArrowException, OSError):
        raise UploadRefusedError("Berkas Parquet ini rusak atau terpotong. Buat ulang.") from None
    groups = (metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if metadata.num_rows > MOST_ROWS or sum(groups) > MOST_UNPACKED:
        raise UploadRefusedError(f"Paling banyak {MOST_ROWS} baris dalam satu berkas. Bagi menjadi beberapa berkas.")


_CHECKS: Mapping[str, Callable[[Path], None]] = {
    "teks": _check_text,
    "buku kerja Excel": _check_workbook,
    "Parquet": _check_parquet,
}
