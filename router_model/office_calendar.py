"""Days on which an office is closed or open against the rule: `calendar.csv`."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from router_model.portal_table import cell_certainty, cell_date, table_rows

DAY_KINDS = {"libur": "hari libur", "kerja": "hari kerja"}


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day that is `libur` (closed) or `kerja` (open), whatever weekday or national calendar say."""

    day: date
    kind: str
    name: str
    source: str = ""
    certainty: str = "D"


def read_calendar(path: Path, problems: list[str]) -> tuple[CalendarDay, ...]:
    """Rows of `calendar.csv` in its order; none if the file does not exist. Faults go to `problems`."""
    if not path.exists():
        return ()
    found: dict[date, CalendarDay] = {}
    for where, row in table_rows(path, ("date", "kind", "name"), problems):
        day = cell_date(row, "date", where, problems)
        if day is None:
            if not row["date"]:
                problems.append(f"{where}, kolom date: harus diisi, contoh: 2026-03-19")
            continue
        if row["kind"] not in DAY_KINDS:
            problems.append(f"{where}, kolom kind: {row['kind']!r} harus 'libur' atau 'kerja'")
        if not row["name"]:
            problems.append(f"{where}, kolom name: harus diisi")
        if day in found:
            problems.append(f"{where}, kolom date: {day} sudah ada pada baris lain")
        found[day] = CalendarDay(
            day, row["kind"], row["name"], row.get("source", ""), cell_certainty(row, where, problems)
        )
    return tuple(found.values())
