"""Reads one upload, as a process of its own: `python -m service.upload_reading FOLDER SUFFIX FILE OUT [PORTAL]`.

`FILE` and `OUT` are numbers of open files. The masked rows go to `OUT` as Parquet; what there is to say about them
goes to stdout as JSON.
"""

import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from router_model.cleaning import cleaned, readable
from router_model.errors import DatasetError, PortalError
from router_model.personal_data import mask_personal_data
from router_model.portal import load_portal
from service.database.datasets import as_content, fingerprint
from service.uploads import LONGEST_SECONDS, MOST_ROWS, Fault, UnknownLabel, UploadRefusedError, check_content, named
from service.wire import LONGEST_TEXT
from training.dataset import examples
from training.reading import COLUMNS, LABELS, Row, parse_moment, read_table

MOST_MEMORY = 4 << 30
"""Bytes of address space."""
LONGEST_CELL = 500
MOST_SHOWN = 100
_WORDS = ("title", "text", "address", "village", "district")


def masked_row(row: Row) -> Row:
    """A row as it may be kept: words cleaned and masked as for training, a moment and numbers or nothing. Its `id`
    stays as the portal wrote it, for the portal finds and erases by it."""
    complaint, _ = cleaned(row.complaint)
    values = {column: getattr(complaint, column) for column in _WORDS}
    values |= {column: _masked(row.get(column)) for column in ("channel", *LABELS)}
    values |= {column: _number(row.get(column)) for column in ("lat", "lon")}
    moment = parse_moment(row.get("received_at"))
    values["received_at"] = moment.isoformat() if moment else ""
    values["id"] = readable(row.get("id"))
    return Row(row.where, {column: values[column] for column in COLUMNS})


@lru_cache(10_000)
def _masked(cell: str) -> str:
    return mask_personal_data(readable(cell))[0]


def _number(cell: str) -> str:
    try:
        return str(float(cell.replace(",", ".")))
    except ValueError:
        return ""


def fault_of(row: Row) -> Fault | None:
    """Why nothing can be learned from a row."""
    if not (row.get("text") or row.get("title")):
        return Fault(row.where, "text", "Kosong; baris ini dilewati.")
    if not any(map(row.get, LABELS)):
        return Fault(row.where, "", f"Tidak ada label; isi salah satu dari {', '.join(LABELS)}.")
    for column, value in row.values.items():
        most = LONGEST_TEXT if column == "text" else LONGEST_CELL
        if len(value) > most:
            return Fault(row.where, column, f"Lebih dari {most} huruf; ringkas, lalu kirim ulang.")
    return None


def unknown_labels(rows: Iterable[Row], folder: Path) -> list[UnknownLabel] | None:
    """Labels that teach a portal nothing, of most rows first; `None` if the portal's folder cannot be used."""
    try:
        portal = load_portal(folder)
    except PortalError:
        return None
    _, faults = examples(list(rows), portal)
    counted = Counter(
        (fault.column, fault.value, str(fault).removeprefix(f"{fault.where}, kolom {fault.column}: "))
        for fault in faults
    )
    return [UnknownLabel(column, label, count, why) for (column, label, why), count in counted.most_common(MOST_SHOWN)]


def read(path: Path, suffix: str, out: int, portal: str) -> dict[str, Any]:
    """Raises `UploadRefusedError` or `DatasetError`."""
    check_content(path, suffix)
    table = read_table(path)
    if len(table.rows) > MOST_ROWS:
        raise UploadRefusedError(f"Paling banyak {MOST_ROWS} baris dalam satu berkas; berkas ini {len(table.rows)}.")
    faults = [Fault(fault.where, "", fault.message) for fault in table.faults]
    rows = []
    for row in map(masked_row, table.rows):
        if fault := fault_of(row):
            faults.append(fault)
        else:
            rows.append(row)
    if not rows:
        told = "\n".join(f"  - {fault.where}: {fault.message}" for fault in faults[:20])
        raise UploadRefusedError(f"Tidak ada satu baris pun yang dapat dipelajari.\n{told}")
    with os.fdopen(out, "wb") as file:
        file.write(as_content(row.values for row in rows))
    return {
        "rows": len(rows),
        "fingerprint": fingerprint(row.values for row in rows),
        "faulty": len(faults),
        "faults": [asdict(fault) for fault in faults[:MOST_SHOWN]],
        "unknown": _told(unknown_labels(rows, Path(portal)) if portal else None),
    }


def _told(labels: list[UnknownLabel] | None) -> list[Mapping[str, Any]] | None:
    return None if labels is None else [asdict(label) for label in labels]


def main(folder: str, suffix: str, file: str, out: str, portal: str) -> None:
    seconds = int(LONGEST_SECONDS) + 1
    for limit, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (most, most))
    with named(Path(folder), suffix, int(file)) as path:
        try:
            answer = read(path, suffix, int(out), portal)
        except (UploadRefusedError, DatasetError) as error:
            answer = {"refused": str(error).replace(f"{folder}/", "")}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
