"""How the rows of a data set are kept: one Parquet file, every known column a string.

Rows of a draft say in `WHERE` where they stood in the file they came from; that is also what a change names them by.
"""

import hashlib
import io
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import orjson
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from training.reading import COLUMNS, LABELS

WHERE = "where"
_TOGETHER = 4_096


def as_content(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    schema = pyarrow.schema([(column, pyarrow.string()) for column in columns])
    return _written(pyarrow.Table.from_pylist(list(rows), schema=schema))


def from_content(content: bytes) -> Iterator[dict[str, str]]:
    """Some thousand rows in memory at a time."""
    for batch in pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).iter_batches(_TOGETHER):
        yield from batch.to_pylist()


def fingerprint(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> str:
    """SHA-256 over the rows in their order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(orjson.dumps([row[column] for column in columns]))
    return digest.hexdigest()


def with_places(content: bytes) -> bytes:
    """The rows of a data set as those of a draft."""
    table = _read(content)
    places = pyarrow.array([f"baris {number}" for number in range(1, table.num_rows + 1)], pyarrow.string())
    return _written(table.append_column(WHERE, places))


def without(content: bytes, external_id: str) -> tuple[bytes, int]:
    """The rows that have another id, and how many there are; `content` itself if all have."""
    table = _read(content)
    kept = table.filter(pyarrow.compute.not_equal(table["id"], external_id))
    return (_written(kept) if kept.num_rows < table.num_rows else content), kept.num_rows


def mended(content: bytes, dropped: Collection[str], cells: Mapping[str, Mapping[str, str]]) -> tuple[bytes, int]:
    """The rows of a draft as a data set, and how many: without those `dropped`, with other `cells` (by column and
    place), and without those that have no label left."""
    kept = _mended(_read(content), dropped, cells).select(list(COLUMNS))
    return _written(kept), kept.num_rows


def rows_left(content: bytes, dropped: Collection[str], cells: Mapping[str, Mapping[str, str]]) -> int:
    """How many rows `mended` would give."""
    labels = {column: changed for column, changed in cells.items() if column in LABELS}
    return int(_mended(_read(content, [*LABELS, WHERE]), dropped, labels).num_rows)


def _mended(table: Any, dropped: Collection[str], cells: Mapping[str, Mapping[str, str]]) -> Any:
    for column, changed in cells.items():
        places = pyarrow.compute.index_in(table[WHERE], value_set=pyarrow.array(list(changed), pyarrow.string()))
        values = pyarrow.compute.take(pyarrow.array(list(changed.values()), pyarrow.string()), places)
        table = table.set_column(
            table.column_names.index(column), column, pyarrow.compute.coalesce(values, table[column])
        )
    stays = pyarrow.compute.invert(
        pyarrow.compute.is_in(table[WHERE], value_set=pyarrow.array(list(dropped), pyarrow.string()))
    )
    labelled = pyarrow.compute.binary_join_element_wise(*(table[column] for column in LABELS), "")
    return table.filter(pyarrow.compute.and_(stays, pyarrow.compute.not_equal(labelled, "")))


def period(content: bytes) -> tuple[str, str] | None:
    """The first and the last moment that a row came in, in ISO 8601; `None` if none says."""
    moments = _read(content, ["received_at"])["received_at"]
    dated = moments.filter(pyarrow.compute.not_equal(moments, ""))
    found = pyarrow.compute.min_max(dated).as_py()
    return (found["min"], found["max"]) if found["min"] else None


def labelled(content: bytes) -> dict[str, int]:
    """How many rows have a label of each column."""
    table = _read(content, list(LABELS))
    return {
        column: int(pyarrow.compute.sum(pyarrow.compute.not_equal(table[column], "")).as_py() or 0) for column in LABELS
    }


def _read(content: bytes, columns: Sequence[str] | None = None) -> Any:
    return pyarrow.parquet.read_table(pyarrow.BufferReader(content), columns=columns)


def _written(table: Any) -> bytes:
    file = io.BytesIO()
    pyarrow.parquet.write_table(table, file, compression="zstd")
    return file.getvalue()
