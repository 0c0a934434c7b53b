"""Labelled data as the commands take it: files, a portal, a span of time, and what could not be used."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from router_model.errors import DatasetError
from router_model.portal import Portal
from service.cli.output import say
from training.column_mapping import load_mapping
from training.dataset import MOST_SHOWN, Example, LabelFault, LabelMapping, examples, label_mappings
from training.reading import Row, parse_moment, read_table

PortalFolder = Annotated[Path, typer.Option("--portal", help="Folder portal.")]
Until = Annotated[str, typer.Option(help="Hanya laporan yang masuk sebelum tanggal ini (ISO 8601).")]
From = Annotated[str, typer.Option("--from", help="Hanya laporan yang masuk mulai tanggal ini (ISO 8601).")]
Columns = Annotated[
    Path | None, typer.Option("--columns", help="Berkas padanan kolom (TOML); usulannya dibuat aduan check.")
]


def rows_of(paths: Sequence[Path], columns: Path | None) -> list[Row]:
    """The rows of several files together; those that cannot be read are named and left out."""
    mapping = load_mapping(columns) if columns else None
    tables = [read_table(path, mapping) for path in paths]
    if unread := [fault for table in tables for fault in table.faults]:
        _list(f"{len(unread)} baris tidak terbaca dan dilewati:", unread)
    return [row for table in tables for row in table.rows]


def labelled(
    paths: Sequence[Path], portal: Portal, columns: Path | None
) -> tuple[list[Example], list[LabelFault], list[LabelMapping]]:
    """Examples of several files together, oldest first, labels that cannot be learned, and labels that are learned
    under another name.

    Raises:
        DatasetError: a file cannot be read, or no row holds a label that the portal knows.
    """
    rows = rows_of(paths, columns)
    found, faults = examples(rows, portal)
    if not found:
        raise DatasetError(
            f"Tidak ada baris dengan label yang dikenal portal {portal.code}.",
            [str(fault) for fault in faults[:MOST_SHOWN]],
        )
    return found, faults, [item for item in label_mappings(rows, portal) if item.rule != "alias"]


def _list(title: str, lines: Sequence[object]) -> None:
    say(title)
    for line in lines[:MOST_SHOWN]:
        say(f"  - {line}")
    if len(lines) > MOST_SHOWN:
        say(f"  - dan {len(lines) - MOST_SHOWN} lagi; lihat semuanya dengan: aduan check DATA --portal DIR")


def report_faults(faults: Sequence[LabelFault]) -> None:
    if faults:
        _list(f"{len(faults)} label tidak dapat dipelajari; barisnya tetap dipakai untuk jawaban yang lain:", faults)


def moment_of(value: str, option: str) -> datetime:
    moment = parse_moment(value)
    if moment is None:
        raise typer.BadParameter(f"{value!r} bukan tanggal, contoh: 2026-01-31", param_hint=option)
    return moment


def within(rows: list[Example], since: str, until: str) -> list[Example]:
    kept = rows
    if since:
        start = moment_of(since, "--from")
        kept = [row for row in kept if row.received_at and row.received_at >= start]
    if until:
        end = moment_of(until, "--until")
        kept = [row for row in kept if row.received_at and row.received_at < end]
    if not kept:
        raise DatasetError(f"Tidak ada laporan dalam rentang {since or '-'} sampai {until or '-'}.")
    return kept
