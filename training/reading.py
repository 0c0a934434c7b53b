"""Records from a file as a portal exports it: known columns, each fault named by its row."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.portal import folded
from training.headers import Header, data_lines, find_header
from training.sheets import Line, Sheet, read_sheets

LABELS = ("agency", "category", "urgency", "report_type")
COLUMNS = (
    "id", "received_at", "title", "text", "channel", "address", "village", "district", "lat", "lon", *LABELS,
)  # fmt: skip
TARGETS = (*COLUMNS, "received_time")
"""What a header can mean. The hour of `received_time` goes into `received_at`."""
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
"""Headers of a LAPOR! admin export, folded."""
NEVER_READ = {"nama pelapor": "nama pelapor tidak dibaca", "isi laporan akhir": "isinya sudah disunting petugas"}
KNOWN_HEADERS = {folded(column): column for column in TARGETS} | LAPOR_HEADERS
MOST_SHOWN = 20
_BLANK = {"-", "--", "–", "—", "null", "none", "nan", "n/a", "#n/a"}
_AGENCY_BREAK = re.compile(r"[;|]|(?<!\bdan)(?<![,&-])\n(?!dan\b|&|\()")
_LIST_NUMBER = re.compile(r"(?:^|\s+)\d{1,2}[.)]\s+")
_BULLET = re.compile(r"^[-*•·]\s*")
_MONTHS = ("jan", "feb", "mar", "apr", "mei", "jun", "jul", "agu", "sep", "okt", "nov", "des")
_MONTH_NUMBERS = {name: number for number, name in enumerate(_MONTHS, 1)} | {
    "peb": 2, "may": 5, "aug": 8, "ags": 8, "agt": 8, "oct": 10, "nop": 11, "dec": 12,
}  # fmt: skip
_CLOCK = r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?"
_DAY_FIRST = r"(?:[a-z']+,?\s+)?(?P<day>\d{1,2})[\s./-]+(?P<month>\d{1,2}|[a-z]{3,})\.?[\s./-]+(?P<year>\d{4}|\d{2})"
_YEAR_FIRST = r"(?P<year>\d{4})[./-](?P<month>\d{1,2})[./-](?P<day>\d{1,2})"
_MOMENTS = [
    re.compile(rf"{day}(?:(?:\s*,)?[\sT]+(?:(?:pukul|jam)\s+)?{_CLOCK})?", re.IGNORECASE)
    for day in (_DAY_FIRST, _YEAR_FIRST)
]
_TIME = re.compile(rf"(?:.*[\sT])?{_CLOCK}")
_ZONE = re.compile(r"\s*\b(?:WIB|WITA|WIT)\.?$", re.IGNORECASE)
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
            received_at=parse_moment(self.get("received_at")),
        )


@dataclass(frozen=True, slots=True)
class RowFault:
    """A row that could not be read."""

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds: each of its data rows is either in `rows` or in `faults`."""

    rows: list[Row]
    faults: list[RowFault]


def read_rows(path: Path, columns: Mapping[str, str] | None = None) -> list[Row]:
    """The rows of `read_table`, without its faults."""
    return read_table(path, columns).rows


def read_table(
    path: Path,
    columns: Mapping[str, str] | None = None,
    needed: str = "text",
    also: Mapping[str, str] | None = None,
) -> Table:
    """Every data row of a CSV, workbook, JSON Lines or Parquet file, of all sheets with the needed column.

    `columns` maps further headers to known columns, or to "" to leave a header out. Lines above the header,
    repeated headers, blank rows and the totals below a table are no data rows. `also` names further headers
    (folded) that are read into columns of their own, where a file has them.

    Raises:
        DatasetError: the file cannot be read, has no such column, has two headers for one column, lacks a
            header of `columns`, or more than half of its rows are faulty.
    """
    rows: list[Row] = []
    faults: list[RowFault] = []
    for sheet, header in _tables(path, columns or {}, needed, also or {}):
        for found in _records(sheet, header):
            if isinstance(found, Row):
                rows.append(found)
            else:
                faults.append(found)
    if len(faults) > len(rows):
        total = len(rows) + len(faults)
        raise DatasetError(f"{path.name}: {len(faults)} dari {total} baris rusak", _shown(faults))
    if not rows:
        raise DatasetError(f"{path.name}: tidak ada satu baris pun")
    return Table(rows, faults)


def _tables(path: Path, columns: Mapping[str, str], needed: str, also: Mapping[str, str]) -> list[tuple[Sheet, Header]]:
    """The sheets that have the needed column, each with its header."""
    known = KNOWN_HEADERS | dict(also) | explicit_headers(columns)
    sheets = read_sheets(path)
    headed = [(sheet, header) for sheet in sheets if (header := find_header(sheet.lines, known))]
    if not headed:
        faults = [_fault(sheet, line) for sheet in sheets for line in sheet.lines if line.fault]
        empty = not faults and not any(any(line.cells) for sheet in sheets for line in sheet.lines)
        missing = "tidak ada satu baris pun" if empty else "baris judul kolom tidak ditemukan"
        raise DatasetError(f"{path.name}: {missing}", _shown(faults))
    _refuse_absent(path, columns, [header for _, header in headed])
    tables = [(sheet, header) for sheet, header in headed if needed in header.columns]
    if not tables:
        names = dict.fromkeys(name for _, header in headed for name in header.filled)
        raise DatasetError(
            f"{path.name}: kolom {needed} tidak ada; kolom yang ada: {', '.join(names)}. "
            f"Jalankan `aduan check {path}`, yang mengusulkan pemetaan kolom."
        )
    for sheet, header in tables:
        _refuse_doubles(sheet, header)
    return tables


