"""Labelled complaints of a portal: labels as its closed-set codes, and every label that could not be used.

A label of history names a body of its time; it becomes the body that has the matter today, see
`router_model.succession`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Literal

from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Agency, Portal, folded
from router_model.succession import Succession
from training.name_similarity import NearestNames
from training.reading import LABELS, Row, parse_moment, read_rows

MOST_SHOWN = 20
FaultKind = Literal["unknown", "branch", "retired", "split"]
MappingRule = Literal["alias", "succession", "split"]
_FAULTS: dict[FaultKind, str] = {
    "unknown": "tidak dikenal portal",
    "branch": "kategori induk; tulis salah satu kategori ujungnya",
    "retired": "sudah tidak berlaku dan penerusnya tidak ada di successions.csv; harus dipilih petugas",
    "split": "sudah dipecah dan successions.csv tidak menyebut kategori baris ini; harus dipilih petugas",
}


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
    """A label that teaches nothing: unknown, a main branch, or of a body that ended and whose heir is not known.

    `nearest` is the name of the known label that was probably meant, "" if none is close.
    """

    where: str
    column: str
    value: str
    kind: FaultKind = "unknown"
    nearest: str = ""

    def __str__(self) -> str:
        hint = f"; mungkin maksudnya {self.nearest!r}" if self.nearest else ""
        return f"{self.where}, kolom {self.column}: {self.value!r} {_FAULTS[self.kind]}{hint}"


@dataclass(frozen=True, slots=True)
class LabelMapping:
    """A label that is learned under another name: as written, the code found, the code of the body in charge today.

    `rule` is "alias" (another spelling of that body), "succession" (all its matters went on) or "split" (those of
    the row's category did). `count` rows, received from `first` to `last` (`None`: no row has a date).
    """

    label: str
    agency: str
    successor: str
    rule: MappingRule
    count: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class _Charge:
    """The agency a label names, the successions from there, and the body that has the matter today."""

    agency: Agency
    path: tuple[Succession, ...]
    heir: Agency


def _charge(row: Row, received_at: datetime | None, portal: Portal) -> _Charge | FaultKind:
    agency = portal.find_agency(row.get("agency"))
    if agency is None:
        return "unknown"
    category = portal.find_category(row.get("category"))
    path = portal.handovers(agency, category.code if category else "", received_at.date() if received_at else None)
    heir = portal.agency[path[-1].successor] if path else agency
    if heir.code in portal.retired:
        return "split" if any(rule.agency == heir.code for rule in portal.successions) else "retired"
    return _Charge(agency, path, heir)


def _report_type(label: str) -> str | None:
    name = folded(label)
    for code, full in REPORT_TYPES.items():
        if name in (code, folded(full)):
            return code
    return None


def _codes(row: Row, column: str, received_at: datetime | None, portal: Portal) -> dict[str, str] | FaultKind:
    """The closed-set codes that a row's label of a column teaches."""
    value = row.get(column)
    if column == "agency":
        charge = _charge(row, received_at, portal)
        return {"agency": charge.heir.code, "unit": charge.heir.unit} if isinstance(charge, _Charge) else charge
    if column == "category":
        category = portal.find_category(value)
        if category is None:
            return "unknown"
        return {column: category.code} if category.code in portal.leaf else "branch"
    if column == "urgency":
        return {column: folded(value)} if folded(value) in URGENCY_LEVELS else "unknown"
    code = _report_type(value)
    return {column: code} if code else "unknown"


def known_labels(column: str, portal: Portal) -> dict[str, str]:
    """Every label of a column with the name of what it stands for."""
    if column == "agency":
        names = [(a.name, label) for a in portal.agencies for label in (*a.aliases, a.short_name, a.name)]
        return {label: name for name, label in names}
    if column == "category":
        return {leaf.name: leaf.name for leaf in portal.leaves}
    return {name: name for name in (URGENCY_LEVELS if column == "urgency" else REPORT_TYPES.values())}


def examples(rows: Sequence[Row], portal: Portal) -> tuple[list[Example], list[LabelFault]]:
    """Rows as labelled complaints of the portal, oldest first, and every label that teaches nothing.

    A row with one unknown label still teaches its other answers; a row with no usable label or no text is
    left out. An agency is the body in charge today, see `label_mappings`.
    """
    found: list[Example] = []
    faults: list[LabelFault] = []

    @cache
    def nearest(column: str) -> NearestNames:
        return NearestNames(known_labels(column, portal))

    for row in rows:
        labels: dict[str, str] = {}
        received_at = parse_moment(row.get("received_at"))
        for column in filter(row.get, LABELS):
            codes = _codes(row, column, received_at, portal)
            if isinstance(codes, dict):
                labels |= codes
            else:
                value = row.get(column)
                near = nearest(column).of(value) if codes == "unknown" else ""
                faults.append(LabelFault(row.where, column, value, codes, near))
        if labels and (row.get("text") or row.get("title")):
            found.append(
                Example(
                    where=row.where,
                    id=row.get("id"),
                    received_at=received_at,
                    channel=row.get("channel"),
                    complaint=row.complaint,
                    labels=labels,
                )
            )
    found.sort(key=lambda example: (example.received_at or datetime.max, example.id))
    return found, faults


def label_mappings(rows: Sequence[Row], portal: Portal) -> list[LabelMapping]:
    """What `examples` learns under another name than a row's agency label has, most rows first."""
    groups: dict[tuple[str, str, str, MappingRule], list[date | None]] = defaultdict(list)
    for row in rows:
        label = row.get("agency")
        received_at = parse_moment(row.get("received_at"))
        charge = _charge(row, received_at, portal) if label else "unknown"
        if isinstance(charge, _Charge) and (charge.path or folded(label) != folded(charge.agency.name)):
            key = (label, charge.agency.code, charge.heir.code, _rule(charge))
            groups[key].append(received_at.date() if received_at else None)
    found = []
    for key, days in groups.items():
        known = [day for day in days if day]
        found.append(LabelMapping(*key, len(days), min(known, default=None), max(known, default=None)))
    return sorted(found, key=lambda mapping: (-mapping.count, mapping.label, mapping.successor))


def _rule(charge: _Charge) -> MappingRule:
    if not charge.path:
        return "alias"
    return "split" if any(rule.categories for rule in charge.path) else "succession"


def load_examples(
    paths: Sequence[Path], portal: Portal, columns: Mapping[str, str] | None = None
) -> tuple[list[Example], list[LabelFault]]:
    """Examples of several files together; `columns` maps headers as `read_rows` does.

    Raises:
        DatasetError: a file cannot be read, or no row holds a label that the portal knows.
    """
    rows = [row for path in paths for row in read_rows(path, columns)]
    found, faults = examples(rows, portal)
    if not found:
        raise DatasetError(
            f"Tidak ada baris dengan label yang dikenal portal {portal.code}.",
            [str(f) for f in faults[:MOST_SHOWN]],
        )
    return found, faults
