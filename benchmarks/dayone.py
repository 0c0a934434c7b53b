"""What a new city gets before its first label: python -m benchmarks.dayone

Each city's portal is made from the names of its agencies, villages and districts alone; its complaints are asked of a
release that saw none of them.
"""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from router_model.portal import Portal, load_portal
from training.dataset import Example, examples
from training.evaluation import evaluation_of
from training.portal_derivation import derive_from_names
from training.reading import Row, read_rows
from training.trainer import train

REAL = Path("../shared/realdata")
CITIES = {"Surabaya": "surabaya_wargaku.csv", "Kab. Bandung": "sp4n_kab_bandung.csv"}


def new_city(rows: Sequence[Row], name: str, folder: Path) -> Portal:
    """The portal of a city that knows its agencies and its territory and nothing else."""
    agencies = sorted({row.get("agency") for row in rows} - {""})
    places = sorted({(row.get("village"), row.get("district")) for row in rows} - {("", "")})
    derive_from_names(agencies, places, folder / "portal", name)
    return load_portal(folder / "portal")


def in_time(rows: Sequence[Row], portal: Portal) -> list[Example]:
    """The rows that name an agency, in the order of time."""
    found = examples(sorted(rows, key=lambda row: row.get("received_at")), portal)[0]
    return [row for row in found if "unit" in row.labels]


def main() -> None:
    for name, file in CITIES.items():
        if not (REAL / file).is_file():
            sys.stdout.write(f"{REAL / file} tidak ada di mesin ini; ukuran ini dilewati.\n")
            continue
        rows = list(read_rows(REAL / file))
        with tempfile.TemporaryDirectory() as folder:
            portal = new_city(rows, name, Path(folder))
        asked = in_time(rows, portal)
        router = train([], portal).router
        found = evaluation_of(router.suggest_many([row.complaint for row in asked]), asked)
        sys.stdout.write(f"{name}, {len(asked)} laporan\n")
        for answer, figures in found["answers"].items():
            sys.stdout.write(f"  {answer:12} {json.dumps({key: round(value, 3) for key, value in figures.items()})}\n")
        for route, figures in found["routes"].items():
            sys.stdout.write(f"  {route:12} {json.dumps({key: round(value, 3) for key, value in figures.items()})}\n")


if __name__ == "__main__":
    main()
