"""Labelled data that portals sent, masked, each data set as the bytes of one Parquet file."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from router_model.errors import AduanError
from service.database import audit
from service.database.schema import datasets
from service.dataset_content import as_content, from_content

_SHOWN = [datasets.c[name] for name in ("id", "portal", "name", "rows", "created_at", "created_by")]


class NoDatasetError(AduanError):
    """No such data sets of this portal."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"Kumpulan data ini tidak ada pada portal Anda: {', '.join(ids[:20])}")


@dataclass(frozen=True, slots=True)
class Dataset:
    id: str
    portal: str
    name: str
    rows: int
    created_at: datetime
    created_by: str


def add(
    connection: Connection, *, portal: str, name: str, content: bytes, rows: int, fingerprint: str, by: str
) -> tuple[Dataset, bool]:
    """Keeps a data set, and says whether it is new: the same rows again are the data set they were, and do not
    bring back what was erased from it since."""
    row = {
        "id": f"ds_{secrets.token_urlsafe(12)}",
        "portal": portal,
        "name": name,
        "rows": rows,
        "fingerprint": fingerprint,
        "content": content,
        "created_at": datetime.now(UTC),
        "created_by": by,
    }
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(datasets).values(row).on_conflict_do_nothing())
    query = select(*_SHOWN).where(datasets.c.portal == portal, datasets.c.fingerprint == fingerprint)
    kept = Dataset(**connection.execute(query).mappings().one())
    new = kept.id == row["id"]
    if new:
        audit.record(connection, portal=portal, who=by, action="dataset.add", subject=kept.id, detail={"rows": rows})
    return kept, new


def every(connection: Connection, portal: str) -> list[Dataset]:
    """Oldest first."""
    query = select(*_SHOWN).where(datasets.c.portal == portal).order_by(datasets.c.created_at, datasets.c.id)
    return [Dataset(**row) for row in connection.execute(query).mappings()]


def contents(connection: Connection, portal: str, ids: Sequence[str] = ()) -> Iterator[tuple[Dataset, bytes]]:
    """The data sets named, or all of them, oldest first, one in memory at a time."""
    for found in every(connection, portal):
        if not ids or found.id in ids:
            query = select(datasets.c.content).where(datasets.c.id == found.id)
            yield found, connection.execute(query).scalar_one()


def remove(connection: Connection, portal: str, dataset_id: str, by: str) -> None:
    """Raises `NoDatasetError`."""
    removed = connection.execute(
        delete(datasets).where(datasets.c.portal == portal, datasets.c.id == dataset_id)
    ).rowcount
    if not removed:
        raise NoDatasetError([dataset_id])
    audit.record(connection, portal=portal, who=by, action="dataset.remove", subject=dataset_id)


def remove_rows(connection: Connection, portal: str, external_id: str) -> int:
    """Takes the rows with this id out of every data set of a portal; how many there were."""
    removed = 0
    for found, content in contents(connection, portal):
        rows = list(from_content(content))
        kept = [row for row in rows if row["id"] != external_id]
        if len(kept) < len(rows):
            removed += len(rows) - len(kept)
            connection.execute(
                update(datasets).where(datasets.c.id == found.id).values(rows=len(kept), content=as_content(kept))
            )
    return removed
