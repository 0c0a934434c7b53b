"""Within how many working days a portal promises what, and when its offices close: part of `portal.toml`."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any

from router_model.portal_table import CERTAINTIES

VERIFICATION = "verifikasi"
"""The step before an answer: a person has looked, and the complaint has gone to its agency."""
MOST_DAYS = 999
CLOSES = time(16, 0)
"""Certainty D: 37.5 hours in five days from 07.30 and an hour of rest (Perpres 21/2023) end at four from Monday to
Thursday; on Fridays and in Ramadan, and where a government set other hours, it is another time."""


@dataclass(frozen=True, slots=True)
class TimeLimit:
    working_days: int
    source: str = ""
    certainty: str = "D"


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """`rows` maps a report type, or `VERIFICATION`, and an urgency level ("" for all others) to its limit."""

    rows: Mapping[tuple[str, str], TimeLimit] = field(default_factory=dict)
    closes: time = CLOSES

    def of(self, step: str, urgency: str = "") -> TimeLimit | None:
        return self.rows.get((step, urgency)) or self.rows.get((step, ""))


NO_LIMITS = TimeLimits()


def read_time_limits(
    settings: Mapping[str, Any], report_types: Collection[str], levels: Collection[str], problems: list[str]
) -> TimeLimits:
    """From `[deadlines.<step>]`, `[deadlines.<step>.<urgency>]` and `[office_hours]`; a row without `working_days`
    sets no limit. Faults go to `problems`."""
    rows = dict(_rows(settings.get("deadlines", {}), (*report_types, VERIFICATION), levels, problems))
    return TimeLimits(rows, _closes(settings.get("office_hours", {}), problems))


def _rows(
    given: Any, steps: Collection[str], levels: Collection[str], problems: list[str]
) -> Iterator[tuple[tuple[str, str], TimeLimit]]:
    for step, row in _tables("deadlines", given, steps, problems):
        inner = {key: value for key, value in row.items() if isinstance(value, Mapping)}
        named = [("", row), *_tables(f"deadlines.{step}", inner, levels, problems)]
        for level, values in named:
            where = f"deadlines.{step}.{level}".rstrip(".")
            if limit := _limit(where, values, problems):
                yield (step, level), limit


def _tables(
    where: str, given: Any, names: Collection[str], problems: list[str]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if not isinstance(given, Mapping):
        problems.append(f"portal.toml, {where}: harus berupa tabel, contoh: [deadlines.pengaduan]")
        return
    for name, row in given.items():
        if name not in names:
            problems.append(f"portal.toml, {where}.{name}: harus salah satu dari {', '.join(names)}")
        elif not isinstance(row, Mapping):
            problems.append(f"portal.toml, {where}.{name}: harus berupa tabel, contoh: [{where}.{name}]")
        else:
            yield name, row


def _limit(where: str, row: Mapping[str, Any], problems: list[str]) -> TimeLimit | None:
    days, certainty = row.get("working_days"), str(row.get("certainty", "D"))
    if certainty not in CERTAINTIES:
        problems.append(f"portal.toml, {where}: certainty harus A, B, C atau D")
    if days is None:
        return None
    if type(days) is not int or not 1 <= days <= MOST_DAYS:
        problems.append(f"portal.toml, {where}: working_days harus bilangan bulat dari 1 sampai {MOST_DAYS}")
        return None
    return TimeLimit(days, str(row.get("source", "")), certainty)


def _closes(given: Any, problems: list[str]) -> time:
    told = given.get("closes", CLOSES) if isinstance(given, Mapping) else given
    try:
        found = time.fromisoformat(str(told))
    except ValueError:
        found = None
    if found is None or found.tzinfo:
        problems.append(f'portal.toml, office_hours.closes: {told!r} bukan jam, contoh: closes = "16:00"')
        return CLOSES
    return found
