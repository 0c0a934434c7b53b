"""Which labels became more or less frequent over time, and which began or ended: renamed bodies, moved matters."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scipy.stats import binom

from training.charts import number, percent
from training.checked_data import CheckedData, CheckedRow
from training.excerpts import day_words, period_words, quoted
from training.findings import MOST_LISTED, Finding, finding
from training.name_similarity import proposals

FEWEST_ROWS = 20
CLEAR = 4.0
"""A share changed if it did by so many standard errors: of 500 steady labels one in thirty data sets shows one."""
CHANCE = 1e-4
"""A label began or ended if a steady one would have been absent that long with no more than this chance."""
STRAY = 0.02
"""This share of a label's rows may lie before its beginning or after its end."""
LONG = 0.1
"""Absent for less than this share of all rows, a label is not said to have begun or ended."""
APART = 90
"""Days between the end of one label and the beginning of the next that may follow it."""
ALIKE = 0.5
OTHER = {"agency": "category", "category": "agency"}
COLUMNS = {"agency": "instansi", "category": "kategori"}


@dataclass(frozen=True, slots=True)
class Shift:
    """Rows of a label among the first and the last `of` rows; `z` is their difference in standard errors."""

    column: str
    label: str
    before: int
    after: int
    of: int

    @property
    def z(self) -> float:
        both = (self.before + self.after) / (2 * self.of)
        error = math.sqrt(both * (1 - both) * 2 / self.of)
        return (self.after - self.before) / self.of / error if error else 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """When a label was in use; `began` and `ended` say whether that is less than the whole period."""

    column: str
    label: str
    rows: int
    first: date
    last: date
    began: bool
    ended: bool


def shifts(column: str, labels: Sequence[str]) -> list[Shift]:
    """Labels whose share in the last third of rows clearly differs from that in the first, clearest first.

    `labels` are in the order of time. Two-sample z-test of shares, the square of which is Pearson's chi-square.
    """
    third = len(labels) // 3
    if not third:
        return []
    before, after = Counter(labels[:third]), Counter(labels[-third:])
    found = [
        Shift(column, label, before[label], after[label], third)
        for label in sorted(before | after)
        if before[label] + after[label] >= FEWEST_ROWS
    ]
    return sorted((shift for shift in found if abs(shift.z) >= CLEAR), key=lambda shift: (-abs(shift.z), shift.label))


def spans(column: str, rows: Sequence[CheckedRow]) -> list[Span]:
    """Labels that began after the first row or ended before the last, most rows first; rows are oldest first."""
    places: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.labels[column], []).append(place)
    found = []
    for label, own in places.items():
        if len(own) < FEWEST_ROWS:
            continue
        stray = int(STRAY * len(own))
        first, last = own[stray], own[-1 - stray]
        began, ended = (
            absent >= LONG * len(rows) and binom.cdf(stray, len(own), absent / len(rows)) < CHANCE
            for absent in (first, len(rows) - 1 - last)
        )
        first_day, last_day = rows[first].day, rows[last].day
        if (began or ended) and first_day and last_day:
            found.append(Span(column, label, len(own), first_day, last_day, began, ended))
    return sorted(found, key=lambda span: (-span.rows, span.label))


def predecessor(span: Span, ended: Sequence[Span], rows: Sequence[CheckedRow]) -> tuple[str, float] | None:
    """The label that one which began probably follows, and how far their rows agree in the other column (0 to 1)."""
    mine = _profile(span, rows)
    best: tuple[float, str, float] | None = None
    for other in ended:
        if other.label == span.label or abs((span.first - other.last).days) > APART:
            continue
        theirs = _profile(other, rows)
        overlap = sum(min(share, theirs.get(name, 0.0)) for name, share in mine.items())
        named_alike = bool(proposals({span.label: 1, other.label: 2})) if span.column == "agency" else False
        if overlap >= ALIKE or named_alike:
            best = max(best or (0.0, "", 0.0), (overlap + named_alike, other.label, overlap))
    return (best[1], best[2]) if best else None


def _profile(span: Span, rows: Sequence[CheckedRow]) -> Mapping[str, float]:
    """Shares of the other column's labels among the rows of a label."""
    other = OTHER[span.column]
    counts = Counter(
        row.labels[other] for row in rows if row.labels.get(span.column) == span.label and other in row.labels
    )
    return {name: count / counts.total() for name, count in counts.items()}


def drift_findings(data: CheckedData) -> list[Finding]:
    bounded: list[Span] = []
    moved: list[Shift] = []
    told = []
    for column in OTHER:
        rows = [row for row in data.dated if column in row.labels]
        own = spans(column, rows)
        bounded += own
        ended = [span for span in own if span.ended]
        told += [_span_words(span, predecessor(span, ended, rows) if span.began else None) for span in own]
        told_of = {span.label for span in own}
        moved += [item for item in shifts(column, [r.labels[column] for r in rows]) if item.label not in told_of]
    return [
        finding(
            "label_span",
            "Label yang baru muncul atau berhenti dipakai di tengah jalan",
            "perlu dilihat",
            told,
            "Bila sebuah instansi berganti nama atau urusannya pindah, tulis di successions.csv supaya laporan lama "
            "mengajarkan instansi yang sekarang; nama kategori yang diganti disamakan dalam datanya.",
            rows=_rows(data, bounded),
            total=data.total,
            unit="label",
            most=MOST_LISTED,
        ),
        finding(
            "drift",
            "Label yang bagiannya banyak berubah",
            "keterangan",
            [_shift_words(shift) for shift in sorted(moved, key=lambda shift: (-abs(shift.z), shift.label))],
            "Bila ini karena pembagian tugas yang berubah, latih dengan data yang lebih baru; bila karena musim atau "
            "kejadian, biarkan.",
            rows=_rows(data, moved),
            total=data.total,
            unit="label",
            most=MOST_LISTED,
        ),
    ]


def _rows(data: CheckedData, found: Sequence[Span] | Sequence[Shift]) -> int:
    labels = {(item.column, item.label) for item in found}
    return sum(not labels.isdisjoint(row.labels.items()) for row in data.dated)


def _span_words(span: Span, follows: tuple[str, float] | None) -> str:
    words = f"{COLUMNS[span.column]} {quoted(span.label)} ({number(span.rows)} laporan): "
    if span.began and span.ended:
        words += f"hanya {period_words(span.first, span.last)}"
    else:
        words += f"baru sejak {day_words(span.first)}" if span.began else f"berhenti {day_words(span.last)}"
    if follows:
        name, overlap = follows
        words += f"; mungkin pengganti {quoted(name)} ({COLUMNS[OTHER[span.column]]} {percent(overlap)} sama)"
    return words


def _shift_words(shift: Shift) -> str:
    return (
        f"{COLUMNS[shift.column]} {quoted(shift.label)}: {percent(shift.before / shift.of, 1)} pada sepertiga "
        f"pertama, {percent(shift.after / shift.of, 1)} pada sepertiga terakhir "
        f"({number(shift.before)} dan {number(shift.after)} laporan)"
    )
