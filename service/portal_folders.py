"""Where portals are described, and how a description is changed: whole, in one step, with every version before kept.

A changed portal lies in `ADUAN_HOME/portals/<code>.versions/<number>`, and `ADUAN_HOME/portals/<code>` is a link to the
version in use. Whoever resolved the link goes on reading one version, whole, whatever is put in its place. An operator
may put a plain folder there, and may edit the files by hand; the next change makes a version of it.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from router_model.errors import AduanError, PortalError
from router_model.portal import OPTIONAL_PORTAL_FILES, PORTAL_FILES, load_portal
from router_model.registry import champions, flush_folder, release_folder
from service.settings import Settings

FILES = (*PORTAL_FILES, *OPTIONAL_PORTAL_FILES)
SAMPLE = Path(__file__).parents[1] / "data" / "labeled_sample" / "denpasar"
"""The portal that the source comes with; an installed package may be without it."""
MOST_VERSIONS = 100
_VERSIONS = ".versions"
_DRAFT = ".draft-"


class NoPortalFolderError(AduanError):
    """Nothing says what agencies and categories a portal has."""


class PortalChangedError(AduanError):
    """Somebody else changed the portal since it was read."""

    def __init__(self) -> None:
        super().__init__(
            "Portal ini diubah orang lain sejak halaman Anda dibuka, jadi perubahan Anda belum disimpan. "
            "Buka lagi halamannya, lalu ulangi perubahan Anda."
        )


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a portal's folder; `by` is empty where nobody told who made it."""

    number: int
    folder: Path
    at: datetime
    by: str
    what: str
    in_use: bool


def described(settings: Settings, portal: str) -> Path:
    """Where a portal is described: in `ADUAN_HOME/portals` by its code; otherwise as it was when the release in force
    was trained. What the folder holds is not looked at.

    Raises:
        NoPortalFolderError: in neither place.
        ReleaseError: which release is in force is not known.
    """
    if found := _described(settings, portal):
        return found
    raise NoPortalFolderError(
        f"Portal {portal} belum punya rilis dan belum punya folder portal. "
        f"Minta operator menaruh folder portal di ADUAN_HOME/portals/{portal}."
    )


def _described(settings: Settings, portal: str) -> Path | None:
    in_force = champions(settings.registry).get(portal)
    return _kept(settings.home, portal) or (
        release_folder(settings.registry, in_force) / "portal" if in_force else None
    )


def portal_folder(settings: Settings, portal: str) -> Path:
    """As `described`, checked whole.

    Raises:
        NoPortalFolderError: there is none, or the folder describes another portal.
        PortalError: the folder cannot be used.
        ReleaseError: which release is in force is not known.
    """
    folder = described(settings, portal)
    if (code := load_portal(folder).code) != portal:
        raise NoPortalFolderError(f"Folder portal {portal} berisi portal {code}. Minta operator memperbaikinya.")
    return folder


def known_portals(settings: Settings) -> dict[str, str]:
    """The code and name of every portal that has a release in force or a folder."""
    kept = (settings.home / "portals").glob("[!.]*/")
    codes = {*champions(settings.registry), *(path.name for path in kept if path.suffix != _VERSIONS)}
    return {code: portal_name(described(settings, code)) or code for code in sorted(codes)}


def check_known(settings: Settings, portal: str) -> None:
    """Raises `NoPortalFolderError` for a code that no release and no folder has."""
    if portal not in (known := known_portals(settings)):
        names = ", ".join(known) or "belum ada satu pun"
        raise NoPortalFolderError(f"Portal {portal} tidak dikenal. Portal yang ada: {names}.")


def portal_name(folder: Path) -> str:
    """What `portal.toml` calls the portal; "" if it does not tell."""
    return _told(folder, "name")


def sample_portal() -> str:
    """The code of the shipped portal; "" where the source did not come along."""
    return _told(SAMPLE, "code")


def _told(folder: Path, key: str) -> str:
    try:
        return str(tomllib.loads((folder / "portal.toml").read_text("utf-8")).get(key, ""))
    except (OSError, ValueError):
        return ""


def fingerprint(folder: Path | None) -> str:
    """Changes with every byte of the files that describe a portal; "" without a folder."""
    if folder is None:
        return ""
    digest = hashlib.sha256()
    for name in FILES:
        if (folder / name).is_file():
            content = (folder / name).read_bytes()
            digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:32]


def versions(settings: Settings, portal: str) -> list[Version]:
    """Newest first; none before the first change."""
    store, in_use = _store(settings.home, portal), _kept(settings.home, portal)
    return [_version(folder, folder == in_use) for folder in reversed(_folders(store))]


def change(settings: Settings, portal: str, seen: str, edit: Callable[[Path], str], *, by: str) -> Version | None:
    """Has a copy of the portal's folder edited, checks it whole, and puts it in place of the present one in one step.

    `edit` changes files of the folder it gets and returns in a sentence what it did. `seen` is the fingerprint of
    what whoever asks was looking at. None if nothing is different afterwards.

    Raises:
        PortalChangedError: the folder is no longer what was seen.
        PortalError: what came out cannot be used; every fault is named and nothing has changed.
    """
    with _held(settings.home, portal) as store:
        base = _described(settings, portal)
        if fingerprint(base) != seen:
            raise PortalChangedError
        with tempfile.TemporaryDirectory(prefix=_DRAFT, dir=store) as made:
            draft = Path(made) / "portal"
            _copy(base, draft)
            what = edit(draft)
            if load_portal(draft).code != portal:
                raise PortalError("Folder portal belum bisa dipakai:", [f"portal.toml: code harus tetap {portal}"])
            if fingerprint(draft) == seen:
                return None
            at = datetime.now(UTC).isoformat(timespec="seconds")
            if base and not _kept(settings.home, portal):
                first = Path(made) / "release"
                _copy(base, first)
                _stored(store, first, {"at": at, "by": "", "what": "Sebagaimana dalam rilis yang berlaku."})
            return _put(settings.home, portal, draft, {"at": at, "by": by, "what": what})


