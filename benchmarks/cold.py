"""The Denpasar sample alone, asked about another city's complaints: python -m benchmarks.cold [FILE]

Agencies are matched by what they do (surabaya_by_function.csv: a unit of ours, and where it does several
things, a category). A unit with no counterpart there is wrong.
"""

import csv
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from router_model.portal import load_portal
from router_model.prediction import Prediction
from training.dataset import load_examples
from training.reading import Row, read_rows
from training.trainer import train

SAMPLE = Path("data/labeled_sample/denpasar")
SURABAYA = Path("../shared/realdata/surabaya_wargaku.csv")
MAPPING = Path(__file__).with_name("surabaya_by_function.csv")
_KINDS = ("Kelurahan", "Kecamatan")


def body(row: Row) -> str:
    name = row.get("agency")
    return next((kind for kind in _KINDS if name.startswith(kind)), name)


def bodies(prediction: Prediction, does: Mapping[tuple[str, str], str]) -> list[str]:
    """The other city's bodies, likeliest first. Units that stand for one body there add up; the category says
    more of the first unit's matter than the unit does."""
    shares: dict[str, float] = {}
    for position, ranked in enumerate(prediction.answers["unit"]):
        category = prediction.category if position == 0 else ""
        name = does.get((ranked.code, category)) or does.get((ranked.code, ""), ranked.code)
        shares[name] = shares.get(name, 0.0) + ranked.p
    return sorted(shares, key=lambda name: -shares[name])


def main(path: Path = SURABAYA) -> None:
    if not path.is_file():
        sys.stdout.write(f"{path} tidak ada di mesin ini; ukuran ini dilewati.\n")
        return
    with MAPPING.open(encoding="utf-8", newline="") as file:
        does = {
            (line["denpasar_unit"], line["denpasar_category"]): line["surabaya_agency"] for line in csv.DictReader(file)
        }
    portal = load_portal(SAMPLE)
    rows, _ = load_examples([SAMPLE / "complaints.csv"], portal)
    router = train(rows, portal).router
    asked = [row for row in read_rows(path) if row.get("agency")]
    right, top3 = Counter[str](), Counter[str]()
    for row, suggestion in zip(asked, router.suggest_many([row.complaint for row in asked]), strict=True):
        order = bodies(suggestion.prediction, does)
        right[body(row)] += order[0] == body(row)
        top3[body(row)] += body(row) in order[:3]
    sizes = Counter(map(body, asked))
    sys.stdout.write(
        f"{len(asked)} laporan, tepat {sum(right.values()) / len(asked):.3f}, "
        f"tiga teratas {sum(top3.values()) / len(asked):.3f}\n"
    )
    for name, size in sizes.most_common():
        sys.stdout.write(f"  {size:6} {right[name] / size:5.2f} {top3[name] / size:5.2f}  {name}\n")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
