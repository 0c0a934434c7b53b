"""Everything a portal can learn from: the data sets it sent, and what its people chose for suggestions."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import orjson
from sqlalchemy import Connection, and_, func, select

from service.database import datasets
from service.database.schema import dispositions, suggestions
from service.dataset_content import from_content
from training.reading import COLUMNS, LABELS, Row

_TOGETHER = 1_000
_FROM_COMPLAINT = tuple(column for column in COLUMNS if column not in ("id", *LABELS))


def learning_rows(connection: Connection, portal: str, dataset_ids: Sequence[str] = ()) -> list[Row]:
    """Rows of the data sets named, or of all, and of every disposition in force.

    Rows of one complaint, known by its id, are one row: what was said last counts, label by label.
    """
    rows: list[Row] = []
    places: dict[str, tuple[int, datetime]] = {}
    for row, moment in _sources(connection, portal, dataset_ids):
        place, before = places.get(row.get("id"), (len(rows), moment))
        if place == len(rows):
            rows.append(row)
        else:
            older, newer = (rows[place], row) if before <= moment else (row, rows[place])
            rows[place] = Row(newer.where, {**older.values, **newer.values})
        if row.get("id"):
            places[row.get("id")] = place, max(before, moment)
    return rows


def _sources(connection: Connection, portal: str, ids: Sequence[str]) -> Iterator[tuple[Row, datetime]]:
    """Each row, without its empty cells, and when it was said."""
    for dataset, content in datasets.contents(connection, portal, ids):
        for number, values in enumerate(from_content(content), 1):
            yield _row(f"{dataset.name} baris {number}", values), dataset.created_at
    yield from _disposed(connection, portal)


def _row(where: str, values: Mapping[str, object]) -> Row:
    return Row(where, {column: str(value) for column, value in values.items() if value not in (None, "")})


def _disposed(connection: Connection, portal: str) -> Iterator[tuple[Row, datetime]]:
    newest = (
        select(dispositions.c.suggestion_id, func.max(dispositions.c.sequence).label("sequence"))
        .where(dispositions.c.portal == portal, dispositions.c.undone.is_(False))
        .group_by(dispositions.c.suggestion_id)
        .subquery()
    )
    query = (
        select(
            suggestions.c.id.label("suggestion_id"),
            suggestions.c.external_id,
            suggestions.c.complaint,
            suggestions.c.created_at.label("asked_at"),
            dispositions.c.created_at,
            *(dispositions.c[label] for label in LABELS),
        )
        .join(suggestions, suggestions.c.id == dispositions.c.suggestion_id)
        .join(
            newest,
            and_(newest.c.suggestion_id == dispositions.c.suggestion_id, newest.c.sequence == dispositions.c.sequence),
        )
        .where(dispositions.c.portal == portal, suggestions.c.portal == portal)
        .order_by(dispositions.c.created_at, dispositions.c.id)
        .execution_options(yield_per=_TOGETHER)
    )
    for found in connection.execute(query).mappings():
        complaint = orjson.loads(found["complaint"])
        values = {column: complaint.get(column) for column in _FROM_COMPLAINT} | {
            "id": found["external_id"] or found["suggestion_id"],
            **{label: found[label] for label in LABELS},
        }
        values["received_at"] = values["received_at"] or found["asked_at"].isoformat()
        yield _row(f"disposisi {found['suggestion_id']}", values), found["created_at"]
