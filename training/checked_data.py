"""The rows of a data set with everything that the findings look at, read once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.portal import REPORT_TYPES, Portal, folded
from router_model.tokens import normal_words
from training.dataset import Example, LabelFault, examples
from training.history import Progress
from training.near_copies import copy_groups
from training.reading import LABELS, Row, Table, parse_moment

EARLIEST = date(2005, 1, 1)
"""No portal took complaints before."""


@dataclass(frozen=True, slots=True)
class CheckedRow:
    """A row with its cleaned complaint, its normal words and what it teaches.

    `where` is its place without the file. `day` is the day it came in, `None` where `moment` is impossible.
    `labels` are names by column: those of today's bodies where the portal knows them, as written otherwise.
    """

    where: str
    row: Row
    complaint: Complaint
    personal: tuple[str, ...]
    words: tuple[str, ...]
    moment: datetime | None
    day: date | None
    labels: Mapping[str, str]
    example: Example | None


@dataclass(frozen=True)
class CheckedData:
    """`total` counts unreadable rows too; `label_faults` is empty without a portal."""

    source: str
    rows: Sequence[CheckedRow]
    total: int
    portal: Portal | None
    label_faults: Sequence[LabelFault]
    today: date

    def place(self, where: str) -> str:
        return where.removeprefix(f"{self.source} ")

    @cached_property
    def learned(self) -> list[CheckedRow]:
        """Rows that something can be learned from."""
        return [row for row in self.rows if row.example]

    @cached_property
    def dated(self) -> list[CheckedRow]:
        """Rows with a possible date, oldest first."""
        return sorted((row for row in self.rows if row.day), key=lambda row: row.day or EARLIEST)

    @cached_property
    def copies(self) -> NDArray[np.intp]:
        """Group number of each row; near copies share one."""
        return copy_groups([row.complaint for row in self.rows])

    def class_name(self, answer: str, code: str) -> str:
        if self.portal and answer == "unit":
            return self.portal.unit_name(code)
        if self.portal and answer == "category":
            return self.portal.category[code].name
        return REPORT_TYPES.get(code, code) if answer == "report_type" else code


def checked_data(table: Table, source: str, portal: Portal | None, today: date, progress: Progress) -> CheckedData:
    spelled: dict[tuple[str, str], str] = {}
    taught, faults = examples(table.rows, portal) if portal else ([], [])
    known = {example.where: example for example in taught}
    rows = []
    step = max(len(table.rows) // 20, 1)
    for number, row in enumerate(table.rows):
        if number % step == 0:
            progress("membersihkan teks", number, len(table.rows))
        complaint, masked = cleaned(row.complaint)
        moment = parse_moment(row.get("received_at"))
        example = known.get(row.where) if portal else _as_written(row, moment, spelled)
        rows.append(
            CheckedRow(
                where=row.where.removeprefix(f"{source} "),
                row=row,
                complaint=complaint,
                personal=tuple(dict.fromkeys(masking.item.kind for masking in masked)),
                words=normal_words(complaint.words),
                moment=moment,
                day=moment.date() if moment and EARLIEST <= moment.date() <= today else None,
                labels=_written(row, spelled) | (_named(example, portal) if example and portal else {}),
                example=example,
            )
        )
    progress("membersihkan teks", len(table.rows), len(table.rows))
    return CheckedData(source, rows, len(table.rows) + len(table.faults), portal, faults, today)


def _written(row: Row, spelled: dict[tuple[str, str], str]) -> dict[str, str]:
    """Labels by column; of spellings that differ in case and signs the first stands for all."""
    return {
        column: spelled.setdefault((column, folded(row.get(column))), row.get(column))
        for column in LABELS
        if row.get(column)
    }


def _named(example: Example, portal: Portal) -> dict[str, str]:
    found = dict(example.labels)
    found.pop("unit", None)
    if "agency" in found:
        found["agency"] = portal.agency[found["agency"]].name
    if "category" in found:
        found["category"] = portal.category[found["category"]].name
    return found


def _as_written(row: Row, moment: datetime | None, spelled: dict[tuple[str, str], str]) -> Example | None:
    """What would be learned if every label were known."""
    labels = _written(row, spelled)
    if not labels or not (row.get("text") or row.get("title")):
        return None
    if "agency" in labels:
        labels["unit"] = labels["agency"]
    return Example(row.where, row.get("id"), moment, row.get("channel"), row.complaint, labels)
