"""The history as an XLSX file."""

from collections.abc import Iterable
from string import ascii_uppercase
from tempfile import TemporaryFile
from typing import IO, TypeAlias
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import Cell, WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from router_model.policy import ROUTE_LABELS, Route
from router_model.portal import REPORT_TYPES, Portal
from service.database.complaints import Written
from service.database.review_history import Entry
from service.desk.complaint_view import agency_name, category_name, urgency_name
from service.desk.history_filters import OUTCOMES
from service.pages import number

Value: TypeAlias = str | float | None
COLUMNS = (
    ("Waktu", 18), ("Nomor laporan", 20), ("Id saran", 20), ("Judul", 30), ("Isi laporan", 60), ("Diputuskan oleh", 18),
    ("Instansi", 40), ("Kategori", 30), ("Urgensi", 12), ("Klasifikasi", 34), ("Catatan", 30), ("Hasil", 14),
    ("Instansi menurut model", 40), ("Keyakinan model", 16), ("Kategori menurut model", 30),
    ("Urgensi menurut model", 20), ("Rute", 40), ("Sumber", 12), ("Rilis", 26), ("Dibatalkan", 12),
)  # fmt: skip
"""Headers with widths in letters."""
SOURCES = {"review": "meja tinjau", "api": "portal", "import": "impor"}
CONFIDENTIAL = "(rahasia)"
MOST_ROWS = 10_000
"""What is written within a few seconds; who wants more takes it period by period."""
LONGEST_CELL = 32_000
"""Spreadsheets hold 32,767 letters in a cell."""


def write(entries: Iterable[tuple[Entry, Written]], portal: Portal, zone: str, most: int = MOST_ROWS) -> IO[bytes]:
    """An open file that is gone once it is closed. Rows go to the disk one by one, at most `most`; texts are
    masked, and those that were sent in confidence stay here."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Riwayat")
    for letter, (_, width) in zip(ascii_uppercase, COLUMNS, strict=False):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
    heads = [WriteOnlyCell(sheet, name) for name, _ in COLUMNS]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)
    moments = ZoneInfo(zone)
    for place, (entry, written) in enumerate(entries):
        if place == most:
            sheet.append([f"Hanya {number(most)} keputusan terbaru. Persempit masanya untuk yang lebih lama."])
            break
        sheet.append([_cell(sheet, value) for value in _values(entry, written, portal, moments)])
    file = TemporaryFile()  # noqa: SIM115
    book.save(file)
    file.seek(0)
    return file


def _cell(sheet: WriteOnlyWorksheet, value: Value) -> Cell | Value:
    """Text stays text, also where it begins as a formula does; other cells need no object of their own."""
    if not isinstance(value, str):
        return value
    value = ILLEGAL_CHARACTERS_RE.sub("", value)[:LONGEST_CELL]
    if not value.startswith("="):
        return value
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell


def _values(entry: Entry, written: Written, portal: Portal, zone: ZoneInfo) -> list[Value]:
    return [
        entry.created_at.astimezone(zone).strftime("%Y-%m-%d %H:%M"),
        entry.external_id,
        entry.suggestion_id,
        CONFIDENTIAL if written.confidential else written.title,
        CONFIDENTIAL if written.confidential else written.text,
        entry.by,
        agency_name(portal, entry.agency),
        category_name(portal, entry.category),
        urgency_name(portal, entry.urgency),
        REPORT_TYPES.get(entry.report_type or "", ""),
        entry.reason,
        OUTCOMES.get(entry.outcome, entry.outcome),
        agency_name(portal, entry.suggested_agency),
        entry.suggested_p,
        category_name(portal, entry.suggested_category),
        urgency_name(portal, entry.suggested_urgency),
        ROUTE_LABELS[Route(entry.route)],
        SOURCES.get(entry.source, entry.source),
        entry.release or "",
        "ditolak" if entry.refused else "ya" if entry.undone else "",
    ]
