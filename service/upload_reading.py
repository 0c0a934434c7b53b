"""Reads one upload, as a process of its own: `python -m service.upload_reading TASK`.

The task is JSON: `file` and `out` are numbers of open files, `portal` is a portal's folder or "", `purpose` is
`LEARN` or `DISPOSE`. The masked rows go to `out` as Parquet, those to dispose of with where they stood; what there
is to say about them goes to stdout as JSON.
"""

import json
import os
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from router_model.cleaning import cleaned, readable
from router_model.errors import DatasetError, PortalError
from router_model.personal_data import mask_personal_data
from router_model.portal import load_portal
from service.dataset_content import as_content, fingerprint
from service.upload_checks import MOST_ROWS, UploadRefusedError, check_content
from training.dataset import examples
from training.reading import COLUMNS, LABELS, Row, parse_moment, read_table

MOST_MEMORY = 3 << 30
"""Bytes of address space."""
LONGEST_CELL = 500
MOST_SHOWN = 100
LEARN, DISPOSE = "learn", "dispose"
WHERE = "where"
_WORDS = ("title", "text", "address", "village", "district")


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is left out, and what to do about it; `column` is "" where it is about the whole row."""

    where: str
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class UnknownLabel:
    """A label of so many rows that teaches nothing, and why."""

    column: str
    label: str
    rows: int
    message: str


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


def fault_of(row: Row, longest_text: int) -> Fault | None:
    """Why nothing can be learned from a row."""
    if not (row.get("text") or row.get("title")):
        return Fault(row.where, "text", "Kosong; baris ini dilewati.")
    if not any(map(row.get, LABELS)):
        return Fault(row.where, "", f"Tidak ada label; isi salah satu dari {', '.join(LABELS)}.")
    for column, value in row.values.items():
        most = longest_text if column == "text" else LONGEST_CELL
        if len(value) > most:
            return Fault(row.where, column, f"Lebih dari {most} huruf; ringkas, lalu kirim ulang.")
    return None


def undisposed(row: Row) -> Fault | None:
    """Why a row says of no complaint where it went."""
    if not row.get("id"):
        return Fault(row.where, "id", "Kosong; isi nomor laporan yang dipakai sebagai external_id.")
    if not row.get("agency"):
        return Fault(row.where, "agency", "Kosong; laporan ini belum didisposisikan.")
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


def read(path: Path, suffix: str, out: int, portal: str, longest_text: int, purpose: str) -> dict[str, Any]:
    """Raises `UploadRefusedError` or `DatasetError`."""
    check_content(path, suffix)
    table = read_table(path, needed="text" if purpose == LEARN else "agency")
    if len(table.rows) > MOST_ROWS:
        raise UploadRefusedError(f"Paling banyak {MOST_ROWS} baris dalam satu berkas; berkas ini {len(table.rows)}.")
    faults = [Fault(fault.where, "", fault.message) for fault in table.faults]
    rows = []
    for row in map(masked_row, table.rows):
        if fault := fault_of(row, longest_text) if purpose == LEARN else undisposed(row):
            faults.append(fault)
        else:
            rows.append(row)
    if not rows:
        told = "\n".join(f"  - {fault.where}: {fault.message}" for fault in faults[:20])
        raise UploadRefusedError(f"Tidak ada satu baris pun yang dapat dipakai.\n{told}")
    columns = COLUMNS if purpose == LEARN else (*COLUMNS, WHERE)
    with os.fdopen(out, "wb") as file:
        file.write(as_content(({**row.values, WHERE: row.where} for row in rows), columns))
    return {
        "rows": len(rows),
        "fingerprint": fingerprint(row.values for row in rows),
        "faulty": len(faults),
        "faults": [asdict(fault) for fault in faults[:MOST_SHOWN]],
        "unknown": _told(unknown_labels(rows, Path(portal)) if portal and purpose == LEARN else None),
    }


def _told(labels: list[UnknownLabel] | None) -> list[Mapping[str, Any]] | None:
    return None if labels is None else [asdict(label) for label in labels]


@contextmanager
def named(folder: Path, suffix: str, descriptor: int) -> Iterator[Path]:
    """An open file under a name with an ending, as long as it is needed."""
    path = folder / f"berkas{suffix}"
    path.symlink_to(f"/dev/fd/{descriptor}")
    try:
        yield path
    finally:
        path.unlink()


def main(task: Mapping[str, Any]) -> None:
    # Requests come first.
    os.nice(10)
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, task["seconds"] + 1),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    with named(Path(task["folder"]), task["suffix"], task["file"]) as path:
        try:
            answer = read(path, task["suffix"], task["out"], task["portal"], task["longest_text"], task["purpose"])
        except (UploadRefusedError, DatasetError) as error:
            answer = {"refused": str(error).replace(f"{task['folder']}/", "")}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
