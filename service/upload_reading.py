"""Reads one upload, as a process of its own: `python -m service.upload_reading TASK`.

The task is JSON: `file` and `out` are numbers of open files, `portal` is a portal's folder or "", `columns` maps
headers as `training.reading` does, and `purpose` says what is done: `LEARN`, `DISPOSE` and `DRAFT` read all rows,
`LOOK` only tells of the columns, as `DRAFT` does of a file without a column that it needs. The masked rows go to `out`
as Parquet, with where they stood but for `LEARN`; what there is to say about them goes to stdout as JSON.
"""

import codecs
import json
import os
import re
import resource
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from router_model.cleaning import cleaned, readable
from router_model.errors import DatasetError, PortalError
from router_model.personal_data import mask_personal_data
from router_model.portal import folded, load_portal
from service.dataset_content import WHERE as WHERE
from service.dataset_content import as_content, fingerprint
from service.upload_checks import KINDS, MOST_ROWS, UploadRefusedError, check_content
from training.column_mapping import SampledColumn, proposed_columns, sampled_columns
from training.dataset import examples
from training.reading import COLUMNS, KNOWN_HEADERS, LABELS, NEVER_READ, Row, parse_moment, read_table

MOST_MEMORY = 3 << 30
"""Bytes of address space."""
LONGEST_CELL = 500
MOST_SHOWN = 100
LEARN, DISPOSE, DRAFT, LOOK = "learn", "dispose", "draft", "look"
REFUSED_BY = "refused_by"
"""A column of dispositions: the agency that said a complaint is not its matter."""
STATUS, SET_ASIDE = "status", "set_aside"
REFUSAL_HEADERS = {"refused by": REFUSED_BY, "status laporan": STATUS, "alasan tunda arsip": SET_ASIDE}
_NOT_THEIRS = re.compile(r"\b(?:bukan|di luar|diluar) (?:wewenang|kewenangan)\b")
LONGEST_HEADER, LONGEST_SHOWN, CELLS_SHOWN = 100, 90, 3
_NOT_IN_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
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


@dataclass(frozen=True, slots=True)
class ColumnLook:
    """A column as it is shown to whoever maps it: the column it seems to mean ("" for none), and why; `closed` to
    data of persons and later answers, of which no cell is shown; `never` may not be read at all."""

    header: str
    column: str
    reason: str
    closed: bool
    never: bool
    cells: tuple[str, ...]


def masked_row(row: Row, masked_kinds: Counter[str]) -> Row:
    """A row as it may be kept: words cleaned and masked as for training, a moment and numbers or nothing. Its `id`
    stays as the portal wrote it, for the portal finds and erases by it. Each kind of what was masked is counted."""
    complaint, found = cleaned(row.complaint)
    masked_kinds.update({masking.item.kind for masking in found})
    values = {column: getattr(complaint, column) for column in _WORDS}
    values |= {column: _masked(row.get(column)) for column in ("channel", *LABELS)}
    values |= {column: _number(row.get(column)) for column in ("lat", "lon")}
    moment = parse_moment(row.get("received_at"))
    values["received_at"] = moment.isoformat() if moment else ""
    values["id"] = readable(row.get("id"))
    return Row(row.where, {column: values[column] for column in COLUMNS})


def disposed_row(row: Row, masked_kinds: Counter[str]) -> Row:
    """A row of dispositions as it may be kept. Where a LAPOR! export says that the matter is not the agency's, it went
    nowhere: the agency is the one that refused."""
    values = {**masked_row(row, masked_kinds).values, REFUSED_BY: _masked(row.get(REFUSED_BY))}
    if any(_NOT_THEIRS.search(folded(row.get(column))) for column in (STATUS, SET_ASIDE)):
        values |= {REFUSED_BY: values["agency"], "agency": ""}
    return Row(row.where, values)


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
    if not (row.get("agency") or row.get(REFUSED_BY)):
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


def look(path: Path) -> list[ColumnLook]:
    """The columns of a file, each with the first of its cells, masked; a header that stands twice is shown once."""
    columns = sampled_columns(path)
    proposed = {item.header: item for item in proposed_columns(columns)}
    found: dict[str, ColumnLook] = {}
    for column in columns:
        item, name = proposed.get(column.header), folded(column.header)
        if name and len(column.header) <= LONGEST_HEADER:
            meant, reason = (item.column, item.reason) if item else ("", "")
            never = name in NEVER_READ
            looks = ColumnLook(column.header, meant, reason, column.closed, never, _shown(column))
            found.setdefault(name, looks)
    return list(found.values())


def _shown(column: SampledColumn) -> tuple[str, ...]:
    if column.closed:
        return ()
    lines = dict.fromkeys(" ".join(_masked(cell).split()) for cell in column.cells)
    return tuple(
        line if len(line) <= LONGEST_SHOWN else f"{line[:LONGEST_SHOWN].rstrip()} …"
        for line in islice(lines, CELLS_SHOWN)
    )


