"""A release folder: a trained model as data, verified whole before one byte of it is used.

The format is version 1. To change what the folder holds, raise `FORMAT`, and teach `open_release` either to read
both or to name the command that retrains.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from router_model.calibration import Agreement, Link
from router_model.errors import PortalError, ReleaseError
from router_model.portal import Portal, load_portal
from router_model.scorer import ModelArrays, Scorer
from router_model.terms import BLOCKS

FORMAT = 1
MANIFEST = "manifest.json"
CHAMPIONS = "champions.json"
BESIDE_THE_MODEL = frozenset({"pipeline.joblib", "card.md"})
"""Files of a release that no answer depends on."""


@dataclass(frozen=True)
class Release:
    """A verified release: its manifest, the portal as it was when trained, and the scorer."""

    id: str
    folder: Path
    manifest: Mapping[str, Any]
    portal: Portal
    scorer: Scorer


def file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def model_hash(files: Mapping[str, str], policy: Mapping[str, Any]) -> str:
    """What the answers depend on: the model's files by their hashes, and the thresholds."""
    model = {name: digest for name, digest in files.items() if name not in BESIDE_THE_MODEL}
    return hashlib.sha256(orjson.dumps([model, dict(policy)], option=orjson.OPT_SORT_KEYS)).hexdigest()


def write_arrays(folder: Path, arrays: ModelArrays) -> None:
    """Writes the model as `.npy` arrays and JSON; the same arrays give the same bytes."""
    np.save(folder / "weights.npy", arrays.weights.astype(np.float32))
    np.save(folder / "coefficients.npy", np.ascontiguousarray(arrays.coefficients, dtype=np.float32))
    for block in BLOCKS:
        (folder / f"terms_{block}.json").write_bytes(orjson.dumps(list(arrays.vocabularies.get(block, ()))))
    agreement: dict[str, float] | None = None
    if arrays.agreement is not None:
        np.save(folder / "log_lift.npy", arrays.agreement.log_lift)
        np.save(folder / "allowed.npy", arrays.agreement.allowed)
        agreement = {name: getattr(arrays.agreement, name) for name in ("trust_agency", "trust_category", "trust_lift")}
    model = {
        "classes": {answer: list(classes) for answer, classes in arrays.classes.items()},
        "block_weights": dict(arrays.block_weights),
        "links": {answer: _link_values(link) for answer, link in arrays.links.items()},
        "agreement": agreement,
        "place_words": sorted(arrays.place_words),
    }
    (folder / "model.json").write_bytes(orjson.dumps(model, option=orjson.OPT_INDENT_2))


def _link_values(link: Link) -> dict[str, Any]:
    frequencies = link.log_frequencies
    return {
        "power": link.power,
        "floor": link.floor,
        "balance": link.balance,
        "log_frequencies": None if frequencies is None else frequencies.tolist(),
    }


def _link(values: dict[str, Any]) -> Link:
    frequencies = values["log_frequencies"]
    return Link(**values | {"log_frequencies": None if frequencies is None else np.array(frequencies, np.float32)})


