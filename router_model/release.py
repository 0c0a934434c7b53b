"""A release folder: a trained model as data, verified whole before one byte of it is used.

The format is version 2. To change what the folder holds, raise `FORMAT`; releases of another format are refused
with the command that retrains.

`manifest.json` names every other file with its SHA-256 and ends with a seal over itself, so that no byte of the
folder can change unnoticed. A seal is no signature: it finds damage and careless edits, not a forger who knows
the format.
"""

import errno
import hashlib
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import orjson

from router_model.calibration import Agreement, Alarm, Link
from router_model.errors import PortalError, ReleaseError
from router_model.place import PlaceFinder
from router_model.policy import Policy
from router_model.portal import REPORT_TYPES, URGENCY_LEVELS, Portal, load_portal
from router_model.scorer import ModelArrays, Scorer
from router_model.suggestion import Router
from router_model.terms import BLOCKS

FORMAT = 3
MANIFEST = "manifest.json"
BESIDE_THE_MODEL = frozenset(
    {"pipeline.joblib", "card.md", "report.html", "evaluation.json", "forward.parquet", "champion.parquet"}
)
"""Files of a release that no answer depends on."""
SHAPE: Mapping[str, type] = {
    "id": str,
    "portal": str,
    "created_at": str,
    "model_hash": str,
    "data": dict,
    "policy": dict,
    "scores": dict,
    "files": dict,
}
"""What every manifest holds; what else it may hold is for those who read it."""
CAUSES = {
    errno.ENOSPC: "ruang penyimpanan penuh; kosongkan sebagian, lalu ulangi",
    errno.EDQUOT: "jatah penyimpanan habis; kosongkan sebagian, lalu ulangi",
    errno.EFBIG: "berkas melebihi ukuran yang diizinkan sistem",
    errno.EACCES: "tidak ada izin; periksa pemilik dan hak akses folder itu",
    errno.EPERM: "tidak ada izin; periksa pemilik dan hak akses folder itu",
    errno.EROFS: "penyimpanan hanya dapat dibaca",
    errno.ENOTDIR: "bukan folder",
    errno.EEXIST: "bukan folder",
    errno.ENOENT: "tidak ada",
    None: "penulisan terputus; biasanya karena ruang penyimpanan penuh",
}
_MALFORMED = (OSError, LookupError, TypeError, ValueError, AttributeError)


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
    alarm = arrays.alarm
    model = {
        "classes": {answer: list(classes) for answer, classes in arrays.classes.items()},
        "block_weights": dict(arrays.block_weights),
        "links": {answer: _link_values(link) for answer, link in arrays.links.items()},
        "agreement": agreement,
        "alarm": alarm and {"intercept": alarm.intercept, "weights": alarm.weights.tolist()},
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
    agreement, alarm = None, model["alarm"]
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
        alarm=alarm and Alarm(alarm["intercept"], np.array(alarm["weights"], np.float32)),
        place_words=frozenset(model["place_words"]),
    )