def _understood(columns: Iterable[ColumnLook]) -> bool:
    """Whether names alone tell where the complaints and their labels are."""
    known = {KNOWN_HEADERS.get(folded(column.header), "") for column in columns}
    return "text" in known and not known.isdisjoint(LABELS)


def read(
    path: Path, suffix: str, out: int, portal: str, longest_text: int, purpose: str, columns: Mapping[str, str]
) -> dict[str, Any]:
    """Raises `UploadRefusedError` or `DatasetError`."""
    check_content(path, suffix)
    if purpose == LOOK or (purpose == DRAFT and not columns):
        looks = look(path)
        if purpose == LOOK or not _understood(looks):
            return {"columns": [asdict(column) for column in looks]}
    disposing = purpose == DISPOSE
    table = read_table(
        path, columns, needed="agency" if disposing else "text", also=REFUSAL_HEADERS if disposing else None
    )
    if len(table.rows) > MOST_ROWS:
        raise UploadRefusedError(f"Paling banyak {MOST_ROWS} baris dalam satu berkas; berkas ini {len(table.rows)}.")
    faults = [Fault(fault.where, "", fault.message) for fault in table.faults]
    rows = []
    masked_kinds: Counter[str] = Counter()
    as_kept = disposed_row if disposing else masked_row
    for row in (as_kept(row, masked_kinds) for row in table.rows):
        if fault := undisposed(row) if disposing else fault_of(row, longest_text):
            faults.append(fault)
        else:
            rows.append(row)
    if not rows:
        told = "\n".join(f"  - {fault.where}: {fault.message}" for fault in faults[:20])
        raise UploadRefusedError(f"Tidak ada satu baris pun yang dapat dipakai.\n{told}")
    compared = (*COLUMNS, REFUSED_BY) if disposing else COLUMNS
    kept = COLUMNS if purpose == LEARN else (*compared, WHERE)
    with os.fdopen(out, "wb") as file:
        file.write(as_content(({**row.values, WHERE: _place(row.where, path, purpose)} for row in rows), kept))
    return {
        "rows": len(rows),
        "fingerprint": fingerprint((row.values for row in rows), compared),
        "faulty": len(faults),
        "faults": [asdict(fault) | {"where": _place(fault.where, path, purpose)} for fault in faults[:MOST_SHOWN]],
        "masked": masked_kinds,
        "unknown": _told(unknown_labels(rows, Path(portal)) if portal and purpose == LEARN else None),
    }


def _place(where: str, path: Path, purpose: str) -> str:
    """Whoever looks at a draft knows the file by another name."""
    return where.removeprefix(f"{path.name} ") if purpose == DRAFT else where


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


@contextmanager
def as_utf8(descriptor: int, suffix: str) -> Iterator[tuple[int, str]]:
    """An open file of text in UTF-8, and the encoding it had; "" for one that needs nothing or cannot be helped."""
    with open(descriptor, "rb", closefd=False) as file:
        file.seek(0)
        content = file.read() if KINDS[suffix] == "teks" else b""
        file.seek(0)
    encoding = _other_encoding(content)
    if not encoding:
        yield descriptor, ""
        return
    with tempfile.TemporaryFile() as converted:
        converted.write(content.decode(encoding).encode())
        converted.flush()
        yield converted.fileno(), encoding


def _other_encoding(content: bytes) -> str:
    """How text that is not UTF-8 seems to be encoded; every byte is some letter in Windows-1252, but no text holds
    control characters."""
    for encoding in ("utf-8", "utf-16" if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return "" if encoding == "utf-8" or _NOT_IN_TEXT.search(text) else encoding
    return ""


def main(task: Mapping[str, Any]) -> None:
    # Requests come first.
    os.nice(10)
    for limit, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_CPU, task["seconds"] + 1),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    suffix, people = task["suffix"], task["purpose"] in (DRAFT, LOOK)
    # Only people see in a preview whether the letters came out right.
    with as_utf8(task["file"], suffix) if people else nullcontext((task["file"], "")) as (file, encoding):
        answer = _answer(task, file)
    sys.stdout.write(json.dumps({"encoding": encoding, **answer}))


def _answer(task: Mapping[str, Any], file: int) -> dict[str, Any]:
    wanted = {name: task[name] for name in ("suffix", "out", "portal", "longest_text", "purpose", "columns")}
    with named(Path(task["folder"]), task["suffix"], file) as path:
        try:
            return read(path, **wanted)
        except (UploadRefusedError, DatasetError) as error:
            return {"refused": str(error).replace(f"{task['folder']}/", "")}


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
