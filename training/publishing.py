"""Writes a trained router as a release folder: whole or not at all."""

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import Any

import joblib
import numpy as np
import orjson

from router_model import __version__
from router_model.errors import ReleaseError
from router_model.portal import OPTIONAL_PORTAL_FILES, PORTAL_FILES, Portal, load_portal
from router_model.registry import champions, flush_folder, release_folder
from router_model.release import (
    FORMAT,
    MANIFEST,
    bulleted,
    cause,
    faults,
    file_hash,
    model_hash,
    sealed,
    write_arrays,
)
from training.dataset import Example
from training.model_card import model_card
from training.trainer import Trained, seen_key

DRAFT = ".draft-"
DRAFT_AGE = 3600
"""Seconds."""
LIBRARIES = ("numpy", "scipy", "scikit-learn", "PySastrawi", "joblib")


def fingerprint(rows: Sequence[Example]) -> str:
    """SHA-256 over texts and labels in their order; the same data gives the same value."""
    digest = hashlib.sha256()
    for row in rows:
        digest.update(orjson.dumps([asdict(row.complaint), dict(row.labels)], option=orjson.OPT_SORT_KEYS))
    return digest.hexdigest()


def publish(
    trained: Trained,
    rows: Sequence[Example],
    portal_folder: Path,
    registry: Path,
    now: datetime | None = None,
) -> str:
    """Builds the folder beside its place, flushes it to disk and renames it there. Returns the release's id.

    The same model of the same day is the same release; publishing it again changes nothing.

    Raises:
        ReleaseError: the disk refuses, the portal folder changed since training began, or a release of this id
            is there but cannot be trusted. Nothing new is in the registry then.
    """
    try:
        registry.mkdir(parents=True, exist_ok=True)
        _sweep_drafts(registry)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=registry))
        try:
            return _publish_from(draft, trained, rows, portal_folder, registry, now or datetime.now(UTC))
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        name = error.filename2 or error.filename
        place = f"{name}: " if name else ""
        raise ReleaseError(f"Rilis tidak dapat ditulis di {registry}: {place}{cause(error)}.") from error


def _publish_from(
    draft: Path, trained: Trained, rows: Sequence[Example], portal_folder: Path, registry: Path, moment: datetime
) -> str:
    write_arrays(draft, trained.router.scorer.arrays)
    np.save(draft / "seen.npy", np.array(sorted({seen_key(row.complaint) for row in rows}), dtype=np.uint64))
    portal = trained.router.portal
    _copy_portal(portal_folder, draft / "portal", portal)
    policy = asdict(trained.router.policy)
    digest = model_hash(_hashes(draft), policy)
    release_id = f"{portal.code}-{moment:%Y%m%d}-{digest[:8]}"
    place = release_folder(registry, release_id)
    if place.exists():
        return _already(place)
    joblib.dump(trained.pipeline, draft / "pipeline.joblib", compress=3)
    moments = [row.received_at for row in rows if row.received_at]
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "id": release_id,
        "portal": portal.code,
        "created_at": moment.isoformat(timespec="seconds"),
        "model_hash": digest,
        "parent": champions(registry).get(portal.code),
        "data": {
            "fingerprint": fingerprint(rows),
            "rows": len(rows),
            "from": min(moments).isoformat() if moments else None,
            "until": max(moments).isoformat() if moments else None,
        },
        "code": {
            "aduan": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "labels": {answer: len(classes) for answer, classes in trained.router.scorer.arrays.classes.items()},
        "policy": policy,
        "scores": trained.scores,
    }
    (draft / "card.md").write_text(model_card(manifest), "utf-8")
    (draft / MANIFEST).write_bytes(sealed({**manifest, "files": _hashes(draft)}))
    _flush(draft)
    try:
        draft.rename(place)
    except OSError:
        # Somebody else published the same release in this moment; anything else is a real fault.
        if not (place / MANIFEST).is_file():
            raise
    flush_folder(registry)
    return release_id


def _already(release: Path) -> str:
    if problems := faults(release):
        raise ReleaseError(
            f"Rilis {release.name} sudah ada tetapi tidak dapat dipercaya:\n{bulleted(problems)}\n"
            f"Pindahkan folder {release}, lalu latih ulang."
        )
    return release.name


def _copy_portal(source: Path, target: Path, portal: Portal) -> None:
    """Copies the files of a portal, and holds them to the portal that was trained for."""
    target.mkdir()
    for name in PORTAL_FILES:
        shutil.copyfile(source / name, target / name)
    for name in OPTIONAL_PORTAL_FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    if load_portal(target) != portal:
        raise ReleaseError(f"Folder portal {source} berubah selama pelatihan. Latih ulang.")


def _hashes(folder: Path) -> dict[str, str]:
    """Every file of a folder by its SHA-256."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_hash(path) for path in files}


def _sweep_drafts(registry: Path) -> None:
    """Removes what a killed publish left behind; no publish takes as long as `DRAFT_AGE`."""
    for draft in registry.glob(f"{DRAFT}*"):
        # A draft that is gone by now was another publisher's, who is done with it.
        with suppress(FileNotFoundError):
            if time() - draft.stat().st_mtime > DRAFT_AGE:
                shutil.rmtree(draft, ignore_errors=True)


def _flush(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            flush_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
