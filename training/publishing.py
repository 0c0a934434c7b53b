"""Writes a trained router as a release folder: whole or not at all."""

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
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
from router_model.portal import PORTAL_FILES
from router_model.release import FORMAT, MANIFEST, champions, file_hash, model_hash, write_arrays
from training.dataset import Example
from training.trainer import Trained, seen_key

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
    """
    registry.mkdir(parents=True, exist_ok=True)
    _sweep_drafts(registry)
    moment = now or datetime.now(UTC)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=registry))
    try:
        write_arrays(draft, trained.router.scorer.arrays)
        keys = np.array(sorted({seen_key(row.complaint) for row in rows}), dtype=np.uint64)
        np.save(draft / "seen.npy", keys)
        (draft / "portal").mkdir()
        for name in PORTAL_FILES:
            shutil.copyfile(portal_folder / name, draft / "portal" / name)
        policy = asdict(trained.router.policy)
        content = {path.relative_to(draft).as_posix(): file_hash(path) for path in draft.rglob("*") if path.is_file()}
        digest = model_hash(content, policy)
        portal = trained.router.portal
        release_id = f"{portal.code}-{moment:%Y%m%d}-{digest[:8]}"
        if (registry / release_id / MANIFEST).is_file():
            return release_id
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
        manifest["files"] = {
            path.relative_to(draft).as_posix(): file_hash(path) for path in sorted(draft.rglob("*")) if path.is_file()
        }
        (draft / MANIFEST).write_bytes(orjson.dumps(manifest, option=orjson.OPT_INDENT_2))
        _flush(draft)
        try:
            draft.rename(registry / release_id)
        except OSError:
            # Somebody else published the same release in this moment; anything else is a real fault.
            if not (registry / release_id / MANIFEST).is_file():
                raise
        _flush_folder(registry)
        return release_id
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _sweep_drafts(registry: Path) -> None:
    """Removes what a killed publish left behind; no publish takes as long as `DRAFT_AGE`."""
    for draft in registry.glob(".draft-*"):
        if time() - draft.stat().st_mtime > DRAFT_AGE:
            shutil.rmtree(draft, ignore_errors=True)


def _flush(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder]:
        if path.is_dir():
            _flush_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def model_card(manifest: dict[str, Any]) -> str:
    """A model card in Indonesian: what it answers, what it learned from, how good it was forward in time."""
    scores, data, policy = manifest["scores"], manifest["data"], manifest["policy"]
    lines = [
        f"# Kartu model {manifest['id']}",
        "",
        f"Memilihkan instansi, kategori, urgensi dan klasifikasi laporan untuk portal {manifest['portal']}.",
        f"Dilatih dari {data['rows']} laporan berlabel, {data['from'] or '-'} sampai {data['until'] or '-'}.",
        "",
        "Diuji pada laporan paling akhir yang tidak dilihat model saat dilatih:",
        "",
        "| jawaban | n | tepat | tiga teratas | macro-F1 | terjawab pada 90 % | pada 95 % | ECE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for answer, row in scores["answers"].items():
        lines.append(
            f"| {answer} | {row['n']} | {row['accuracy']:.3f} | {row['top3']:.3f} | {row['macro_f1']:.3f} "
            f"| {row['coverage_at_90']:.2f} | {row['coverage_at_95']:.2f} | {row['ece']:.3f} |"
        )
    lines += [
        "",
        "Ambang: "
        + ", ".join(f"{name} {value:.3f}" if value <= 1 else f"{name} tidak tercapai" for name, value in policy.items())
        + ".",
        "",
        "Jangan dipakai untuk menolak laporan, menilai pelapor, atau menunda laporan darurat. "
        "Keputusan akhir ada pada petugas.",
        "",
    ]
    return "\n".join(lines)
