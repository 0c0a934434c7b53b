"""What of a changed portal holds at once: the release in force goes on with the same model and a newer portal.

A portal may be put under a model as long as the model's answers still mean the same: the same classes, each owned
by the same bodies. Everything else waits for the next training.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from typing import Any

from router_model.errors import PortalError, ReleaseError
from router_model.portal import Portal, load_portal
from router_model.registry import Event, champions, flush_folder, promote, release_folder
from router_model.release import MANIFEST, cause, file_hash, model_hash, read_manifest, sealed
from service.portal_editing import contact_rows, on_folder, set_contacts
from service.portal_folders import FILES
from training.comparison import CHAMPION_FILE
from training.model_card import model_card

SAME_MODEL = "Modelnya sama; hanya keterangan portal yang berubah."
_DRAFT = ".draft-"
_OF_AGENCY = attrgetter(
    "code", "short_name", "parent", "external", "aliases", "responsibilities", "territory", "channel"
)
_OF_CATEGORY = attrgetter("code", "name", "parent", "national_name", "description")


def needs_training(before: Portal, after: Portal) -> bool:
    """Whether answers of a model of `before` would mean something else, or nothing, in `after`."""
    return _meaning(before) != _meaning(after)


def _meaning(portal: Portal) -> Mapping[str, Any]:
    return {
        "units": set(portal.units),
        "unit": {agency.code: agency.unit for agency in portal.living_agencies if not agency.territorial},
        "owners": {leaf.code: leaf.units for leaf in portal.leaves},
    }


def differences(before: Portal, after: Portal) -> list[str]:
    """What changed from one state of a portal to another, in sentences."""
    agencies = {agency.code: agency for agency in before.living_agencies}
    living = {agency.code: agency for agency in after.living_agencies}
    renamed = [(agencies[code].name, one.name) for code, one in living.items() if code in agencies]
    leaves, new_leaves = before.leaf, after.leaf
    parts = [
        _named("Instansi baru", [living[code].name for code in living.keys() - agencies.keys()]),
        _named("Instansi berakhir", [agencies[code].name for code in agencies.keys() - living.keys()]),
        _named("Berganti nama", [f"{old} menjadi {new}" for old, new in renamed if old != new]),
        _named("Kategori baru", [new_leaves[code].name for code in new_leaves.keys() - leaves.keys()]),
        _named("Kategori diakhiri", [leaves[code].name for code in leaves.keys() - new_leaves.keys()]),
        "Penerus instansi berubah." if set(before.successions) != set(after.successions) else "",
        "Keterangan instansi atau kategori berubah." if _details(before, after) != _details(after, before) else "",
        "Nomor darurat berubah." if before.emergency_contacts != after.emergency_contacts else "",
        "Batas waktu berubah." if before.limits != after.limits else "",
        "Pengaturan laporan serupa berubah." if before.resemblance != after.resemblance else "",
        "Kalender berubah." if before.calendar != after.calendar else "",
        "Wilayah berubah." if before.places != after.places else "",
        "Patokan tempat berubah." if before.landmarks != after.landmarks else "",
        "Aturan berubah." if before.rules != after.rules else "",
    ]
    return [part for part in parts if part]


def _details(portal: Portal, other: Portal) -> Any:
    """What describes the bodies and categories that both have, but the names of bodies."""
    agencies = [_OF_AGENCY(one) for one in portal.living_agencies if one.code in other.agency]
    categories = [(_OF_CATEGORY(one), sorted(one.units)) for one in portal.leaves if one.code in other.leaf]
    return sorted(agencies), sorted(categories)


def _named(what: str, names: list[str]) -> str:
    shown = ", ".join(sorted(names)[:5])
    return f"{what}: {shown}{f', dan {len(names) - 5} lagi' if len(names) > 5 else ''}." if names else ""


def publish_portal(registry: Path, portal: str, folder: Path, by: str) -> Event:
    """Puts the model in force under the portal of a folder, as a release of its own, and that in force.

    Raises:
        PortalError: the model has to learn first, or the folder cannot be used.
        ReleaseError: nothing is in force, or the registry cannot be written; what was in force stays.
    """
    release_id = _in_force(registry, portal)
    if needs_training(load_portal(release_folder(registry, release_id) / "portal"), load_portal(folder)):
        raise PortalError("Perubahan ini menyangkut jawaban model, jadi baru berlaku setelah pelatihan berikutnya.")
    return _published(registry, release_id, folder, by)


def publish_contacts(registry: Path, folder: Path, by: str) -> Event | None:
    """Has the release in force show the emergency numbers of a folder, whatever else of it waits for a training.
    None if it does already, or nothing is in force. Raises as `publish_portal`."""
    after = load_portal(folder)
    release_id = champions(registry).get(after.code)
    if release_id is None:
        return None
    present = release_folder(registry, release_id) / "portal"
    if load_portal(present).emergency_contacts == after.emergency_contacts:
        return None
    contacts = contact_rows(after)
    with tempfile.TemporaryDirectory(prefix="aduan-") as made:
        draft = Path(made) / "portal"
        shutil.copytree(present, draft)
        on_folder(lambda files: set_contacts(files, contacts))(draft)
        return _published(registry, release_id, draft, by)


def _in_force(registry: Path, portal: str) -> str:
    if (found := champions(registry).get(portal)) is None:
        raise ReleaseError(f"Belum ada rilis yang berlaku bagi portal {portal}. Latih dahulu.")
    return found


def _published(registry: Path, release_id: str, folder: Path, by: str) -> Event:
    moment = datetime.now(UTC)
    source = release_folder(registry, release_id)
    before = read_manifest(source)
    verdict = {"agrees": True, "against": release_id, "reasons": [SAME_MODEL], "compared": {}}
    try:
        with tempfile.TemporaryDirectory(prefix=_DRAFT, dir=registry) as made:
            draft = Path(made) / "release"
            # Files of a release never change, so two releases may share them. The model met nobody anew.
            left_out = shutil.ignore_patterns("portal", MANIFEST, CHAMPION_FILE)
            shutil.copytree(source, draft, copy_function=os.link, ignore=left_out)
            (draft / "portal").mkdir()
            for name in FILES:
                if (folder / name).is_file():
                    shutil.copyfile(folder / name, draft / "portal" / name)
            (draft / "card.md").unlink()
            files = {
                path.relative_to(draft).as_posix(): file_hash(path)
                for path in sorted(draft.rglob("*"))
                if path.is_file()
            }
            digest = model_hash(files, before["policy"])
            manifest = {name: value for name, value in before.items() if name not in ("seal", "files")} | {
                "id": f"{before['portal']}-{moment:%Y%m%d}-{digest[:8]}",
                "created_at": moment.isoformat(timespec="seconds"),
                "model_hash": digest,
                "parent": release_id,
                "gate": verdict,
            }
            (draft / "card.md").write_text(model_card(manifest), "utf-8")
            files["card.md"] = file_hash(draft / "card.md")
            (draft / MANIFEST).write_bytes(sealed({**manifest, "files": dict(sorted(files.items()))}))
            _flush(draft)
            place = release_folder(registry, manifest["id"])
            if not place.exists():
                draft.rename(place)
                flush_folder(registry)
    except OSError as error:
        raise ReleaseError(f"Rilis tidak dapat ditulis di {registry}: {cause(error)}.") from error
    return promote(registry, place.name, by=by, verdict=verdict, now=moment)


def _flush(draft: Path) -> None:
    for path in (*(draft / "portal").iterdir(), draft / "card.md", draft / MANIFEST):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    flush_folder(draft / "portal")
    flush_folder(draft)
