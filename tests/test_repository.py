"""What is kept under version control is true, portable and free of what does not belong there."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from service.cli import app

ROOT = Path(__file__).parents[1]
NOT_SOURCE = {
    ".db", ".sqlite", ".sqlite3", ".db-wal", ".npy", ".npz", ".joblib", ".pkl", ".pickle", ".skops", ".onnx", ".pt",
    ".safetensors", ".gguf", ".bin", ".model", ".whl", ".so", ".pyc",
}  # fmt: skip
NOT_SOURCE_FOLDERS = {".venv", "venv", "site-packages", "node_modules", "__pycache__", "var", "registry"}


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def documents() -> list[Path]:
    readme = ROOT / "README.md"
    return [*([readme] if readme.is_file() else []), *sorted((ROOT / "docs").glob("*.md"))]


def commands(document: Path) -> Iterator[list[str]]:
    """Each `aduan …` of the fenced blocks, as words; a line that ends with a backslash goes on."""
    for block in re.findall(r"^```[^\n]*\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n", " ").splitlines():
            for part in re.split(r"\||&&|;", line):
                if match := re.search(r"(?:^|[\s/$(])aduan\s+(.*)", part.strip()):
                    yield shlex.split(match[1], comments=True)


def fault(words: list[str]) -> str | None:
    """What the command line would not understand of a command in a document."""
    command: Any = typer.main.get_command(app)
    rest = list(words)
    while hasattr(command, "commands"):
        name = rest.pop(0) if rest else ""
        if not name or name == "--help":
            return None
        if name not in command.commands:
            return f"no command {name!r}"
        _, command, _ = command.resolve_command(typer.Context(command), [name])
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    unknown = [word for word in rest if word.startswith("--") and word.partition("=")[0] not in known]
    return f"no option {', '.join(unknown)}" if unknown else None


@pytest.mark.skipif(not documents(), reason="no document yet")
def test_every_command_named_in_a_document_exists() -> None:
    found = [(document.name, words) for document in documents() for words in commands(document)]
    assert [f"{name}: aduan {shlex.join(words)}: {fault(words)}" for name, words in found if fault(words)] == []


@pytest.mark.skipif(not documents(), reason="no document yet")
def test_every_link_of_a_document_to_a_file_leads_to_one() -> None:
    broken = [
        f"{document.name}: {target}"
        for document in documents()
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text("utf-8"))
        if "://" not in target and not target.startswith("mailto:") and not (document.parent / target).exists()
    ]
    assert broken == []


def test_every_locked_package_is_pinned_and_hashed_and_none_comes_from_an_address() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8").replace("\\\n", " ")
    entries = [line for line in lock.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    assert len(entries) > 20
    assert "://" not in lock
    assert [entry for entry in entries if not re.match(r"[\w.\-\[\],]+==\S+\s.*--hash=sha256:", entry)] == []


def test_no_tracked_file_names_a_place_on_somebodys_machine(tracked: list[Path]) -> None:
    private = re.compile(rb"(?<![\w.])/(?:" + b"|".join([b"work", b"home", b"Users"]) + rb")/\w")
    holding = [str(path.relative_to(ROOT)) for path in tracked if private.search(path.read_bytes())]
    assert holding == []


def test_no_environment_model_or_database_is_tracked(tracked: list[Path]) -> None:
    strays = [
        str(path.relative_to(ROOT))
        for path in tracked
        if path.suffix in NOT_SOURCE or NOT_SOURCE_FOLDERS & set(path.relative_to(ROOT).parts[:-1])
    ]
    assert strays == []


def test_no_tracked_file_is_larger_than_five_megabytes(tracked: list[Path]) -> None:
    assert [str(path.relative_to(ROOT)) for path in tracked if path.stat().st_size > 5_000_000] == []