def sealed(manifest: Mapping[str, Any]) -> bytes:
    """The one way a manifest is written: with a seal, the SHA-256 over itself without the seal, at its end."""
    body = {name: value for name, value in manifest.items() if name != "seal"}
    seal = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_INDENT_2)).hexdigest()
    return orjson.dumps({**body, "seal": seal}, option=orjson.OPT_INDENT_2)


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a release, unchanged since it was sealed; the other files are not looked at.

    Raises:
        ReleaseError: there is none, it is of a foreign format or of another release, or a byte of it changed.
    """
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest: dict[str, Any] = orjson.loads(content)
    except (FileNotFoundError, NotADirectoryError):
        missing = f"{MANIFEST} tidak ada" if folder.is_dir() else f"tidak ada di {folder.parent}"
        raise ReleaseError(f"Rilis {folder.name}: {missing}. Lihat yang ada: aduan release list") from None
    except OSError as error:
        raise ReleaseError(f"Rilis {folder.name}: {MANIFEST} tidak dapat dibaca: {cause(error)}.") from None
    except orjson.JSONDecodeError:
        raise ReleaseError(f"Rilis {folder.name}: {MANIFEST} rusak; jangan dipakai.") from None
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if type(found) is not int or found != FORMAT:
        raise ReleaseError(
            f"Rilis {folder.name}: format {found} tidak dikenal; perangkat lunak ini membaca format {FORMAT}. "
            "Latih ulang: aduan train DATA --portal DIR"
        )
    if content != sealed(manifest):
        raise ReleaseError(f"Rilis {folder.name}: {MANIFEST} berubah sejak diterbitkan; jangan dipakai.")
    if wrong := _misshapen(manifest):
        raise ReleaseError(f"Rilis {folder.name}: {MANIFEST} tidak memuat {', '.join(wrong)} sebagaimana mestinya.")
    if manifest["id"] != folder.name:
        raise ReleaseError(f"Rilis {folder.name}: isinya rilis {manifest['id']}; kembalikan nama foldernya.")
    return manifest


def _misshapen(manifest: Mapping[str, Any]) -> list[str]:
    wrong = [name for name, kind in SHAPE.items() if not isinstance(manifest.get(name), kind)]
    gate = manifest.get("gate")
    if gate is not None and not (isinstance(gate, dict) and _is_verdict(gate)):
        wrong.append("gate")
    return wrong


def _is_verdict(gate: Mapping[str, Any]) -> bool:
    """Against which release (`None`: there was none) a gate said what, and why."""
    agrees, reasons = gate.get("agrees"), gate.get("reasons")
    return "against" in gate and isinstance(agrees, bool) and isinstance(reasons, list)


def faults(folder: Path) -> list[str]:
    """What is wrong with a release folder, empty if it can be trusted: a changed manifest, changed, missing and
    foreign files, links, and labels or thresholds that are not known."""
    try:
        manifest = read_manifest(folder)
    except ReleaseError as error:
        return [str(error)]
    try:
        return [*_changes(folder, manifest["files"])] or [*_contradictions(folder, manifest)]
    except OSError as error:
        return [f"tidak dapat dibaca: {error.filename} ({cause(error)})"]


def _changes(folder: Path, files: Mapping[str, str]) -> Iterator[str]:
    """How the folder differs from the files its manifest names."""
    folders = {str(parent) for name in files for parent in PurePosixPath(name).parents}
    present = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    yield from (f"berkas hilang: {name}" for name in sorted(files.keys() - present.keys()))
    for name, path in present.items():
        mode = path.lstat().st_mode
        if name in folders:
            if not stat.S_ISDIR(mode):
                yield f"bukan folder: {name}"
        elif name not in files and name != MANIFEST:
            yield f"berkas asing: {name}"
        elif not stat.S_ISREG(mode):
            yield f"bukan berkas biasa: {name}"
        elif name != MANIFEST and file_hash(path) != files[name]:
            yield f"berkas berubah: {name}"


def _contradictions(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    """How the parts of an unchanged release do not fit together."""
    if model_hash(manifest["files"], manifest["policy"]) != manifest["model_hash"]:
        yield f"{MANIFEST}: model_hash tidak cocok dengan berkas dan ambangnya"
    try:
        Policy.from_values(manifest["policy"])
    except _MALFORMED:
        yield f"{MANIFEST}: ambangnya tidak dikenal perangkat lunak ini"
    try:
        portal = load_portal(folder / "portal")
        classes = orjson.loads((folder / "model.json").read_bytes())["classes"]
        if portal.code != manifest["portal"]:
            yield f"portal {portal.code}, padahal {MANIFEST} menyebut {manifest['portal']}"
        if not classes.get("unit"):
            yield "model.json: tidak ada satu pun instansi"
        for answer, (called, known) in _labels(portal).items():
            yield from (f"{called} tidak dikenal: {label}" for label in sorted(set(classes.get(answer, ())) - known))
    except PortalError as error:
        yield str(error)
    except _MALFORMED:
        yield "model.json: isinya bukan model"


def _labels(portal: Portal) -> dict[str, tuple[str, set[str]]]:
    """What each answer is called and the labels it may have."""
    return {
        "unit": ("instansi", set(portal.units)),
        "category": ("kategori", {leaf.code for leaf in portal.leaves}),
        "urgency": ("urgensi", set(URGENCY_LEVELS)),
        "report_type": ("klasifikasi", set(REPORT_TYPES)),
    }


def open_release(folder: Path) -> Release:
    """Verifies every file, then loads.

    Raises:
        ReleaseError: naming each missing, added or changed file.
    """
    manifest = read_manifest(folder)
    problems = faults(folder)
    if not problems:
        try:
            portal, scorer = load_portal(folder / "portal"), Scorer(_read_arrays(folder))
            return Release(manifest["id"], folder, manifest, portal, scorer)
        except _MALFORMED as error:
            problems = [f"isinya tidak dapat dimuat ({error})"]
    raise ReleaseError(
        f"Rilis {folder.name} tidak dapat dipercaya dan tidak dipakai:\n{bulleted(problems)}\n"
        "Pulihkan foldernya dari cadangan, atau latih ulang."
    )


def bulleted(problems: Iterable[str]) -> str:
    return "\n".join(f"  - {problem}" for problem in problems)


def cause(error: OSError) -> str:
    """Why the disk refused, in words for people."""
    return CAUSES.get(error.errno) or str(error.strerror)


def router_of(release: Release) -> Router:
    """The release ready to answer."""
    policy = Policy.from_values(release.manifest["policy"])
    return Router(release.scorer, release.portal, policy, PlaceFinder(release.portal))
