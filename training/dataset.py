"""Labelled complaints of a portal: labels as its closed-set codes, and every label it does not know."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Agency, Portal, folded
from training.reading import LABELS, Row, parse_moment, read_rows

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled complaint of a portal. `labels` maps `agency` (code), `unit`, `category`, `urgency` and
    `report_type` to closed-set codes; an answer without a label is missing."""

    where: str
    id: str
    received_at: datetime | None
    channel: str
    complaint: Complaint
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LabelFault:
    """A label the portal does not know."""

    where: str
    column: str
    value: str

    def __str__(self) -> str:
        return f"{self.where}, kolom {self.column}: {self.value!r} tidak dikenal portal"


def _report_type(label: str) -> str | None:
    name = folded(label)
    for code, full in REPORT_TYPES.items():
        if name in (code, folded(full)):
            return code
    return None


def _resolve_agency(row: Row, portal: Portal) -> Agency | None:
    return portal.find_agency(row.get("agency"))


def examples(rows: Sequence[Row], portal: Portal) -> tuple[list[Example], list[LabelFault]]:
    """Rows as labelled complaints of the portal, oldest first, and every label it does not know.

    A row with one unknown label still teaches its other answers; a row with no usable label or no text is
    left out.
    """
    found: list[Example] = []
    faults: list[LabelFault] = []
    for row in rows:
        labels: dict[str, str] = {}
        for column in LABELS:
            value = row.get(column)
            if not value:
                continue
            code: str | None = None
            if column == "agency":
                if agency := _resolve_agency(row, portal):
                    code = agency.code
                    labels["unit"] = agency.unit
            elif column == "category":
                category = portal.find_category(value)
                code = category.code if category and category in portal.leaves else None
            elif column == "urgency":
                code = folded(value) if folded(value) in URGENCY_LEVELS else None
            else:
                code = _report_type(value)
            if code is None:
                faults.append(LabelFault(row.where, column, value))
            else:
                labels[column] = code
        if labels and (row.get("text") or row.get("title")):
            found.append(
                Example(
                    where=row.where,
                    id=row.get("id"),
                    received_at=parse_moment(row.get("received_at")),
                    channel=row.get("channel"),
                    complaint=row.complaint,
                    labels=labels,
                )
            )
    found.sort(key=lambda example: (example.received_at or datetime.max, example.id))
    return found, faults


def load_examples(paths: Sequence[Path], portal: Portal) -> tuple[list[Example], list[LabelFault]]:
    """Examples of several files together.

    Raises:
        DatasetError: a file cannot be read, or no row holds a label that the portal knows.
    """
    rows = [row for path in paths for row in read_rows(path)]
    found, faults = examples(rows, portal)
    if not found:
        raise DatasetError(
            f"Tidak ada baris dengan label yang dikenal portal {portal.code}.",
            [str(f) for f in faults[:MOST_SHOWN]],
        )
    return found, faults
