"""Labelled data that portals sent, masked, each data set as the bytes of one Parquet file.

A data set can be replaced by another version of it. Those that were point to the one that took their place, and of
all that hang together so, the one at the end of the chain is in use; if that was removed, none is.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from router_model.errors import AduanError
from service.database import audit
from service.database.schema import datasets
from service.dataset_content import without

_NAMES = ("id", "portal", "name", "rows", "fingerprint", "created_at", "created_by", "version", "replaced_by")
_SHOWN = [datasets.c[name] for name in _NAMES]


class NoDatasetError(AduanError):
    """No such data sets of this portal."""

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(f"Kumpulan data ini tidak ada pada portal Anda: {', '.join(ids[:20])}")


class DatasetReplacedError(AduanError):
    """Only the version in use can be replaced, or the order of versions would be lost."""

    def __init__(self) -> None:
        super().__init__("Versi ini sudah digantikan versi lain. Buka versi yang dipakai, lalu ulangi dari sana.")


@dataclass(frozen=True, slots=True)
class Dataset:
    id: str
    portal: str
    name: str
    rows: int
    fingerprint: str
    created_at: datetime
    created_by: str
    version: int
    replaced_by: str | None

    @property
    def in_use(self) -> bool:
        return self.replaced_by is None


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


def replace(connection: Connection, portal: str, old_id: str, new_id: str, by: str) -> None:
    """Puts a data set that stands alone in the place of one that is in use.

    Raises:
        NoDatasetError: one of them is not there.
        DatasetReplacedError: the old one is in use no more.
    """
    known = kept(connection, portal)
    old, _ = _found(known, old_id), _found(known, new_id)
    version = max(dataset.version for dataset in versions(known, old)) + 1
    _point(connection, portal, old_id, new_id)
    connection.execute(
        update(datasets).where(datasets.c.portal == portal, datasets.c.id == new_id).values(version=version)
    )
    detail = {"by": new_id, "version": version}
    audit.record(connection, portal=portal, who=by, action="dataset.replace", subject=old_id, detail=detail)


def use_again(connection: Connection, portal: str, dataset_id: str, by: str) -> None:
    """Takes an older version back into use; the one in use becomes the one that was replaced.

    Raises:
        NoDatasetError: it is not there.
    """
    known = kept(connection, portal)
    wanted = _found(known, dataset_id)
    if wanted.in_use:
        return
    current = next((dataset for dataset in versions(known, wanted) if dataset.in_use), None)
    mine = datasets.c.portal == portal, datasets.c.id == dataset_id
    connection.execute(update(datasets).where(*mine).values(replaced_by=None))
    if current:
        _point(connection, portal, current.id, dataset_id)
    else:
        removed = _end(known, wanted)
        others = datasets.c.portal == portal, datasets.c.replaced_by == removed
        connection.execute(update(datasets).where(*others).values(replaced_by=dataset_id))
    detail = {"instead_of": current.id if current else None, "version": wanted.version}
    audit.record(connection, portal=portal, who=by, action="dataset.use_again", subject=dataset_id, detail=detail)


def _point(connection: Connection, portal: str, old_id: str, new_id: str) -> None:
    pointed = connection.execute(
        update(datasets)
        .where(datasets.c.portal == portal, datasets.c.id == old_id, datasets.c.replaced_by.is_(None))
        .values(replaced_by=new_id)
    ).rowcount
    if not pointed:
        raise DatasetReplacedError


def _found(known: Iterable[Dataset], dataset_id: str) -> Dataset:
    for dataset in known:
        if dataset.id == dataset_id:
            return dataset
    raise NoDatasetError([dataset_id])


def _end(known: Sequence[Dataset], dataset: Dataset) -> str:
    """The id at the end of the chain: of the version in use, or of one that was removed."""
    following = {one.id: one.replaced_by for one in known}
    found = dataset.id
    while after := following.get(found):
        found = after
    return found


def versions(known: Sequence[Dataset], dataset: Dataset) -> list[Dataset]:
    """Of the data sets of a portal those that are versions of one, that one included, newest first."""
    end = _end(known, dataset)
    return sorted(
        (one for one in known if _end(known, one) == end), key=lambda one: (one.version, one.created_at), reverse=True
    )


def kept(connection: Connection, portal: str) -> list[Dataset]:
    """All data sets, also those that were replaced, oldest first."""
    query = select(*_SHOWN).where(datasets.c.portal == portal).order_by(datasets.c.created_at, datasets.c.id)
    return [Dataset(**row) for row in connection.execute(query).mappings()]


def every(connection: Connection, portal: str) -> list[Dataset]:
    """The data sets in use, oldest first."""
    return [dataset for dataset in kept(connection, portal) if dataset.in_use]


def one(connection: Connection, portal: str, dataset_id: str) -> Dataset:
    """Raises `NoDatasetError`."""
    return _found(kept(connection, portal), dataset_id)


def content(connection: Connection, portal: str, dataset_id: str) -> bytes:
    """Raises `NoDatasetError`."""
    query = select(datasets.c.content).where(datasets.c.portal == portal, datasets.c.id == dataset_id)
    found = connection.execute(query).scalar_one_or_none()
    if found is None:
        raise NoDatasetError([dataset_id])
    return bytes(found)


def contents(connection: Connection, portal: str, ids: Sequence[str] = ()) -> Iterator[tuple[Dataset, bytes]]:
    """Of the data sets in use those named, or all of them, oldest first, one in memory at a time."""
    for found in every(connection, portal):
        if not ids or found.id in ids:
            yield found, content(connection, portal, found.id)


def remove(connection: Connection, portal: str, dataset_id: str, by: str) -> None:
    """Those that it had replaced stay out of use, unless another one has taken its own place.

    Raises:
        NoDatasetError: it is not there.
    """
    removed = one(connection, portal, dataset_id)
    if removed.replaced_by:
        before = datasets.c.portal == portal, datasets.c.replaced_by == dataset_id
        connection.execute(update(datasets).where(*before).values(replaced_by=removed.replaced_by))
    connection.execute(delete(datasets).where(datasets.c.portal == portal, datasets.c.id == dataset_id))
    audit.record(connection, portal=portal, who=by, action="dataset.remove", subject=dataset_id)


def remove_rows(connection: Connection, portal: str, external_id: str) -> int:
    """Takes the rows with this id out of every data set of a portal, also of those replaced; how many there were."""
    removed = 0
    for found in kept(connection, portal):
        before = content(connection, portal, found.id)
        after, rows = without(before, external_id)
        if after is not before:
            removed += found.rows - rows
            connection.execute(update(datasets).where(datasets.c.id == found.id).values(rows=rows, content=after))
    return removed