def explicit_headers(columns: Mapping[str, str]) -> dict[str, str]:
    """A mapping of headers as folded name to column.

    Raises:
        DatasetError: an unknown column, a header that is never read, or two headers for one column.
    """
    found: dict[str, str] = {}
    owners: dict[str, str] = {}
    for header, column in columns.items():
        name = folded(header)
        if column and column not in TARGETS:
            raise DatasetError(
                f"Pemetaan {header!r} = {column!r}: kolom {column} tidak dikenal; pakai {', '.join(TARGETS)}"
            )
        if column and name in NEVER_READ:
            raise DatasetError(f"Pemetaan {header!r} = {column!r}: tidak boleh, {NEVER_READ[name]}")
        if name in found:
            raise DatasetError(f"Pemetaan {header!r}: judul kolom ini tertulis dua kali")
        if column in owners:
            raise DatasetError(f"Pemetaan {owners[column]!r} dan {header!r} sama-sama menuju kolom {column}")
        found[name] = column
        if column:
            owners[column] = header
    return found


def _refuse_absent(path: Path, columns: Mapping[str, str], headers: Sequence[Header]) -> None:
    names = dict.fromkeys(name for header in headers for name in header.filled)
    present = set(map(folded, names))
    absent = [header for header in columns if folded(header) not in present]
    if absent:
        raise DatasetError(
            f"{path.name}: kolom {', '.join(map(repr, absent))} dari pemetaan tidak ada; "
            f"kolom yang ada: {', '.join(names)}"
        )


def _refuse_doubles(sheet: Sheet, header: Header) -> None:
    owners: dict[str, str] = {}
    for name, column in zip(header.names, header.columns, strict=True):
        if column and column in owners:
            raise DatasetError(
                f"{sheet.place}: kolom {owners[column]!r} dan {name!r} sama-sama berarti {column}; "
                'ganti nama salah satunya, atau petakan ke "" supaya tidak dibaca'
            )
        owners[column] = name


def _fault(sheet: Sheet, line: Line, message: str = "") -> RowFault:
    return RowFault(f"{sheet.place} baris {line.number}", message or line.fault)


def _shown(faults: Sequence[RowFault]) -> list[str]:
    return [str(fault) for fault in faults[:MOST_SHOWN]]


def _records(sheet: Sheet, header: Header) -> Iterator[Row | RowFault]:
    yield from (_fault(sheet, line) for line in sheet.lines[: header.data_from] if line.fault)
    width = max(number for number, name in enumerate(header.names, 1) if name)
    for line in data_lines(sheet, header):
        if line.fault:
            yield _fault(sheet, line)
        elif len(line.cells) < width or any(line.cells[len(header.names) :]):
            message = f"{len(line.cells)} kolom, seharusnya {width}; periksa tanda kutip"
            yield _fault(sheet, line, message)
        else:
            known = [item for item in zip(header.names, header.columns, line.cells, strict=False) if item[1]]
            if any(cell and f" {cell} " not in f" {name} " for name, _, cell in known):
                values = {column: _content(column, cell) for _, column, cell in known}
                yield Row(f"{sheet.place} baris {line.number}", _timed(values))


def _content(column: str, cell: str) -> str:
    if cell.casefold() in _BLANK:
        return ""
    return first_agency(cell) if column == "agency" else cell


def first_agency(cell: str) -> str:
    """The first of several agencies in one cell: parted by `;`, `|` or line ends, or a numbered list."""
    cell = re.sub(r"\s*[\r\n]\s*", "\n", cell.strip())
    if _LIST_NUMBER.match(cell):
        cell = "\n".join(filter(None, _LIST_NUMBER.split(cell)))
    parts = (_BULLET.sub("", part.strip()) for part in _AGENCY_BREAK.split(cell))
    return " ".join(next(filter(None, parts), "").split())


def _timed(values: dict[str, str]) -> dict[str, str]:
    if clock := values.pop("received_time", ""):
        values["received_at"] = _with_clock(values.get("received_at", ""), clock)
    return values


def _with_clock(day: str, clock: str) -> str:
    moment = parse_moment(day)
    if moment is None:
        return f"{day} {clock}".strip()
    match = _TIME.fullmatch(_ZONE.sub("", clock))
    try:
        return datetime.combine(moment, time(*_clock(match))).isoformat() if match else day
    except ValueError:
        return day


def _clock(match: re.Match[str]) -> tuple[int, int, int]:
    return int(match["hour"] or 0), int(match["minute"] or 0), int(match["second"] or 0)


def parse_moment(value: str) -> datetime | None:
    """A moment written as ISO 8601, as `12 Nov 2024 [13:45]`, as `12/11/2024 [13.45]` with the day first, or as
    an Excel serial date; `None` if unreadable or impossible.

    Offsets and zone names are dropped: a portal's export is in the portal's own time.
    """
    value = _ZONE.sub("", value.strip())
    match = next(filter(None, (pattern.fullmatch(value) for pattern in _MOMENTS)), None)
    try:
        if match is None:
            return _other_moment(value)
        month = match["month"]
        number = int(month) if month.isdecimal() else _MONTH_NUMBERS.get(month[:3].casefold(), 0)
        year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
        return datetime(year, number, int(match["day"]), *_clock(match))
    except ValueError:
        return None


def _other_moment(value: str) -> datetime:
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?", value):
        return _EXCEL_EPOCH + timedelta(seconds=round(float(value.replace(",", ".")) * 86_400))
    return datetime.fromisoformat(value).replace(tzinfo=None)
