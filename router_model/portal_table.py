"""Rows of the CSV files of a portal folder, each with its place for messages."""

import csv
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

CERTAINTIES = {"A", "B", "C", "D"}
"""A official text or data, B press, C third-party copy, D general knowledge that was not verified."""


def table_rows(path: Path, required: Sequence[str], problems: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """Yields `(place, row)`, where place says file and line; what cannot be read goes to `problems`."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, restval="")
            missing = [column for column in required if column not in (reader.fieldnames or ())]
            if missing:
                problems.append(f"{path.name}: kolom tidak ada: {', '.join(missing)}")
                return
            for row in reader:
                yield (
                    f"{path.name} baris {reader.line_num}",
                    {key: (value or "").strip() for key, value in row.items() if isinstance(value, str)},
                )
    except FileNotFoundError:
        problems.append(f"{path.name}: berkas tidak ada")
    except (UnicodeDecodeError, csv.Error) as error:
        problems.append(f"{path.name}: tidak terbaca sebagai CSV UTF-8 ({error})")


def cell_parts(cell: str) -> tuple[str, ...]:
    """The values of a cell that are separated by ";"."""
    return tuple(part.strip() for part in cell.split(";") if part.strip())


def cell_certainty(row: dict[str, str], where: str, problems: list[str]) -> str:
    certainty = row.get("certainty") or "D"
    if certainty not in CERTAINTIES:
        problems.append(f"{where}, kolom certainty: {certainty!r} harus salah satu dari A, B, C, D")
    return certainty


def cell_date(row: dict[str, str], column: str, where: str, problems: list[str]) -> date | None:
    """The ISO date of a column; `None` if the cell is empty or wrong."""
    cell = row.get(column, "")
    try:
        return date.fromisoformat(cell) if cell else None
    except ValueError:
        problems.append(f"{where}, kolom {column}: {cell!r} bukan tanggal, contoh: 2023-07-01")
        return None
