"""One file that holds many, each with its SHA-256: whole, or refused before anything of it is used."""

import hashlib
import os
import secrets
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import Any, cast

import orjson

from router_model.errors import AduanError
from router_model.registry import flush_folder

FORMAT = 1
MANIFEST = "manifest.json"
MOST_MANIFEST = 100_000_000
MOST_BYTES = 1_000_000_000_000
MOST_LINE = 1_500_000_000
"""No value of a row is longer in any database."""
_PIECE = 1 << 20
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class ArchiveError(AduanError):
    """A backup that cannot be written, or must not be used."""


class NewArchive:
    """Takes one member after the other."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        self._members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, pieces: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._file.open(name, "w", force_zip64=True) as member:
            for piece in pieces:
                digest.update(piece)
                size += len(piece)
                member.write(piece)
        self._members[name] = {"sha256": digest.hexdigest(), "bytes": size}

    def add_file(self, name: str, path: Path) -> None:
        with path.open("rb") as file:
            self.add(name, iter(lambda: file.read(_PIECE), b""))

    def finish(self, about: Mapping[str, Any]) -> None:
        manifest = {"format": FORMAT, **about, "files": self._members}
        self._file.writestr(MANIFEST, orjson.dumps(manifest, option=orjson.OPT_INDENT_2))


@contextmanager
def new_archive(path: Path, force: bool) -> Iterator[NewArchive]:
    """Readable by its owner only; appears under its name when it is whole and on the disk.

    Raises:
        ArchiveError: the file is there already and `force` is not set, or its folder is not.
    """
    if path.exists() and not force:
        raise ArchiveError(f"{path} sudah ada. Pilih nama lain, atau timpa dengan --force.")
    if not path.parent.is_dir():
        raise ArchiveError(f"Folder {path.parent} tidak ada. Buat dahulu, atau pilih tempat lain.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
                yield NewArchive(opened)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        flush_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


class Archive:
    """A verified archive. `members` are the names of its files with their sizes in bytes."""

    def __init__(self, file: zipfile.ZipFile, manifest: Mapping[str, Any]) -> None:
        self._file = file
        self.manifest = manifest
        self.members: Mapping[str, int] = {name: entry["bytes"] for name, entry in manifest["files"].items()}

    def pieces(self, name: str) -> Iterator[bytes]:
        with self._file.open(name) as member:
            yield from iter(lambda: member.read(_PIECE), b"")

    def lines(self, name: str) -> Iterator[bytes]:
        with self._file.open(name) as member, BufferedReader(cast(RawIOBase, member), _PIECE) as reader:
            yield from iter(lambda: reader.readline(MOST_LINE), b"")


@contextmanager
def opened_archive(path: Path, done: Callable[[int, int], None]) -> Iterator[Archive]:
    """Looks at every byte first; `done` is told how many files of how many were.

    Raises:
        ArchiveError: no archive of this format, or one that was damaged or changed.
    """
    try:
        with zipfile.ZipFile(path) as file:
            yield _verified(file, path, done)
    except zipfile.BadZipFile:
        raise ArchiveError(f"{path} bukan cadangan Aduan, atau rusak.") from None


def _verified(file: zipfile.ZipFile, path: Path, done: Callable[[int, int], None]) -> Archive:
    try:
        members = {info.filename: info for info in file.infolist() if _is_safe(info)}
        if len(members) != len(file.infolist()) or members[MANIFEST].file_size > MOST_MANIFEST:
            raise ArchiveError(f"{path} memuat berkas yang tidak semestinya; jangan dipakai.")
        manifest = orjson.loads(file.read(MANIFEST))
        if manifest["format"] != FORMAT:
            raise ArchiveError(f"{path}: format {manifest['format']} tidak dikenal; pasang versi yang membuatnya.")
        archive = Archive(file, manifest)
        if {MANIFEST, *archive.members} != members.keys() or sum(archive.members.values()) > MOST_BYTES:
            raise ArchiveError(f"{path}: isinya tidak sama dengan daftarnya; jangan dipakai.")
        for number, (name, entry) in enumerate(manifest["files"].items(), 1):
            if members[name].file_size != entry["bytes"] or _digest(archive.pieces(name)) != entry["sha256"]:
                raise ArchiveError(f"{path}: {name} berubah sejak dicadangkan; jangan dipakai.")
            done(number, len(archive.members))
    except (zipfile.BadZipFile, zlib.error, EOFError, LookupError, TypeError, ValueError, AttributeError):
        raise ArchiveError(f"{path} bukan cadangan Aduan, atau rusak.") from None
    return archive


def _is_safe(info: zipfile.ZipInfo) -> bool:
    """A plain file whose name leads nowhere else and names no draft."""
    parts = info.orig_filename.split("/")
    return (
        info.filename == info.orig_filename
        and not any(part in ("", "..") or part.startswith(".") or "\\" in part or "\0" in part for part in parts)
        and stat.S_IFMT(info.external_attr >> 16) in (0, stat.S_IFREG)
        and info.compress_type in _COMPRESSIONS
        and not info.flag_bits & 1
    )


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
