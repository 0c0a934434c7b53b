"""Sheets of lines as they stand in a file, whatever its format; nothing is known of columns yet."""

import codecs
import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import pyarrow
import pyarrow.parquet
from openpyxl.utils.cell import range_boundaries
from python_calamine import CalamineError, SheetTypeEnum, load_workbook

from router_model.errors import DatasetError

TEXT_SUFFIXES = (".csv", ".tsv")
WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xls")
JSON_SUFFIXES = (".jsonl", ".ndjson")
SUFFIXES = (*TEXT_SUFFIXES, *WORKBOOK_SUFFIXES, *JSON_SUFFIXES, ".parquet")
DELIMITERS = ",;\t|"
SAMPLED_LINES = 200
MOST_CELLS = 50_000_000
"""A sheet is held as a dense rectangle: one stray cell in its far corner would take all memory."""
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_DIMENSION = re.compile(rb'<dimension ref="([A-Z]+\d+:[A-Z]+\d+)"')
_MOST_SPANNED = 1_000


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a sheet: stripped cells, or the `fault` that kept them from being read.

    `number` is its row in the file; of a CSV record over several lines the first one.
    """

    number: int
    cells: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """`place` names file and sheet; the first sheet of a file goes by the name of the file alone."""

    place: str
    lines: Sequence[Line]


def read_sheets(path: Path) -> list[Sheet]:
    """All sheets of a file, told apart by what the file holds rather than by its ending.

    A cell merged over several rows has its value in each of them that is not blank otherwise.

    Raises:
        DatasetError: the file is missing, of an unknown kind, cut short, locked, or in a foreign encoding.
    """
    if not path.is_file():
        raise DatasetError(f"{path}: berkas tidak ada")
    name, suffix = path.name, path.suffix.casefold()
    if suffix not in SUFFIXES:
        raise DatasetError(f"{name}: jenis berkas tidak dikenal; pakai {', '.join(SUFFIXES)}")
    if suffix == ".parquet":
        return [Sheet(name, _parquet(path))]
    content = path.read_bytes()
    if suffix in JSON_SUFFIXES:
        return [Sheet(name, _jsonl(name, content))]
    if content.startswith(_ZIP):
        return _workbook(name, content)
    if content.startswith(_OLE):
        locked = _ENCRYPTED in content
        kind = "buku kerja Excel yang dikunci kata sandi" if locked else "buku kerja Excel 97-2003 (.xls)"
        raise DatasetError(
            f"{name}: {kind} tidak dapat dibaca; buka dengan Excel atau LibreOffice, "
            f"lalu simpan {'tanpa kata sandi' if locked else 'sebagai Buku Kerja Excel (.xlsx)'}"
        )
    zeros = 0 if content.startswith(_UTF16) else content[:4096].count(0)
    if suffix in WORKBOOK_SUFFIXES and (zeros or not content.strip()):
        raise DatasetError(f"{name}: bukan buku kerja Excel yang utuh; unduh atau simpan ulang berkasnya")
    if zeros > len(content[:4096]) / 4:
        raise DatasetError(f"{name}: bukan teks UTF-8 (memuat byte nol); simpan ulang sebagai CSV UTF-8")
    text = _decoded(name, content)
    if text.lstrip().startswith("<"):
        return [Sheet(name, _html(name, text))]
    return [Sheet(name, _csv(text))]


def _decoded(name: str, content: bytes) -> str:
    encoding, shown = ("utf-16", "UTF-16") if content.startswith(_UTF16) else ("utf-8-sig", "UTF-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DatasetError(
            f"{name} baris {line}: bukan {shown} (byte 0x{content[error.start]:02x}); simpan ulang sebagai CSV UTF-8"
        ) from None


def _csv(text: str) -> list[Line]:
    csv.field_size_limit(1 << 24)
    lines = list(io.StringIO(text, newline=""))
    delimiter = max(DELIMITERS, key=lambda sign: _regularity(lines[:SAMPLED_LINES], sign))
    found: list[Line] = []
    start = 0
    while start < len(lines):
        rest = (lines[number] for number in range(start, len(lines)))
        reader = csv.reader(rest, delimiter=delimiter, strict=True)
        first = start
        try:
            for cells in reader:
                found.append(Line(first + 1, tuple(cell.strip() for cell in cells)))
                first = start + reader.line_num
        except csv.Error as error:
            # An open quote swallows what follows: go on below the line it stands in, not below what it took.
            found.append(Line(first + 1, fault=f"CSV rusak, periksa tanda kutip ({error})"))
            start = first + 1
        else:
            break
    return found


def _regularity(lines: Sequence[str], delimiter: str) -> tuple[int, int]:
    """How many records share the most usual number of cells above one, and that number."""
    widths = Counter(len(cells) for cells in csv.reader(lines, delimiter=delimiter) if len(cells) > 1)
    return max(((count, width) for width, count in widths.items()), default=(0, 0))


def _workbook(name: str, content: bytes) -> list[Sheet]:
    sheets: list[Sheet] = []
    try:
        _refuse_far_cells(name, content)
        book = load_workbook(io.BytesIO(content))
        for metadata in book.sheets_metadata:
            if metadata.typ != SheetTypeEnum.WorkSheet:
                continue
            sheet = book.get_sheet_by_name(metadata.name)
            rows = [[_written(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
            merges = [(top, bottom, left) for (top, left), (bottom, _) in sheet.merged_cell_ranges or ()]
            place = f'{name} lembar "{metadata.name}"' if sheets else name
            sheets.append(Sheet(place, _merged(rows, merges)))
    except (CalamineError, zipfile.BadZipFile) as error:
        raise DatasetError(
            f"{name}: bukan buku kerja Excel yang utuh ({error}); unduh atau simpan ulang berkasnya"
        ) from None
    return sheets


def _refuse_far_cells(name: str, content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for part in archive.namelist():
            if not part.startswith("xl/worksheets/"):
                continue
            with archive.open(part) as file:
                dimension = _DIMENSION.search(file.read(4096))
            if not dimension:
                continue
            area = dimension[1].decode()
            _, _, width, height = range_boundaries(area)
            if (width or 0) * (height or 0) > MOST_CELLS:
                raise DatasetError(f"{name}: satu lembarnya membentang {area}; hapus isi sel yang jauh di luar tabel")


def _written(cell: object) -> str:
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _merged(rows: list[list[str]], merges: Iterable[tuple[int, int, int]]) -> list[Line]:
    """Lines of rows where each merge (first row, last row, column, from 0) has its value in all its rows."""
    blank = [not any(row) for row in rows]
    for top, bottom, column in merges:
        for number in range(top + 1, min(bottom + 1, len(rows))):
            if not blank[number] and column < len(rows[number]):
                rows[number][column] = rows[top][column]
    return [Line(number, tuple(row)) for number, row in enumerate(rows, 1)]


class _Rows(HTMLParser):
    """Rows of all tables of a document, in order, and the cells that span several of them."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.merges: list[tuple[int, int, int]] = []
        self._text: list[str] | None = None
        self._spans = (1, 1)
        self._taken: dict[int, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.close_cell()
            self.rows.append([])
            self._taken = {column: left - 1 for column, left in self._taken.items() if left > 1}
        elif tag in ("td", "th") and self.rows:
            self.close_cell()
            given = dict(attrs)
            self._spans = (_span(given.get("rowspan")), _span(given.get("colspan")))
            self._text = []
        elif tag in ("br", "p", "div", "li") and self._text:
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self.close_cell()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(re.sub(r"\s+", " ", data))

    def close_cell(self) -> None:
        if self._text is None:
            return
        row, (height, width) = self.rows[-1], self._spans
        while len(row) in self._taken:
            row.append("")
        if height > 1:
            self.merges.append((len(self.rows) - 1, len(self.rows) + height - 2, len(row)))
            self._taken |= dict.fromkeys(range(len(row), len(row) + width), height)
        row += [re.sub(r" *\n *", "\n", "".join(self._text)).strip(), *[""] * (width - 1)]
        self._text = None


def _span(value: str | None) -> int:
    return min(max(int(value), 1), _MOST_SPANNED) if value and value.isdecimal() else 1


def _html(name: str, text: str) -> list[Line]:
    parser = _Rows()
    parser.feed(text)
    parser.close_cell()
    if not any(map(any, parser.rows)):
        raise DatasetError(
            f"{name}: halaman HTML atau XML tanpa tabel, bukan buku kerja Excel; "
            "buka dengan Excel atau LibreOffice, lalu simpan sebagai XLSX"
        )
    width = max(map(len, parser.rows))
    return _merged([row + [""] * (width - len(row)) for row in parser.rows], parser.merges)


def _jsonl(name: str, content: bytes) -> list[Line]:
    faults: list[Line] = []
    records: list[tuple[int, dict[str, object]]] = []
    for number, line in enumerate(content.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise DatasetError(f"{name} baris {number}: bukan UTF-8 (byte 0x{line[error.start]:02x})") from None
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            faults.append(Line(number, fault=f"JSON rusak pada kolom {error.colno} ({error.msg})"))
            continue
        if isinstance(record, dict):
            records.append((number, record))
        else:
            faults.append(Line(number, fault="harus sebuah objek JSON"))
    return sorted([*_tabulated(records), *faults], key=lambda line: line.number)


def _parquet(path: Path) -> list[Line]:
    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DatasetError(f"{path.name}: bukan berkas Parquet yang utuh ({error})") from None
    return list(_tabulated(list(enumerate(table.to_pylist(), 1))))


def _tabulated(records: Sequence[tuple[int, dict[str, object]]]) -> Iterator[Line]:
    """A first line, number 0, with the keys of all records, then each record in their order."""
    keys = tuple(dict.fromkeys(key for _, record in records for key in record))
    if keys:
        yield Line(0, keys)
    for number, record in records:
        yield Line(number, tuple(_told(record.get(key)) for key in keys))


def _told(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(_told, value))
    return "" if value is None else str(value).strip()
