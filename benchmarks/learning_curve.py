"""What labels are worth, with shipped knowledge and without: python -m benchmarks.learning_curve [PLOT.svg]

Surabaya's last fifth in time is asked of releases that learned from the newest 0 to 8,000 labels before it. The portal
is that of a new city, see `benchmarks.dayone`.
"""

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.dayone import CITIES, REAL, in_time, new_city
from router_model.portal import Portal
from training.dataset import Example
from training.evaluation import evaluation_of
from training.reading import read_rows
from training.trainer import train

LABELS = (0, 100, 300, 1_000, 3_000, 8_000)
FILE = REAL / CITIES["Surabaya"]


def accuracy(known: Sequence[Example], asked: Sequence[Example], portal: Portal) -> tuple[float, float]:
    """Of `agency_kind`: right, and among the first three."""
    router = train(known, portal).router
    found = evaluation_of(router.suggest_many([row.complaint for row in asked]), asked)["answers"]["agency_kind"]
    return found["accuracy"], found["top3"]


def plot(path: Path, blend: Sequence[float], alone: Sequence[float]) -> None:
    mpl.rcParams["svg.hashsalt"] = "aduan"
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(LABELS, blend, marker="o", label="dengan pengetahuan bawaan")
    axes.plot(LABELS[1:], alone, marker="s", label="hanya data sendiri")
    axes.set_xscale("symlog", linthresh=100)
    axes.set_xticks(LABELS, [f"{count:,}".replace(",", ".") for count in LABELS])
    axes.set_xlabel("laporan berlabel")
    axes.set_ylabel("jenis instansi tepat")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def main(out: Path | None = None) -> None:
    if not FILE.is_file():
        sys.stdout.write(f"{FILE} tidak ada di mesin ini; ukuran ini dilewati.\n")
        return
    rows = list(read_rows(FILE))
    with tempfile.TemporaryDirectory() as folder:
        portal = new_city(rows, "Surabaya", Path(folder))
    alone_portal = replace(portal, settings={**portal.settings, "knowledge": False})
    history = in_time(rows, portal)
    cut = round(0.8 * len(history))
    blend, alone = [], []
    for count in LABELS:
        known, asked = history[cut - count : cut], history[cut:]
        with_it = accuracy(known, asked, portal)
        blend.append(with_it[0])
        line = f"{count:6} label: dengan pengetahuan bawaan {with_it[0]:.3f} (tiga teratas {with_it[1]:.3f})"
        if count:
            without = accuracy(known, asked, alone_portal)
            alone.append(without[0])
            line += f", hanya data {without[0]:.3f} ({without[1]:.3f})"
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    if out:
        plot(out, blend, alone)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
