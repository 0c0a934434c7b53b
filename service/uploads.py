"""Files that portals send: held to what they must be before anything is read from them, and read in a process of
their own, which may take only so long and so much."""

import asyncio
import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from service.upload_checks import EXPECTED, KINDS, UploadRefusedError
from service.upload_reading import LEARN, LOOK, ColumnLook, Fault, UnknownLabel
from service.wire import LONGEST_TEXT

LONGEST_SECONDS = 240.0


_READERS = ThreadPoolExecutor(2, "upload")
"""Each has a process that may take much memory, so there are few, and they keep nobody else waiting."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a file holds, masked: `content` is Parquet with the rows that can be learned from, `faults` are the
    first of `faulty` rows left out, `masked` counts rows by what was masked in them. `unknown` is `None` where there
    was no portal to hold the labels to. `encoding` is what a text was read as, "" for UTF-8."""

    content: bytes
    rows: int
    fingerprint: str
    faulty: int
    faults: Sequence[Fault]
    unknown: Sequence[UnknownLabel] | None
    masked: Mapping[str, int] = field(default_factory=dict)
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """The columns of a file, for a person to say what they mean."""

    columns: Sequence[ColumnLook]
    encoding: str = ""


class UnknownHeadersError(UploadRefusedError):
    """A file whose headers do not tell where the complaints or their labels are; `look` helps to map them."""

    def __init__(self, look: Look) -> None:
        super().__init__("Judul kolom berkas ini belum dikenal. Tentukan arti tiap kolom.")
        self.look = look


def read_upload(
    file: IO[bytes],
    name: str,
    portal_folder: Path | None = None,
    seconds: float = LONGEST_SECONDS,
    purpose: str = LEARN,
    columns: Mapping[str, str] | None = None,
) -> Upload:
    """Reads a file in a process of its own. `file` is a real one; of `name` only the ending counts. What a row must
    hold depends on the purpose, `LEARN`, `DISPOSE` or `DRAFT`; `columns` maps headers, see `read_table`.

    Raises:
        UploadRefusedError: the file is not what it should be, or takes too long or too much memory to read.
        UnknownHeadersError: a draft's columns have to be mapped.
    """
    found, content = _read_aside(file, name, portal_folder, seconds, purpose, columns or {})
    if "columns" in found:
        raise UnknownHeadersError(_look(found))
    return Upload(
        content=content,
        rows=found["rows"],
        fingerprint=found["fingerprint"],
        faulty=found["faulty"],
        faults=[Fault(**fault) for fault in found["faults"]],
        unknown=None if found["unknown"] is None else [UnknownLabel(**label) for label in found["unknown"]],
        masked=found["masked"],
        encoding=found["encoding"],
    )


def look_at(file: IO[bytes], name: str) -> Look:
    """The columns of a file, read as by `read_upload`. Raises `UploadRefusedError`."""
    return _look(_read_aside(file, name, None, LONGEST_SECONDS, LOOK, {})[0])


def _look(found: Mapping[str, Any]) -> Look:
    columns = [ColumnLook(**{**column, "cells": tuple(column["cells"])}) for column in found["columns"]]
    return Look(columns, found["encoding"])


def _read_aside(
    file: IO[bytes],
    name: str,
    portal_folder: Path | None,
    seconds: float,
    purpose: str,
    columns: Mapping[str, str],
) -> tuple[Mapping[str, Any], bytes]:
    """What there is to say of a file, and its rows. Raises `UploadRefusedError`."""
    suffix = PurePosixPath(name).suffix.casefold()
    if suffix not in KINDS:
        raise UploadRefusedError(f"Jenis berkas {suffix[:20] or 'tanpa akhiran'!r} tidak diterima. {EXPECTED}")
    file.flush()
    # The files have no name, so that nothing of them stays whatever is killed; the folder holds a link at most.
    with tempfile.TemporaryDirectory(prefix="aduan-") as folder, tempfile.TemporaryFile() as content:
        task = {
            "folder": folder,
            "suffix": suffix,
            "file": file.fileno(),
            "out": content.fileno(),
            "portal": str(portal_folder.resolve()) if portal_folder else "",
            "longest_text": LONGEST_TEXT,
            "seconds": math.ceil(seconds),
            "purpose": purpose,
            "columns": dict(columns),
        }
        try:
            done = subprocess.run(  # noqa: S603
                [sys.executable, "-P", "-m", "service.upload_reading", json.dumps(task)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
                pass_fds=(file.fileno(), content.fileno()),
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            raise UploadRefusedError(_TOO_MUCH) from None
        if done.returncode != 0:
            raise UploadRefusedError(_TOO_MUCH)
        found: Mapping[str, Any] = json.loads(done.stdout)
        if "refused" in found:
            raise UploadRefusedError(found["refused"])
        content.seek(0)
        return found, content.read()


async def read_in_background(
    file: IO[bytes],
    name: str,
    portal_folder: Path | None = None,
    purpose: str = LEARN,
    columns: Mapping[str, str] | None = None,
) -> Upload:
    """As `read_upload`, while the event loop goes on."""
    read = partial(read_upload, file, name, portal_folder, purpose=purpose, columns=columns)
    return await asyncio.get_running_loop().run_in_executor(_READERS, read)


async def look_in_background(file: IO[bytes], name: str) -> Look:
    """As `look_at`, while the event loop goes on."""
    return await asyncio.get_running_loop().run_in_executor(_READERS, look_at, file, name)


_TOO_MUCH = "Berkas ini tidak selesai dibaca: terlalu besar atau rusak. Bagi menjadi beberapa berkas, lalu kirim ulang."


def _environment() -> dict[str, str]:
    """Nothing of the service's own settings; one thread, for threads take room to begin with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADUAN_")}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
