"""Lives real histories again, week by week: python -m benchmarks.replay

Surabaya from the first ticket after 80 % of them, Kabupaten Bandung through 2023, where ../shared/realdata exists.
"""

import sys
import tempfile
from datetime import datetime
from pathlib import Path
from time import perf_counter

from benchmarks.accuracy import HISTORIES, REAL, show
from router_model.portal import load_portal
from training.dataset import examples
from training.portal_derivation import derive
from training.reading import read_rows
from training.replay import replay

SINCE = {"sp4n_kab_bandung.csv": datetime(2023, 1, 1)}


def main(every: str = "week") -> None:
    for name in HISTORIES:
        if not (REAL / name).is_file():
            sys.stdout.write(f"\n{REAL / name} tidak ada di mesin ini; ukuran ini dilewati.\n")
            continue
        rows = read_rows(REAL / name)
        with tempfile.TemporaryDirectory() as folder:
            derive(rows, Path(folder) / "portal", "riwayat")
            portal = load_portal(Path(folder) / "portal")
        known, _ = examples(rows, portal)
        since = SINCE.get(name) or known[int(0.8 * len(known))].received_at
        assert since is not None  # noqa: S101
        start = perf_counter()
        lived = replay(known, portal, since, every=every)
        show(f"{name} sejak {since:%Y-%m-%d}, dilatih ulang tiap {every}", lived)
        for route, row in lived["routes"].items():
            sys.stdout.write(f"  {route:11} {row['share']:.3f}  tepat {row.get('precision', float('nan')):.3f}\n")
        show("  model pertama, tanpa latih ulang", lived["static"])
        plain = ", ".join(f"{answer} {right:.3f}" for answer, right in lived["plain"].items())
        sys.stdout.write(f"  TF-IDF dan LinearSVC, dilatih ulang pada hari yang sama: {plain}\n")
        sys.stdout.write(f"  {lived['repeated']:.1%} laporan berulang; {perf_counter() - start:.0f} detik\n")


if __name__ == "__main__":
    main(*sys.argv[1:2])
