"""How often the answers are right: python -m benchmarks.accuracy

The sample: trained on complaints.csv, asked about gold.csv. Real histories, where ../shared/realdata exists:
trained on the first 80 % by time, asked about the rest, once with a portal derived from the whole file and
once with a portal that knows only what the training rows hold.
"""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from router_model.portal import load_portal
from training.dataset import examples
from training.evaluation import evaluate
from training.portal_derivation import derive
from training.reading import Row, read_rows
from training.trainer import train

SAMPLE = Path("data/labeled_sample/denpasar")
REAL = Path("../shared/realdata")
HISTORIES = ("surabaya_wargaku.csv", "sp4n_kab_bandung.csv")
FIGURES = ("accuracy", "top3", "macro_f1", "coverage_at_90", "coverage_at_95", "ece")


def show(title: str, report: Mapping[str, Any]) -> None:
    sys.stdout.write(f"\n{title}\n{'':13}" + "".join(f"{name:>15}" for name in ("n", *FIGURES)) + "\n")
    for answer, row in report["answers"].items():
        sys.stdout.write(f"{answer:13}{row['n']:15}" + "".join(f"{row[name]:15.3f}" for name in FIGURES) + "\n")
    sys.stdout.flush()


def measured(title: str, portal_folder: Path, rows: Sequence[Row], asked: Sequence[Row]) -> None:
    """Rows whose label the portal does not know are not asked; how many is said."""
    portal = load_portal(portal_folder)
    known, _ = examples(rows, portal)
    tested, faults = examples(asked, portal)
    start = perf_counter()
    router = train(known, portal).router
    took = perf_counter() - start
    report = evaluate(router, tested)
    show(f"{title}: {len(known)} dilatih dalam {took:.0f} detik, {len(faults)} label tak dikenal", report)
    for route, row in report["routes"].items():
        sys.stdout.write(f"  {route:11} {row['share']:.3f}  tepat {row.get('precision', float('nan')):.3f}\n")


def main() -> None:
    measured("Contoh Denpasar, gold.csv", SAMPLE, read_rows(SAMPLE / "complaints.csv"), read_rows(SAMPLE / "gold.csv"))
    for name in HISTORIES:
        if not (REAL / name).is_file():
            sys.stdout.write(f"\n{REAL / name} tidak ada di mesin ini; ukuran ini dilewati.\n")
            continue
        rows = sorted(read_rows(REAL / name), key=lambda row: row.get("received_at"))
        cut = int(0.8 * len(rows))
        for title, source in (("portal dari seluruh berkas", rows), ("portal dari bagian latih", rows[:cut])):
            with tempfile.TemporaryDirectory() as folder:
                derive(source, Path(folder) / "portal", "riwayat")
                measured(f"{name}, {title}", Path(folder) / "portal", rows[:cut], rows[cut:])


if __name__ == "__main__":
    main()
