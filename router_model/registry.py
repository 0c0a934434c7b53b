"""The registry: a folder of releases, and the history that says which of them is in force.

`history.jsonl` is the only truth. Each promotion and each rollback adds one line and no line is ever changed; the
release in force for a portal is the one that its last complete line names. Readers take no lock: they see the
history with a new line or without it. Writers take turns by `fcntl.flock` on the history itself, within one
machine and on file systems that pass locks on. The module needs a POSIX system, as publishing does, which flushes
folders to disk.
"""

import errno
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

import orjson

from router_model.errors import ReleaseError
from router_model.release import Release, bulleted, cause, open_release, read_manifest

HISTORY = "history.jsonl"
PROMOTE, OVERRULE, ROLLBACK = "promote", "overrule", "rollback"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history: at this moment (ISO 8601) `release` took the place of `previous` for a portal.

    `action` is "promote", "overrule" (promoted against objections, for a reason) or "rollback"; `verdict` is what
    the gate had said, if it was asked; `request` names what was asked for, so that asking again changes nothing.
    """

    at: str
    portal: str
    release: str
    previous: str | None
    action: str
    by: str
    reason: str
    verdict: Mapping[str, Any] | None
    request: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A release folder as its manifest describes it; a broken one has a fault and no manifest."""

    id: str
    manifest: Mapping[str, Any] | None
    fault: str = ""


def entries(registry: Path) -> list[Entry]:
    """Every release folder, oldest first by creation time, then the broken ones. Only manifests are looked at."""
    found = []
    for folder in sorted(registry.glob("[!.]*/")):
        try:
            found.append(Entry(folder.name, read_manifest(folder)))
        except ReleaseError as error:
            found.append(Entry(folder.name, None, str(error)))
    return sorted(found, key=lambda entry: (1, "") if entry.manifest is None else (0, entry.manifest["created_at"]))


def release_ids(registry: Path) -> list[str]:
    """Releases with a sound manifest, oldest first by creation time."""
    return [entry.id for entry in entries(registry) if entry.manifest is not None]


def release_folder(registry: Path, release_id: str) -> Path:
    """Raises `ReleaseError` for an id that would lead out of the registry or to a draft."""
    if not release_id or release_id[0] == "." or "\0" in release_id or Path(release_id).name != release_id:
        raise ReleaseError(f"{release_id!r} bukan nomor rilis. Lihat yang ada: aduan release list")
    return registry / release_id


def history(registry: Path) -> list[Event]:
    """Every event, oldest first. A last line without its end was never completed and does not count.

    Raises:
        ReleaseError: a complete line cannot be read; which release is in force is then not known.
    """
    try:
        content = (registry / HISTORY).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return []
    return _events(content, registry)


def _events(content: bytes, registry: Path) -> list[Event]:
    found = []
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        try:
            found.append(_event(orjson.loads(line)))
        except (LookupError, TypeError, ValueError):
            raise ReleaseError(
                f"{registry / HISTORY} baris {number} rusak, sehingga rilis yang berlaku tidak pasti. "
                "Pulihkan berkas itu dari cadangan."
            ) from None
    return found


def _event(values: Mapping[str, Any]) -> Event:
    # Lines of version 0.1.0 have no `request`.
    event = Event(**{field.name: values[field.name] for field in fields(Event) if field.name != "request"})
    event = replace(event, request=values.get("request", ""))
    texts = (event.at, event.portal, event.release, event.action, event.by, event.reason, event.request)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError
    return event


def champions(registry: Path) -> dict[str, str]:
    """Portal code to the release in force."""
    return {event.portal: event.release for event in history(registry)}


def champion(registry: Path, portal: str | None = None) -> Release:
    """The release in force, of the only portal if none is named.

    Raises:
        ReleaseError: nothing in force, several portals and none named, or a release that cannot be trusted.
    """
    in_force = champions(registry)
    if not in_force or (portal is not None and portal not in in_force):
        raise ReleaseError(f"Belum ada rilis yang berlaku di {registry}. Latih dahulu: aduan train DATA --portal DIR")
    if portal is None and len(in_force) > 1:
        raise ReleaseError(f"Ada beberapa portal: {', '.join(sorted(in_force))}. Sebutkan dengan --release.")
    portal = portal or next(iter(in_force))
    try:
        return open_release(release_folder(registry, in_force[portal]))
    except ReleaseError as error:
        raise ReleaseError(f"{error}\nKembali ke pendahulunya: aduan release rollback --portal {portal}") from None


def lineage(events: Iterable[Event], portal: str) -> list[str]:
    """The releases that rolling back returns to, nearest last, and at the end the one in force.

    An undo stack: a promotion puts its release on top unless it is there already, a rollback takes the top off.
    Rolling back twice thus goes back twice, and what a rollback has left is not returned to by the next one.
    """
    stack: list[str] = []
    for event in events:
        if event.portal != portal:
            continue
        if event.action == ROLLBACK:
            stack = stack[:-1]
        if stack[-1:] != [event.release]:
            stack.append(event.release)
    return stack


