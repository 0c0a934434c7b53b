"""Records from a file, as they stand there: known columns, each fault named by row and column."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet

from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.portal import folded

LABELS = ("agency", "category", "urgency", "report_type")
COLUMNS = (
    "id", "received_at", "title", "text", "channel", "address", "village", "district", "lat", "lon", *LABELS,
)  # fmt: skip
LAPOR_HEADERS = {
    "tracking id": "id",
    "tanggal laporan masuk": "received_at",
    "waktu laporan masuk": "received_time",
    "klasifikasi laporan": "report_type",
    "kategori": "category",
    "judul laporan": "title",
    "isi laporan awal": "text",
    "sumber laporan": "channel",
    "instansi terdisposisi": "agency",
    "kecamatan": "district",
    "kelurahan": "village",
}
"""Headers of a LAPOR! admin export. Nama Pelapor is dropped at once; Isi Laporan Akhir is edited by staff."""
_MONTHS = ("jan", "feb", "mar", "apr", "mei", "jun", "jul", "agu", "sep", "okt", "nov", "des")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    "may": 5, "aug": 8, "oct": 10, "dec": 12, "ags": 8, "agt": 8, "nop": 11,
}  # fmt: skip
_EXCEL_EPOCH = datetime(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class Row:
    """One record as it stands in a file: known columns only, every value a stripped string."""

    where: str
    values: Mapping[str, str]

    def get(self, column: str) -> str:
        return self.values.get(column, "")

    @property
    def complaint(self) -> Complaint:
        return Complaint(
            text=self.get("text"),
            title=self.get("title"),
            address=self.get("address"),
            village=self.get("village"),
            district=self.get("district"),
        )


def read_rows(path: Path) -> list[Row]:
    """Rows of a CSV, XLSX, JSON Lines or Parquet file, read by its ending.

    Raises:
        DatasetError: the file is missing, broken, empty, not UTF-8, has no `text` column or no label column.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: berkas tidak ada")
    readers = {".csv": _csv, ".xlsx": _xlsx, ".jsonl": _jsonl, ".ndjson": _jsonl, ".parquet": _parquet}
    reader = readers.get(path.suffix.casefold())
    if reader is None:
        raise DatasetError(f"{path.name}: jenis berkas tidak dikenal; pakai {', '.join(readers)}")
    rows = [Row(where, _known(record)) for where, record in reader(path)]
    if not rows:
        raise DatasetError(f"{path.name}: tidak ada satu baris pun")
    columns = {column for row in rows[:1000] for column in row.values}
    if "text" not in columns:
        raise DatasetError(f"{path.name}: kolom text tidak ada; kolom yang ada: {', '.join(sorted(columns))}")
    return rows


def _known(record: Mapping[str, object]) -> dict[str, str]:
    values: dict[str, str] = {}
    for header, value in record.items():
        column = header.strip().casefold()
        column = LAPOR_HEADERS.get(folded(column), column)
        if column in COLUMNS or column == "received_time":
            values[column] = "" if value is None else str(value).strip()
    if time := values.pop("received_time", ""):
        day = parse_moment(values.get("received_at", ""))
        written = f"{day.day} {_MONTHS[day.month - 1]} {day.year}" if day else values.get("received_at", "")
        values["received_at"] = f"{written} {time}"
    return values


def _csv(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{path.name} baris {line}: bukan UTF-8 (byte 0x{content[error.start]:02x}); simpan ulang sebagai CSV UTF-8"
        ) from None
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(1 << 24)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        for cells in reader:
            if not any(cells):
                continue
            where = f"{path.name} baris {reader.line_num}"
            if len(cells) != len(header):
                raise DatasetError(f"{where}: {len(cells)} kolom, seharusnya {len(header)}; periksa tanda kutip")
            yield where, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise DatasetError(f"{path.name} baris {reader.line_num}: CSV rusak ({error})") from None


def _xlsx(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise DatasetError(f"{path.name}: bukan buku kerja Excel yang utuh ({error})") from None
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        header = [str(cell or "") for cell in next(rows, ())]
        for number, cells in enumerate(rows, 2):
            if any(cell is not None for cell in cells):
                yield f"{path.name} baris {number}", dict(zip(header, cells, strict=False))
    finally:
        book.close()


def _jsonl(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    with path.open("rb") as file:
        for number, content in enumerate(file, 1):
            where = f"{path.name} baris {number}"
            try:
                line = content.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise DatasetError(f"{where}: bukan UTF-8 (byte 0x{content[error.start]:02x})") from None
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise DatasetError(f"{where}, kolom {error.colno}: JSON rusak ({error.msg})") from None
            if not isinstance(record, dict):
                raise DatasetError(f"{where}: harus sebuah objek JSON")
            yield where, record


def _parquet(path: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    try:
        table = pyarrow.parquet.read_table(path)
    except pyarrow.ArrowInvalid as error:
        raise DatasetError(f"{path.name}: bukan berkas Parquet yang utuh ({error})") from None
    for number, record in enumerate(table.to_pylist(), 1):
        yield f"{path.name} baris {number}", record


def parse_moment(value: str) -> datetime | None:
    """A moment written as ISO 8601, as `12 Nov 2024 [13:45]` or as an Excel serial date; `None` if unreadable.

    Offsets are dropped: a portal's export is in the portal's own time.
    """
    value = value.strip()
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        pass
    if re.fullmatch(r"\d{5}(?:\.\d+)?", value):
        return _EXCEL_EPOCH + timedelta(days=float(value))
    match = re.match(r"(\d{1,2})[ -]([A-Za-z]{3})[A-Za-z]*[ -](\d{4})(?:\D+(\d{1,2})[:.](\d{2}))?", value)
    month = _MONTH_NUMBERS.get(match[2].casefold()) if match else None
    if match is None or month is None:
        return None
    try:
        return datetime(int(match[3]), month, int(match[1]), int(match[4] or 0), int(match[5] or 0))
    except ValueError:
        return None
