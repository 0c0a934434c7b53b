"""How the rows of a data set are kept: one Parquet file, every known column a string."""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

import orjson
import pyarrow
import pyarrow.parquet

from training.reading import COLUMNS

_TOGETHER = 4_096


def as_content(rows: Iterable[Mapping[str, str]], columns: Sequence[str] = COLUMNS) -> bytes:
    file, schema = io.BytesIO(), pyarrow.schema([(column, pyarrow.string()) for column in columns])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(list(rows), schema=schema), file, compression="zstd")
    return file.getvalue()


def from_content(content: bytes) -> Iterator[dict[str, str]]:
    """Some thousand rows in memory at a time."""
    for batch in pyarrow.parquet.ParquetFile(pyarrow.BufferReader(content)).iter_batches(_TOGETHER):
        yield from batch.to_pylist()


def fingerprint(rows: Iterable[Mapping[str, str]]) -> str:
    """SHA-256 over the rows in their order."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(orjson.dumps([row[column] for column in COLUMNS]))
    return digest.hexdigest()