def restore(settings: Settings, portal: str, number: int, seen: str, by: str) -> Version | None:
    """Puts the files of an earlier version in place again, as a new version. Raises as `change`, and
    `NoPortalFolderError` for a version that is not there."""
    found = next((version for version in versions(settings, portal) if version.number == number), None)
    if found is None:
        raise NoPortalFolderError(f"Versi {number} tidak ada pada portal ini.")

    def copied(draft: Path) -> str:
        for name in FILES:
            (draft / name).unlink(missing_ok=True)
        _copy_files(found.folder, draft)
        return f"Versi {number} dikembalikan."

    return change(settings, portal, seen, copied, by=by)


def adopt(settings: Settings, portal: str, source: Path, by: str) -> Version | None:
    """Begins the folder of a portal that has none with a copy of `source`. Raises as `change`."""

    def copied(draft: Path) -> str:
        _copy_files(source, draft)
        return "Folder portal dimulai dari contoh."

    return change(settings, portal, "", copied, by=by)


def _store(home: Path, portal: str) -> Path:
    return home / "portals" / f"{Path(portal).name}{_VERSIONS}"


def _kept(home: Path, portal: str) -> Path | None:
    place = home / "portals" / Path(portal).name
    if place.is_dir():
        return place.resolve() if place.is_symlink() else place
    # A change was cut short between taking an operator's folder up as a version and putting the link in its place.
    return next(iter(reversed(_folders(_store(home, portal)))), None)


def _folders(store: Path) -> list[Path]:
    """Every version's folder, oldest first."""
    found = (path for path in store.resolve().glob("[0-9]*") if path.is_dir() and path.name.isdigit())
    return sorted(found, key=lambda path: int(path.name))


def _version(folder: Path, in_use: bool) -> Version:
    try:
        told = orjson.loads(folder.with_suffix(".json").read_bytes())
    except (OSError, ValueError):
        moment = datetime.fromtimestamp((folder / PORTAL_FILES[0]).stat().st_mtime, UTC)
        told = {"at": moment.isoformat(), "by": "", "what": "Folder sebagaimana ditaruh operator."}
    at = datetime.fromisoformat(told["at"])
    return Version(int(folder.name), folder, at, told["by"], told["what"], in_use)


@contextmanager
def _held(home: Path, portal: str) -> Iterator[Path]:
    """The store of versions, which nobody else changes meanwhile; what killed changes left there is gone."""
    store = _store(home, portal)
    store.mkdir(parents=True, exist_ok=True)
    with (store / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for draft in store.glob(f"{_DRAFT}*"):
            shutil.rmtree(draft, ignore_errors=True)
        yield store


def _copy(base: Path | None, draft: Path) -> None:
    """All files of a folder. Those that do not describe the portal, such as a history that lies beside, may be large
    and are linked."""
    draft.mkdir()
    for path in base.iterdir() if base else ():
        if path.name not in FILES and path.is_file() and not path.is_symlink():
            try:
                os.link(path, draft / path.name)
            except OSError:
                shutil.copyfile(path, draft / path.name)
    if base:
        _copy_files(base, draft)


def _copy_files(source: Path, target: Path) -> None:
    for name in FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)


def _put(home: Path, portal: str, draft: Path, told: Mapping[str, str]) -> Version:
    """Makes a draft the version in use. Killed at any step, the portal is described as before or as after."""
    store, place = _store(home, portal), home / "portals" / Path(portal).name
    if place.is_dir() and not place.is_symlink():
        taken_up = _next(store)
        place.rename(taken_up)
        _link(place, taken_up)
    folder = _stored(store, draft, told)
    _link(place, folder)
    for old in _folders(store)[:-MOST_VERSIONS]:
        shutil.rmtree(old)
        old.with_suffix(".json").unlink(missing_ok=True)
    return _version(folder.resolve(), in_use=True)


def _stored(store: Path, draft: Path, told: Mapping[str, str]) -> Path:
    """A draft as the newest version, on the disk."""
    folder = _next(store)
    folder.with_suffix(".json").write_bytes(orjson.dumps(dict(told)))
    for path in (*draft.iterdir(), folder.with_suffix(".json")):
        with path.open("rb") as file:
            os.fsync(file.fileno())
    flush_folder(draft)
    draft.rename(folder)
    flush_folder(store)
    return folder


def _next(store: Path) -> Path:
    """Where the next version goes."""
    newest = next(iter(reversed(_folders(store))), None)
    return store / f"{int(newest.name) + 1 if newest else 1:04}"


def _link(place: Path, folder: Path) -> None:
    """Makes `place` a link to a version, in one step."""
    draft = place.with_name(f"{_DRAFT}{place.name}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(folder.relative_to(place.parent))
    draft.replace(place)
    flush_folder(place.parent)
