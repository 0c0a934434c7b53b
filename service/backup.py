"""Everything an installation holds as one file, the same for every kind of database, and back.

The secret of the service is not in it.
"""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table
from sqlalchemy.exc import StatementError

from router_model import __version__
from router_model.errors import ReleaseError
from router_model.registry import HISTORY, entries, flush_folder
from router_model.release import MANIFEST, faults, file_hash, open_release, read_manifest
from service.archive import Archive, ArchiveError, NewArchive, new_archive, opened_archive
from service.database import audit, rows
from service.database.connection import check_revision, newest_revision
from service.database.database import Database
from service.database.schema import schema
from training.progress import Progress
from training.publishing import DRAFT

TABLES, REGISTRY, PORTALS = "tables", "registry", "portals"
TALE = f"{REGISTRY}/{HISTORY}"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """`left_out` are releases that cannot be trusted, with their faults."""

    rows: dict[str, int]
    releases: list[str]
    left_out: list[str]


@dataclass(frozen=True, slots=True)
class Restored:
    """`different` are folders that were there with another content, and stay. `history_kept`: which release is in
    force was decided differently here since, and stays so."""

    created_at: str
    rows: dict[str, int]
    audit_added: int
    releases: list[str]
    different: list[str]
    history_kept: bool


def backup(engine: Engine, home: Path, target: Path, *, force: bool, progress: Progress) -> BackedUp:
    """Writes everything as it is at one moment, while others go on reading and writing.

    The rows come first and the releases last, so that what a row names is there.

    Raises:
        ArchiveError: the file cannot be written there.
        DatabaseError: the database does not have the present form.
    """
    about: dict[str, Any] = {"created_at": datetime.now(UTC).isoformat(timespec="seconds"), "version": __version__}
    with new_archive(target, force) as archive:
        with rows.snapshot(engine) as connection:
            check_revision(connection)
            counts = rows.counts(connection)
            step = _steps(progress, "Menyalin basis data", sum(counts.values()))
            for table in schema.sorted_tables:
                archive.add(f"{TABLES}/{table.name}.jsonl", _pieces(rows.lines(connection, table), step))
        releases, left_out = _add_registry(archive, home / REGISTRY, progress)
        for folder in _folders(home / PORTALS):
            for path in _files(folder):
                archive.add_file(f"{PORTALS}/{folder.name}/{path.relative_to(folder).as_posix()}", path)
        archive.finish({**about, "revision": newest_revision(), "tables": counts})
    return BackedUp(counts, releases, left_out)


def _steps(progress: Progress, stage: str, total: int) -> Callable[[int], None]:
    """Tells of so many more steps."""
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        progress(stage, done, total)

    step(0)
    return step


def _pieces(lines: Iterable[bytes], step: Callable[[int], None]) -> Iterator[bytes]:
    for batch in rows.batches(lines):
        yield b"".join(batch)
        step(len(batch))


def _add_registry(archive: NewArchive, registry: Path, progress: Progress) -> tuple[list[str], list[str]]:
    """The history before the releases that it names."""
    if (registry / HISTORY).is_file():
        archive.add(TALE, [_complete((registry / HISTORY).read_bytes())])
    found = entries(registry)
    step = _steps(progress, "Menyalin rilis", len(found))
    releases, left_out = [], []
    for entry in found:
        if problems := faults(registry / entry.id):
            left_out += [f"{entry.id}: {problem}" for problem in problems]
        else:
            for name in (MANIFEST, *read_manifest(registry / entry.id)["files"]):
                archive.add_file(f"{REGISTRY}/{entry.id}/{name}", registry / entry.id / name)
            releases.append(entry.id)
        step(1)
    return releases, left_out


def _complete(content: bytes) -> bytes:
    """Without a last line that was never finished."""
    return content[: content.rfind(b"\n") + 1]


def _folders(parent: Path) -> list[Path]:
    return sorted(folder for folder in parent.glob("[!.]*/") if folder.is_dir())


