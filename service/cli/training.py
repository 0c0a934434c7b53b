"""`aduan train`, `aduan evaluate`: from labelled data to a measured release."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from router_model.errors import DatasetError
from router_model.portal import load_portal
from router_model.registry import promote
from service.cli.output import AsJson, Registry, progress, result_json, result_table, say, show_scores
from service.serving import serving_release
from training.dataset import MOST_SHOWN, Example, LabelFault, load_examples
from training.evaluation import evaluate as measure
from training.publishing import publish
from training.reading import parse_moment
from training.trainer import seen_key
from training.trainer import train as train_router

PortalFolder = Annotated[Path, typer.Option("--portal", help="Folder portal.")]
Until = Annotated[str, typer.Option(help="Hanya laporan yang masuk sebelum tanggal ini (ISO 8601).")]
From = Annotated[str, typer.Option("--from", help="Hanya laporan yang masuk mulai tanggal ini (ISO 8601).")]


def train(
    portal: PortalFolder,
    registry: Registry,
    data: Annotated[list[Path] | None, typer.Argument(help="Data berlabel.")] = None,
    until: Until = "",
    as_json: AsJson = False,
) -> None:
    """Melatih, menguji maju menurut waktu, menerbitkan rilis, dan memberlakukannya."""
    if not data:
        raise DatasetError("Beri sedikitnya satu berkas data berlabel, misalnya complaints.csv.")
    described = load_portal(portal)
    rows, faults = load_examples(data, described)
    _report_faults(faults)
    rows = _within(rows, "", until)
    with progress() as call:
        trained = train_router(rows, described, call)
    release_id = publish(trained, rows, portal, registry)
    promote(registry, release_id)
    say(f"Rilis {release_id} terbit dan berlaku untuk portal {described.code}.")
    if as_json:
        result_json({"release": release_id, **trained.scores})
    else:
        show_scores(f"{release_id}: diuji pada {trained.scores['rows']} laporan terakhir", trained.scores)


def evaluate(
    data: Annotated[Path, typer.Argument(help="Data berlabel yang tidak dipakai melatih.")],
    registry: Registry,
    release: Annotated[str, typer.Option(help="Nomor rilis; bawaan yang berlaku.")] = "",
    since: From = "",
    until: Until = "",
    classes: Annotated[bool, typer.Option(help="Tabel per kelas.")] = False,
    as_json: AsJson = False,
) -> None:
    """Menilai sebuah rilis pada data berlabel; laporan yang pernah dilihatnya dilewati."""
    serving = serving_release(registry, release)
    opened = serving.release
    rows, faults = load_examples([data], opened.portal)
    _report_faults(faults)
    rows = _within(rows, since, until)
    seen = set(np.load(opened.folder / "seen.npy", allow_pickle=False).tolist())
    fresh = [row for row in rows if seen_key(row.complaint) not in seen]
    if len(fresh) < len(rows):
        say(f"{len(rows) - len(fresh)} laporan dilewati karena sudah dilihat saat melatih.")
    if not fresh:
        raise DatasetError("Semua laporan sudah dilihat saat melatih; tidak ada yang dapat dinilai.")
    report = measure(serving.router, fresh, classes=True)
    if as_json:
        result_json({"release": opened.id, **report})
        return
    show_scores(f"{opened.id} pada {len(fresh)} laporan", report)
    if classes:
        for answer, table in report["classes"].items():
            result_table(
                answer,
                ("kelas", "n", "ketepatan", "kelengkapan"),
                [(row["class"], row["support"], _figure(row["precision"]), _figure(row["recall"])) for row in table],
            )


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _report_faults(faults: list[LabelFault]) -> None:
    if faults:
        say(f"{len(faults)} label tidak dikenal portal dan tidak dipelajari; barisnya tetap dipakai untuk yang lain:")
        for fault in faults[:MOST_SHOWN]:
            say(f"  - {fault}")
        if len(faults) > MOST_SHOWN:
            say(f"  - dan {len(faults) - MOST_SHOWN} lagi; lihat semuanya dengan: aduan check DATA --portal DIR")


def _moment(value: str, option: str) -> datetime:
    moment = parse_moment(value)
    if moment is None:
        raise typer.BadParameter(f"{value!r} bukan tanggal, contoh: 2026-01-31", param_hint=option)
    return moment


def _within(rows: list[Example], since: str, until: str) -> list[Example]:
    kept = rows
    if since:
        start = _moment(since, "--from")
        kept = [row for row in kept if row.received_at and row.received_at >= start]
    if until:
        end = _moment(until, "--until")
        kept = [row for row in kept if row.received_at and row.received_at < end]
    if not kept:
        raise DatasetError(f"Tidak ada laporan dalam rentang {since or '-'} sampai {until or '-'}.")
    return kept