def objections(manifest: Mapping[str, Any], in_force: str | None) -> list[str]:
    """Why a release should not be put in force without a stated reason: its gate disagreed, or agreed against
    another release than the one it would replace. Empty if nothing speaks against it, as for a portal's first
    release, for the one in force, and for a release that met no gate."""
    gate = manifest.get("gate")
    if gate is None or manifest["id"] == in_force:
        return []
    found = [] if gate["agrees"] else list(gate["reasons"]) or ["Uji banding menolaknya tanpa menyebut sebab."]
    if in_force is not None and gate["against"] != in_force:
        against = gate["against"] or "rilis mana pun"
        found.append(f"Belum diuji banding dengan {in_force} yang sekarang berlaku (diuji dengan {against}).")
    return found


def promote(
    registry: Path,
    release_id: str,
    *,
    by: str = "",
    reason: str = "",
    verdict: Mapping[str, Any] | None = None,
    now: datetime | None = None,
    request: str = "",
) -> Event:
    """Puts a release in force for its portal, verified, in one step: readers see the old one or the new one.

    `verdict` is a newer word of the gate than the one in the manifest and counts in its place. A `request` that
    came before, if it has a name, gives the event of that time.

    Raises:
        ReleaseError: the release cannot be trusted, or there are `objections` and no reason to overrule them;
            what was in force stays.
    """
    manifest = open_release(release_folder(registry, release_id)).manifest
    judged = {**manifest, "gate": verdict or manifest.get("gate")}
    portal = manifest["portal"]
    with _held_history(registry) as held:
        if before := requested(held.events, portal, request):
            return before
        previous = next(iter(lineage(held.events, portal)[-1:]), None)
        found = objections(judged, previous)
        if found and not _text(reason):
            raise ReleaseError(
                f"Rilis {release_id} tidak diberlakukan:\n{bulleted(found)}\n"
                'Bila tetap harus berlaku, ulangi dengan --reason "..."; alasan itu dicatat.'
            )
        action = OVERRULE if found else PROMOTE
        event = Event(
            _moment(now), portal, release_id, previous, action, _text(by), _text(reason), judged["gate"], request
        )
        held.append(event)
    return event


def rollback(
    registry: Path, portal: str, by: str = "", reason: str = "", now: datetime | None = None, request: str = ""
) -> Event:
    """Returns to the release that was in force before the one now in force; see `lineage`. A `request` counts once,
    as in `promote`.

    Raises:
        ReleaseError: there is none, or it cannot be trusted; what was in force stays.
    """
    if portal not in champions(registry):
        raise ReleaseError(f"Tidak ada rilis yang berlaku untuk portal {portal}.")
    with _held_history(registry) as held:
        if earlier := requested(held.events, portal, request):
            return earlier
        *before, current = lineage(held.events, portal)
        if not before:
            raise ReleaseError(f"Rilis {current} tidak punya pendahulu; ia yang pertama berlaku bagi portal {portal}.")
        open_release(release_folder(registry, before[-1]))
        event = Event(_moment(now), portal, before[-1], current, ROLLBACK, _text(by), _text(reason), None, request)
        held.append(event)
    return event


def requested(events: Iterable[Event], portal: str, request: str) -> Event | None:
    """What was done under the name of a request; nothing goes by the name ""."""
    return next((event for event in events if request and (event.portal, event.request) == (portal, request)), None)


def _text(value: str) -> str:
    """As it can be written in UTF-8; an argument of a command line may hold bytes that are no text."""
    return value.strip().encode("utf-8", "replace").decode("utf-8")


def _moment(now: datetime | None) -> str:
    return (now or datetime.now(UTC)).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class _HeldHistory:
    """The history, held against other writers: what it says, and where its last complete line ends."""

    file: FileIO
    folder: Path
    events: list[Event]
    end: int

    def append(self, event: Event) -> None:
        """Writes one line to the disk, or nothing."""
        line = orjson.dumps(asdict(event), option=orjson.OPT_APPEND_NEWLINE)
        # What a power cut left of a line never counted; without it this line starts on its own.
        self.file.truncate(self.end)
        try:
            if self.file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self.file.fileno())
            flush_folder(self.folder)
        except OSError:
            self.file.truncate(self.end)
            raise


@contextmanager
def _held_history(registry: Path) -> Iterator[_HeldHistory]:
    try:
        with (registry / HISTORY).open("ab+", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            content = file.readall()
            yield _HeldHistory(file, registry, _events(content, registry), content.rfind(b"\n") + 1)
    except OSError as error:
        raise ReleaseError(f"{registry / HISTORY} tidak dapat ditulis: {cause(error)}.") from error


def flush_folder(folder: Path) -> None:
    """Has the disk remember which names a folder holds."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
