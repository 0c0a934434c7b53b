"""A portal's export fed back: where each complaint finally went, row by row."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import Connection

from router_model.portal import Portal
from service.choices import UnknownLabelError, chosen
from service.database import dispositions
from service.database.dispositions import IMPORT, Chosen, NoSuchSuggestionError
from service.deadline_counting import counting
from service.refusing import refuse, refusing_agency
from service.serving import Serving
from service.upload_reading import REFUSED_BY, WHERE, Fault

MOST_TOGETHER = 500
MOST_SHOWN = 100
"""How many rows are named of those that were left out."""


@dataclass
class Imported:
    """`refused` counts new refusals, `unmatched` rows about complaints that were never sent for a suggestion; `faults`
    names the first of the `faulty` rows, and labels that were left out of a row that was taken."""

    recorded: int = 0
    refused: int = 0
    unchanged: int = 0
    unmatched: int = 0
    unmatched_ids: list[str] = field(default_factory=list)
    faulty: int = 0
    faults: list[Fault] = field(default_factory=list)

    def add(self, other: "Imported") -> None:
        self.recorded += other.recorded
        self.refused += other.refused
        self.unchanged += other.unchanged
        self.unmatched += other.unmatched
        self.faulty += other.faulty
        self.unmatched_ids = (self.unmatched_ids + other.unmatched_ids)[:MOST_SHOWN]
        self.faults = (self.faults + other.faults)[:MOST_SHOWN]


def in_batches(rows: Iterable[Mapping[str, str]]) -> Iterator[tuple[Mapping[str, str], ...]]:
    """As many as one transaction takes, so that others get their turn."""
    source = iter(rows)
    while batch := tuple(islice(source, MOST_TOGETHER)):
        yield batch


def record_rows(connection: Connection, serving: Serving, rows: Iterable[Mapping[str, str]], who: str) -> Imported:
    """Keeps what is new and counts it. A row is found by its `id`, which is the complaint's `external_id`."""
    imported, portal = Imported(), serving.release.portal
    for row in rows:
        refused_by = _refused_by(portal, row, imported) if row[REFUSED_BY] else ""
        picked = _chosen(portal, row, imported) if row["agency"] else None
        if not refused_by and picked is None:
            imported.faulty += 1
            continue
        try:
            refused, recorded = _record(connection, serving, row["id"], refused_by, picked, who)
        except NoSuchSuggestionError:
            imported.unmatched += 1
            imported.unmatched_ids.append(row["id"])
        else:
            imported.refused += refused
            imported.recorded += recorded
            imported.unchanged += not (refused or recorded)
    return imported


def _record(
    connection: Connection, serving: Serving, number: str, refused_by: str, picked: Chosen | None, who: str
) -> tuple[bool, bool]:
    """Whether a refusal and a choice are new."""
    refused = recorded = False
    if refused_by:
        _, refused = refuse(connection, serving, refused_by, who=who, source=IMPORT, external_id=number)
    if picked:
        portal = serving.release.portal
        _, recorded = dispositions.record(
            connection, portal.code, picked, who=who, source=IMPORT, external_id=number, count=counting(portal)
        )
    return refused, recorded


def _refused_by(portal: Portal, row: Mapping[str, str], imported: Imported) -> str:
    try:
        return refusing_agency(portal, row[REFUSED_BY])
    except UnknownLabelError as error:
        imported.faults += [Fault(row[WHERE], column, why) for column, why in error.faults.items()]
        return ""


def _chosen(portal: Portal, row: Mapping[str, str], imported: Imported) -> Chosen | None:
    """Without the labels that the portal does not have; nothing where the agency is one of them."""
    labels = {name: row[name] or "" for name in ("agency", "category", "urgency", "report_type")}
    agency = portal.find_agency(labels["agency"])
    if agency and agency.code in portal.retired and (heir := portal.in_charge(agency)):
        labels["agency"] = heir.code
    try:
        return chosen(portal, **labels)
    except UnknownLabelError as error:
        imported.faults += [Fault(row[WHERE], column, why) for column, why in error.faults.items()]
        if "agency" in error.faults:
            return None
        return chosen(portal, **{name: label for name, label in labels.items() if name not in error.faults})
