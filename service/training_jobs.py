"""A training as a job, safe to repeat."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from router_model.errors import DatasetError
from router_model.portal import load_portal
from router_model.registry import champions, history, release_folder, requested
from router_model.release import read_manifest
from service.database.database import Database
from service.database.jobs import Job
from service.database.learning_data import learning_rows
from service.portal_folders import portal_folder
from service.settings import Settings
from training.dataset import MOST_SHOWN, examples, label_mappings
from training.learning import learn

Tell = Callable[[Mapping[str, Any]], None]


def promoted(settings: Settings, job: Job) -> dict[str, Any] | None:
    """The result of a job whose release is in force or was, if it came so far."""
    event = requested(history(settings.registry), job.portal, job.id)
    return _result(settings.registry, event.release, True, event.verdict) if event else None


def _result(registry: Path, release: str, in_force: bool, verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    manifest = read_manifest(release_folder(registry, release))
    return {
        "release": release,
        "in_force": in_force,
        "gate": dict(verdict or manifest["gate"] or {}),
        "rows": manifest["data"]["rows"],
        "scores": manifest["scores"],
    }


def train(job: Job, settings: Settings, tell: Tell) -> dict[str, Any]:
    """Learns from all that a portal has, publishes a release and promotes it if the gate agrees; begun again, it
    finds what was promoted and promotes nothing twice.

    Raises:
        AduanError: the data cannot be learned from, or the registry cannot be written.
    """
    if before := promoted(settings, job):
        return before
    tell({"stage": "mengumpulkan laporan", "done": 0, "total": 1, "seconds_left": None})
    folder = portal_folder(settings, job.portal)
    database = Database(settings.database)
    try:
        with database.connect() as connection:
            rows = learning_rows(connection, job.portal, job.request["datasets"])
    finally:
        database.close()
    found, faults = examples(rows, load_portal(folder))
    if not found:
        raise DatasetError(
            f"Tidak ada laporan dengan label yang dikenal portal {job.portal}. Unggah data berlabel dahulu.",
            [str(fault) for fault in faults[:MOST_SHOWN]],
        )
    mappings = [mapping for mapping in label_mappings(rows, load_portal(folder)) if mapping.rule != "alias"]
    learned = learn(
        found,
        folder,
        settings.registry,
        mappings=mappings,
        by=job.created_by,
        request=job.id,
        progress=_with_time_left(tell, _expected_seconds(settings.registry, job.portal, found)),
    )
    # Another process may have come first under the name of this job; the registry says whose release counts.
    return promoted(settings, job) or _result(
        settings.registry, learned.release, learned.in_force, learned.verdict.as_dict()
    )


def _expected_seconds(registry: Path, portal: str, rows: Sequence[object]) -> float | None:
    """What the release in force took, for so many rows."""
    in_force = champions(registry).get(portal)
    if in_force is None:
        return None
    manifest = read_manifest(release_folder(registry, in_force))
    seconds = sum(manifest.get("seconds", {}).values())
    return seconds * len(rows) / manifest["data"]["rows"] if seconds and manifest["data"].get("rows") else None


def _with_time_left(tell: Tell, expected: float | None) -> Callable[[str, int, int], None]:
    began = time.monotonic()

    def progress(stage: str, done: int, total: int) -> None:
        left = None if expected is None else max(0, round(expected - (time.monotonic() - began)))
        tell({"stage": stage, "done": done, "total": total, "seconds_left": left})

    return progress
