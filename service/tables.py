"""Figures as a table: how each cell is shown to people, and the same as a CSV file."""

import csv
import io
import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from service.pages import MONTHS, number, percent

Cell: TypeAlias = str | int | float | date | None
NOTHING = "–"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_SPANS = ((86_400, "hari"), (3_600, "jam"), (60, "menit"), (1, "detik"))


class Unit(StrEnum):
    """What the figures of a column are. A share lies in [0, 1]; a `SPAN` is in seconds."""

    TEXT = "text"
    COUNT = "count"
    SHARE = "share"
    SPAN = "span"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    unit: Unit = Unit.TEXT

    @property
    def numeric(self) -> bool:
        return self.unit in (Unit.COUNT, Unit.SHARE, Unit.SPAN)


@dataclass(frozen=True, slots=True)
class Table:
    """The first column names the row. `None` and figures that are no numbers are shown as nothing."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]

    @property
    def written(self) -> list[list[str]]:
        """The cells as people read them."""
        return [
            [written(cell, column.unit) for cell, column in zip(row, self.columns, strict=True)] for row in self.rows
        ]


def written(cell: Cell, unit: Unit) -> str:
    """As Indonesian writes it: 1.234, 96,3 %, 1,5 jam, 5 Jan 2026."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return NOTHING
    if isinstance(cell, str):
        return cell
    if isinstance(cell, date):
        return f"{cell.day} {MONTHS[cell.month - 1]} {cell.year}"
    if unit is Unit.SHARE:
        return percent(cell, 1)
    if unit is Unit.SPAN:
        return span(cell)
    return number(cell, 0 if float(cell).is_integer() else 1)


def span(seconds: float) -> str:
    """A stretch of time in its one fitting unit, with a decimal where that tells something: 1,5 jam, 12 menit."""
    seconds = max(0.0, seconds)
    size, name = next((unit for unit in _SPANS if seconds >= unit[0]), _SPANS[-1])
    shown = round(seconds / size, 1)
    return f"{number(shown, 0 if shown >= 10 or shown.is_integer() else 1)} {name}"


def csv_text(table: Table) -> str:
    """UTF-8 with a byte order mark, so that spreadsheets read it as such; a text that one of them would take for a
    formula begins with an apostrophe. Figures are plain: shares in [0, 1], stretches of time in seconds, ISO dates."""
    text = io.StringIO()
    rows = csv.writer(text)
    heads = (f"{column.name} (detik)" if column.unit is Unit.SPAN else column.name for column in table.columns)
    rows.writerows([_plain(cell) for cell in row] for row in (heads, *table.rows))
    return f"\ufeff{text.getvalue()}"


def _plain(cell: Cell) -> str | int | float:
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return round(cell, 4)
