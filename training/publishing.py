"""Writes a trained router as a release folder: whole or not at all."""

import hashlib
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import time
from typing import Any

import joblib
import numpy as np
import orjson
from scipy.stats import binomtest

from router_model import __version__
from router_model.errors import ReleaseError
from router_model.policy import Policy
from router_model.portal import OPTIONAL_PORTAL_FILES, PORTAL_FILES, Portal, load_portal
from router_model.registry import champions, flush_folder, release_folder
from router_model.release import (
    FORMAT,
    MANIFEST,
    Release,
    bulleted,
    cause,
    faults,
    file_hash,
    model_hash,
    sealed,
    write_arrays,
)
from training.answered import FORWARD_FILE, Answered, write_answered
from training.comparison import CHAMPION_FILE
from training.complaint_keys import seen_key
from training.dataset import Example, LabelMapping
from training.gate import Verdict
from training.model_card import model_card
from training.report_page import report_page
from training.thresholds import Effect, choose_policy, precisions
from training.trainer import Trained
from training.wishes import Wish, record_of

DRAFT = ".draft-"
DRAFT_AGE = 3600
"""Seconds."""
SCORES = ("rows", "answers", "routes", "danger", "candidates", "shipped")
"""What of the evaluation stands in the manifest; all of it is in `evaluation.json`."""
EVALUATION = "evaluation.json"
SAME_MODEL = "Modelnya sama; hanya ketepatan yang diminta berubah."
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
    *,
    verdict: Verdict | None = None,
    champion: Sequence[Answered] = (),
    mappings: Sequence[LabelMapping] = (),
) -> str:
    """Builds the folder beside its place, flushes it to disk and renames it there. Returns the release's id.

    The same model of the same day is the same release; publishing it again changes nothing. `verdict` is the
    gate's where it was asked, `mappings` are the old labels that were learned as another body's; both stand in
    the report. `champion` is what the gate heard from the release in force, kept for `training.comparison`.

    Raises:
        ReleaseError: the disk refuses, the portal folder changed since training began, or a release of this id
            is there but cannot be trusted. Nothing new is in the registry then.
    """
    with _draft(registry) as draft:
        if champion:
            write_answered(champion, draft / CHAMPION_FILE)
        return _publish_from(draft, trained, rows, portal_folder, registry, now or datetime.now(UTC), verdict, mappings)


def publish_policy(
    release: Release, policy: Policy, effect: Effect, registry: Path, now: datetime | None = None
) -> str:
    """The same model with other thresholds as a release of its own, whose parent it is. Returns its id.

    `effect` is what the thresholds would have done on held-back complaints; it replaces the figures of routes.

    Raises:
        ReleaseError: as `publish`.
    """
    with _draft(registry) as draft:
        shutil.copytree(release.folder, draft, dirs_exist_ok=True)
        (draft / MANIFEST).unlink()
        # The model met nobody anew: against its parent it answers the same.
        (draft / CHAMPION_FILE).unlink(missing_ok=True)
        moment = now or datetime.now(UTC)
        manifest = {name: value for name, value in release.manifest.items() if name not in ("seal", "files")}
        manifest["policy"] = asdict(policy)
        manifest["model_hash"] = model_hash(_hashes(draft), manifest["policy"])
        manifest["id"] = f"{release.portal.code}-{moment:%Y%m%d}-{manifest['model_hash'][:8]}"
        manifest["created_at"] = moment.isoformat(timespec="seconds")
        manifest["parent"] = release.id
        manifest.setdefault("asked", _asked(release.portal))
        manifest["scores"] = manifest["scores"] | {"routes": effect.routes()}
        manifest["gate"] = Verdict(True, release.id, (SAME_MODEL,)).as_dict()
        place = release_folder(registry, manifest["id"])
        if place.exists():
            return _already(place)
        evaluation = orjson.loads((draft / EVALUATION).read_bytes())
        _write_evaluation(
            draft, evaluation | {"routes": evaluation["routes"] | effect_routes(effect)}, manifest, release.portal
        )
        return _put(draft, place, manifest)


def publish_wish(release: Release, wish: Wish, registry: Path, now: datetime | None = None) -> str:
    """The same model with thresholds for a wish, chosen on all of its forward answers; the figures of routes are those
    of thresholds that did not see the rows they are counted on. Returns the release's id.

    Raises:
        ReleaseError: as `publish`.
    """
    record = record_of(release.folder, release.manifest, release.portal)
    before = Policy.from_values(release.manifest["policy"])
    policy = choose_policy(record.rows, wish.named(record.emergency), before.place_precision)
    policy = replace(policy, rules=before.rules)
    return publish_policy(release, policy, record.foreseen([wish])[wish], registry, now)


