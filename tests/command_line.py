"""`aduan` as a process of its own: as it is installed, or as a child that has imported everything already."""

import csv
import os
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from live_service import ADUAN
from publisher import PROCESSES

from service.cli import main
from service.cli.commands import COMMANDS

PROCESSES.set_forkserver_preload(
    ["training.portal_derivation", "training.publishing", *(place.partition(":")[0] for place, _ in COMMANDS.values())]
)
Outcome = subprocess.CompletedProcess[str]
Command = Sequence[str | Path]


def installed(home: Path, *arguments: str | Path, given: str = "") -> Outcome:
    environment = {**os.environ, "ADUAN_HOME": str(home), "COLUMNS": "200"}
    return subprocess.run(
        [ADUAN, *arguments], input=given, env=environment, capture_output=True, text=True, timeout=180, check=False
    )


def command(home: Path, number: int, arguments: Sequence[str]) -> None:
    """For a process of its own: the command line, its output in files of the home folder."""
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(home / f"{name}-{number}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    os.environ |= {"ADUAN_HOME": str(home), "COLUMNS": "200"}
    sys.argv = ["aduan", *arguments]
    main()


def started(home: Path, number: int, arguments: Command) -> ForkServerProcess:
    """`aduan` in a child of a server that has imported everything, so that it starts in a moment."""
    process = PROCESSES.Process(target=command, args=(home, number, [str(word) for word in arguments]))
    process.start()
    return process


def together(home: Path, *commands: Command) -> list[Outcome]:
    """What commands that do not depend on each other say and how they end, side by side."""
    processes = [started(home, number, arguments) for number, arguments in enumerate(commands)]
    found = []
    for number, process in enumerate(processes):
        process.join()
        said = [(home / f"{name}-{number}").read_text("utf-8") for name in ("out", "err")]
        for name in ("out", "err"):
            (home / f"{name}-{number}").unlink()
        found.append(Outcome([], process.exitcode or 0, *said))
    return found


def aduan(home: Path, *arguments: str | Path) -> Outcome:
    return together(home, arguments)[0]


def assert_named_failure(outcome: Outcome, *words: str) -> None:
    assert (outcome.returncode, outcome.stdout) == (1, ""), outcome.stderr
    assert "Traceback" not in outcome.stderr
    for word in words:
        assert word in outcome.stderr


def write_csv(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def snapshot(folder: Path) -> dict[str, int]:
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*")}
