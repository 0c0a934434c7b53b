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
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from service.upload_checks import EXPECTED, KINDS, UploadRefusedError
from service.upload_reading import LEARN, Fault, UnknownLabel
from service.wire import LONGEST_TEXT

LONGEST_SECONDS = 240.0


_READERS = ThreadPoolExecutor(2, "upload")
"""Each has a process that may take much memory, so there are few, and they keep nobody else waiting."""


@dataclass(frozen=True, slots=True)
class Upload:
    """What a file holds, masked: `content` is Parquet with the rows that can be learned from, `faults` are the
    first of `faulty` rows left out. `unknown` is `None` where there was no portal to hold the labels to."""

    content: bytes
    rows: int
    fingerprint: str
    faulty: int
    faults: Sequence[Fault]
    unknown: Sequence[UnknownLabel] | None


def read_upload(
    file: IO[bytes],
    name: str,
    portal_folder: Path | None = None,
    seconds: float = LONGEST_SECONDS,
    purpose: str = LEARN,
) -> Upload:
    """Reads a file in a process of its own. `file` is a real one; of `name` only the ending counts. What a row must
    hold depends on the purpose, `LEARN` or `DISPOSE`.

    Raises:
        UploadRefusedError: the file is not what it should be, or takes too long or too much memory to read.
    """
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
        return Upload(
            content=content.read(),
            rows=found["rows"],
            fingerprint=found["fingerprint"],
            faulty=found["faulty"],
            faults=[Fault(**fault) for fault in found["faults"]],
            unknown=None if found["unknown"] is None else [UnknownLabel(**label) for label in found["unknown"]],
        )


async def read_in_background(
    file: IO[bytes], name: str, portal_folder: Path | None = None, purpose: str = LEARN
) -> Upload:
    """As `read_upload`, while the event loop goes on."""
    read = partial(read_upload, file, name, portal_folder, purpose=purpose)
    return await asyncio.get_running_loop().run_in_executor(_READERS, read)


_TOO_MUCH = "Berkas ini tidak selesai dibaca: terlalu besar atau rusak. Bagi menjadi beberapa berkas, lalu kirim ulang."


def _environment() -> dict[str, str]:
    """Nothing of the service's own settings; one thread, for threads take room to begin with."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ADUAN_")}
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