def _files(folder: Path) -> list[Path]:
    """Plain files; neither hidden ones nor links."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file()
        and not path.is_symlink()
        and not any(part.startswith(".") or "\\" in part for part in path.relative_to(folder).parts)
    )


def restore(database: Database, home: Path, source: Path, *, replace: bool, by: str, progress: Progress) -> Restored:
    """Puts the rows of a backup in place of all others, in one transaction, and adds the releases that are not
    there, while others go on. What stands in the audit log stays there.

    Raises:
        ArchiveError, RowError: the backup must not be used, does not fit this version, or the database is not empty
            and `replace` is not set. Nothing has changed then.
    """
    with opened_archive(source, lambda done, total: progress("Memeriksa cadangan", done, total)) as archive:
        _check_fits(archive, source)
        with database.connect() as connection:
            _check_empty(connection, replace)
        with ExitStack() as stack:
            folders = [stack.enter_context(_staged(archive, kind, home / kind)) for kind in (REGISTRY, PORTALS)]
            connection = stack.enter_context(_staged_rows(database, archive, source, progress))
            _check_empty(connection, replace)
            progress("Mengganti isi basis data", 0, len(schema.sorted_tables))
            added = rows.replace(
                connection, lambda done: progress("Mengganti isi basis data", done, len(schema.sorted_tables))
            )
            placed = [name for staged in folders for name in staged.put()]
            kept = _restore_history(home / REGISTRY, archive)
            audit.record(
                connection,
                portal="",
                who=by,
                action="restore",
                subject=archive.manifest["created_at"],
                detail={"rows": archive.manifest["tables"]},
            )
        different = [name for staged in folders for name in staged.different]
    return Restored(
        archive.manifest["created_at"], archive.manifest["tables"], added, placed, different, history_kept=kept
    )


def _check_empty(connection: Connection, replace: bool) -> None:
    if not replace and not rows.is_empty(connection):
        raise ArchiveError("Basis data sudah berisi. Untuk mengganti seluruh isinya dengan cadangan: --replace")


def _check_fits(archive: Archive, source: Path) -> None:
    about = archive.manifest
    if about.get("revision") != newest_revision():
        raise ArchiveError(
            f"{source} dibuat versi {about.get('version')} (bentuk {about.get('revision')}); versi ini memakai bentuk "
            f"{newest_revision()}. Pulihkan dengan versi yang membuatnya, lalu naikkan versinya."
        )
    tables = {f"{TABLES}/{table.name}.jsonl": table.name for table in schema.sorted_tables}
    known = all(name in tables or name.split("/")[0] in (REGISTRY, PORTALS) for name in archive.members)
    counted = isinstance(about.get("tables"), dict) and about["tables"].keys() == set(tables.values())
    if not (known and counted and tables.keys() <= archive.members.keys()):
        raise ArchiveError(f"{source}: tabelnya tidak lengkap, atau berisi yang tidak dikenal; jangan dipakai.")
    for name, table in tables.items():
        if sum(1 for _ in archive.lines(name)) != about["tables"][table]:
            raise ArchiveError(f"{source}: banyaknya baris {table} tidak sama dengan daftarnya; jangan dipakai.")


@contextmanager
def _staged_rows(database: Database, archive: Archive, source: Path, progress: Progress) -> Iterator[Connection]:
    total = sum(archive.manifest["tables"].values())

    def read(table: Table) -> Iterator[bytes]:
        return archive.lines(f"{TABLES}/{table.name}.jsonl")

    progress("Membaca cadangan", 0, total)
    try:
        with rows.staged(database.engine, read, lambda done: progress("Membaca cadangan", done, total)) as connection:
            yield connection
    except StatementError as error:
        kind = type(error.orig).__name__
        raise ArchiveError(f"Basis data menolak pemulihan {source} ({kind}). Tidak ada yang berubah.") from None


@dataclass(frozen=True, slots=True)
class _Staged:
    """Folders that lie ready in a draft, to be moved to their place in one step each."""

    draft: Path
    place: Path
    names: tuple[str, ...]
    different: tuple[str, ...]

    def put(self) -> list[str]:
        """Returns those that were not there yet."""
        placed = []
        for name in self.names:
            try:
                (self.draft / name).rename(self.place / name)
            except OSError as error:
                # Somebody else put the same folder there in this moment.
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
            else:
                placed.append(name)
        if placed:
            flush_folder(self.place)
        return placed


@contextmanager
def _staged(archive: Archive, kind: str, place: Path) -> Iterator[_Staged]:
    """The folders of this kind that are not in their place yet, written to disk; releases are verified."""
    folders: dict[str, list[str]] = {}
    for member in archive.members:
        top, name, *rest = member.split("/")
        if top == kind and rest:
            folders.setdefault(name, []).append(member)
    missing = {name: members for name, members in folders.items() if not (place / name).exists()}
    different = tuple(
        name for name in folders.keys() - missing.keys() if _differs(archive, folders[name], place.parent)
    )
    if not missing:
        yield _Staged(place, place, (), different)
        return
    place.mkdir(parents=True, exist_ok=True)
    needed = sum(archive.members[member] for members in missing.values() for member in members)
    if shutil.disk_usage(place).free < needed:
        raise ArchiveError(f"Ruang penyimpanan {place} kurang: perlu {needed / 1e6:.0f} MB. Kosongkan sebagian.")
    with tempfile.TemporaryDirectory(prefix=DRAFT, dir=place) as made:
        draft = Path(made)
        for name, members in missing.items():
            for member in members:
                _write(draft / member.removeprefix(f"{kind}/"), archive.pieces(member))
            for folder in (draft / name, *(draft / name).rglob("*/")):
                flush_folder(folder)
            if kind == REGISTRY:
                _verify(draft / name)
        yield _Staged(draft, place, tuple(missing), different)


def _verify(folder: Path) -> None:
    try:
        open_release(folder)
    except ReleaseError as error:
        raise ArchiveError(f"Cadangan memuat rilis yang tidak dapat dipercaya.\n{error}") from None


def _differs(archive: Archive, members: list[str], home: Path) -> bool:
    files = archive.manifest["files"]
    return any(
        not (home / member).is_file() or file_hash(home / member) != files[member]["sha256"] for member in members
    )


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        for piece in pieces:
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())


def _restore_history(registry: Path, archive: Archive) -> bool:
    """Adds what the present history lacks, in one write. True if it tells something else, and was left alone."""
    if TALE not in archive.members:
        return False
    told = b"".join(archive.pieces(TALE))
    registry.mkdir(parents=True, exist_ok=True)
    with (registry / HISTORY).open("ab+", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        present = _complete(file.readall())
        if not told.startswith(present):
            return True
        file.truncate(len(present))
        rest = told[len(present) :]
        if file.write(rest) != len(rest):
            file.truncate(len(present))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(registry / HISTORY))
        os.fsync(file.fileno())
        flush_folder(registry)
    return False