def _read_arrays(folder: Path) -> ModelArrays:
    model = orjson.loads((folder / "model.json").read_bytes())
    agreement = None
    if model["agreement"] is not None:
        agreement = Agreement(
            **model["agreement"],
            log_lift=np.load(folder / "log_lift.npy", allow_pickle=False),
            allowed=np.load(folder / "allowed.npy", allow_pickle=False),
        )
    return ModelArrays(
        vocabularies={block: orjson.loads((folder / f"terms_{block}.json").read_bytes()) for block in BLOCKS},
        block_weights=model["block_weights"],
        weights=np.load(folder / "weights.npy", allow_pickle=False),
        coefficients=np.load(folder / "coefficients.npy", allow_pickle=False, mmap_mode="r"),
        classes=model["classes"],
        links={answer: _link(values) for answer, values in model["links"].items()},
        agreement=agreement,
        place_words=frozenset(model["place_words"]),
    )


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises `ReleaseError` if the folder has no manifest or one of a foreign format."""
    try:
        manifest = orjson.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise ReleaseError(f"Rilis {folder.name} tidak ada di {folder.parent}.") from None
    except orjson.JSONDecodeError:
        raise ReleaseError(f"Rilis {folder.name}: {MANIFEST} rusak; jangan dipakai.") from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ReleaseError(
            f"Rilis {folder.name}: format tidak dikenal; perangkat lunak ini membaca format {FORMAT}. Latih ulang."
        )
    return manifest


def faults(folder: Path) -> list[str]:
    """What is wrong with a release folder, empty if it can be trusted: changed, missing and foreign files,
    and labels the portal does not have."""
    try:
        manifest = read_manifest(folder)
    except ReleaseError as error:
        return [str(error)]
    expected: dict[str, str] = manifest.get("files", {})
    present = {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path != folder / MANIFEST
    }
    problems = [f"berkas hilang: {name}" for name in sorted(expected.keys() - present)]
    problems += [f"berkas asing: {name}" for name in sorted(present - expected.keys())]
    problems += [
        f"berkas berubah: {name}"
        for name in sorted(expected.keys() & present)
        if file_hash(folder / name) != expected[name]
    ]
    if model_hash(expected, manifest.get("policy", {})) != manifest.get("model_hash"):
        problems.append(f"berkas berubah: {MANIFEST} (daftar berkas atau ambang)")
    if not problems:
        try:
            portal = load_portal(folder / "portal")
        except PortalError as error:
            return [str(error)]
        classes = orjson.loads((folder / "model.json").read_bytes())["classes"]
        problems += [f"instansi tidak dikenal: {unit}" for unit in sorted(set(classes["unit"]) - set(portal.units))]
        leaves = {leaf.code for leaf in portal.leaves}
        problems += [f"kategori tidak dikenal: {code}" for code in sorted(set(classes.get("category", ())) - leaves)]
    return problems


def open_release(folder: Path) -> Release:
    """Verifies every file, then loads.

    Raises:
        ReleaseError: naming each missing, added or changed file.
    """
    manifest = read_manifest(folder)
    if problems := faults(folder):
        lines = "\n".join(f"  - {problem}" for problem in problems)
        raise ReleaseError(f"Rilis {folder.name} tidak dapat dipercaya dan tidak dipakai:\n{lines}")
    return Release(
        id=manifest["id"],
        folder=folder,
        manifest=manifest,
        portal=load_portal(folder / "portal"),
        scorer=Scorer(_read_arrays(folder)),
    )


def release_ids(registry: Path) -> list[str]:
    """Oldest first by creation time."""
    folders = [path.parent for path in registry.glob(f"[!.]*/{MANIFEST}")]
    manifests = [read_manifest(folder) for folder in folders]
    return [manifest["id"] for manifest in sorted(manifests, key=lambda item: (item["created_at"], item["id"]))]


def champions(registry: Path) -> dict[str, str]:
    """Portal code to the release in force."""
    try:
        found: dict[str, str] = orjson.loads((registry / CHAMPIONS).read_bytes())
    except FileNotFoundError:
        return {}
    return found


def promote(registry: Path, release_id: str) -> None:
    """Puts a release in force for its portal, by one atomic rename.

    Raises:
        ReleaseError: the release cannot be trusted; what was in force stays.
    """
    if problems := faults(registry / release_id):
        raise ReleaseError(f"Rilis {release_id} tidak diberlakukan:\n" + "\n".join(f"  - {p}" for p in problems))
    portal = read_manifest(registry / release_id)["portal"]
    in_force = champions(registry) | {portal: release_id}
    draft = registry / f".{CHAMPIONS}.{os.getpid()}"
    with draft.open("wb") as file:
        file.write(orjson.dumps(in_force, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(registry / CHAMPIONS)


def champion(registry: Path, portal: str | None = None) -> Release:
    """The release in force, of the only portal if none is named.

    Raises:
        ReleaseError: nothing in force, or several portals and none named.
    """
    in_force = champions(registry)
    if not in_force or (portal is not None and portal not in in_force):
        raise ReleaseError(f"Belum ada rilis yang berlaku di {registry}. Latih dahulu: aduan train DATA --portal DIR")
    if portal is None and len(in_force) > 1:
        raise ReleaseError(f"Ada beberapa portal: {', '.join(sorted(in_force))}. Sebutkan dengan --release.")
    return open_release(registry / (in_force[portal] if portal else next(iter(in_force.values()))))
