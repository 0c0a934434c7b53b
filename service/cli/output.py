"""How the command line speaks: tables for people, JSON for programs, a progress bar on a terminal."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.progress import Progress as ProgressCall

people = Console(stderr=True, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Hasil sebagai JSON.")]


def home() -> Path:
    return Path(os.environ.get("ADUAN_HOME", "var"))


Registry = Annotated[
    Path,
    typer.Option(
        "--registry",
        help="Folder rilis; bawaan $ADUAN_HOME/registry.",
        default_factory=lambda: home() / "registry",
    ),
]


def say(text: str) -> None:
    people.print(text, markup=False, soft_wrap=True)


def complain(text: str) -> None:
    people.print(f"Gagal: {text}", style="bold red" if people.is_terminal else "", markup=False, soft_wrap=True)


def result(text: str) -> None:
    sys.stdout.write(text + "\n")


def result_json(value: Any) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z).decode() + "\n")


def result_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table on stdout, as wide as its cells need when stdout is not a terminal."""
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 160)
    table = Table(title=title, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="left" if position == 0 else "right")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console.print(table)


@contextmanager
def progress() -> Iterator[ProgressCall]:
    """Stages as bars on a terminal, as plain lines elsewhere; always on stderr."""
    if not people.is_terminal:

        def plain(stage: str, done: int, total: int) -> None:
            if done == 0 or done == total:
                say(f"{stage}: {'mulai' if done == 0 else 'selesai'}")

        yield plain
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=people) as bars:
        tasks: dict[str, Any] = {}

        def bar(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield bar


def show_scores(title: str, report: Mapping[str, Any]) -> None:
    """The figures of CONTRACT as tables: answers, then routes."""
    result_table(
        title,
        ("jawaban", "n", "tepat", "tiga teratas", "macro-F1", "terjawab 90 %", "terjawab 95 %", "ECE"),
        [
            (
                answer,
                row["n"],
                *(
                    f"{row[key]:.3f}"
                    for key in ("accuracy", "top3", "macro_f1", "coverage_at_90", "coverage_at_95", "ece")
                ),
            )
            for answer, row in report["answers"].items()
        ],
    )
    result_table(
        "Rute",
        ("rute", "bagian", "instansi tepat"),
        [
            (route, f"{row['share']:.3f}", f"{row['precision']:.3f}" if "precision" in row else "-")
            for route, row in report["routes"].items()
        ],
    )
    if danger := report.get("danger"):
        result(
            f"Darurat: {danger['darurat']} laporan, {danger['raised']:.3f} di antaranya terangkat; "
            f"alarm palsu {danger['false_alarms']:.3f}"
        )