def effect_routes(effect: Effect) -> dict[str, dict[str, Any]]:
    """An effect as the report's page needs it; what is above neither threshold is reviewed."""
    routes: dict[str, dict[str, Any]] = dict(effect.routes())
    for route, count, right in (
        ("auto", effect.auto, effect.auto_right),
        ("prefill", effect.prefill, effect.prefill_right),
    ):
        routes[route] |= {"n": count, "labelled": count}
        if count:
            exact = binomtest(right, count).proportion_ci(0.95, method="exact")
            routes[route]["interval"] = [float(exact.low), float(exact.high)]
    rest = effect.rows - effect.auto - effect.prefill
    return routes | {"review": {"share": rest / max(effect.rows, 1), "n": rest, "labelled": 0}}


@contextmanager
def _draft(registry: Path) -> Iterator[Path]:
    try:
        registry.mkdir(parents=True, exist_ok=True)
        _sweep_drafts(registry)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=registry))
        try:
            yield draft
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        name = error.filename2 or error.filename
        place = f"{name}: " if name else ""
        raise ReleaseError(f"Rilis tidak dapat ditulis di {registry}: {place}{cause(error)}.") from error


def _publish_from(
    draft: Path,
    trained: Trained,
    rows: Sequence[Example],
    portal_folder: Path,
    registry: Path,
    moment: datetime,
    verdict: Verdict | None,
    mappings: Sequence[LabelMapping],
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
    write_answered(trained.answered, draft / FORWARD_FILE)
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
            **_period(rows),
            "mapped": [_mapped(mapping, portal) for mapping in mappings],
        },
        "code": {
            "aduan": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
        "labels": {answer: list(names) for answer, names in trained.router.scorer.arrays.classes.items()},
        "policy": policy,
        "asked": _asked(portal),
        "scores": {name: trained.scores[name] for name in SCORES if name in trained.scores},
        "held_back": _period(trained.held_back),
        "gate": verdict.as_dict() if verdict else None,
        "seconds": dict(trained.seconds),
    }
    _write_evaluation(draft, trained.scores, manifest, portal)
    return _put(draft, place, manifest)


def _write_evaluation(draft: Path, evaluation: Mapping[str, Any], manifest: Mapping[str, Any], portal: Portal) -> None:
    (draft / EVALUATION).write_bytes(orjson.dumps(evaluation, option=orjson.OPT_INDENT_2))
    (draft / "report.html").write_text(report_page(evaluation, _heading(manifest, portal)), "utf-8")


def _put(draft: Path, place: Path, manifest: Mapping[str, Any]) -> str:
    """Seals a draft and moves it to its place in one step."""
    (draft / "card.md").write_text(model_card(manifest), "utf-8")
    (draft / MANIFEST).write_bytes(sealed({**manifest, "files": _hashes(draft)}))
    _flush(draft)
    try:
        draft.rename(place)
    except OSError:
        # Somebody else published the same release in this moment; anything else is a real fault.
        if not (place / MANIFEST).is_file():
            raise
    flush_folder(place.parent)
    return place.name


def _asked(portal: Portal) -> dict[str, float]:
    """The precisions that the portal folder asks for; a later wish may have other ones."""
    return asdict(Wish(*precisions(portal.settings.get("policy", {}))))


def _period(rows: Sequence[Example]) -> dict[str, str | None]:
    moments = [row.received_at for row in rows if row.received_at]
    return {
        "from": min(moments).isoformat() if moments else None,
        "until": max(moments).isoformat() if moments else None,
    }


def _mapped(mapping: LabelMapping, portal: Portal) -> dict[str, Any]:
    heir = mapping.successor or mapping.agency
    name = portal.agency[heir].name if heir in portal.agency else heir
    return {"label": mapping.label, "agency": name, "count": mapping.count, "rule": mapping.rule}


def _heading(manifest: Mapping[str, Any], portal: Portal) -> dict[str, Any]:
    """What the report's page says of the release."""
    data, held_back = manifest["data"], manifest["held_back"]
    return {
        "release": manifest["id"],
        "portal": portal.name,
        "created_at": manifest["created_at"],
        "rows": data["rows"],
        "from": data["from"],
        "until": data["until"],
        "held_back_from": held_back["from"],
        "held_back_until": held_back["until"],
        "mappings": data["mapped"],
        "gate": manifest["gate"],
    }


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
