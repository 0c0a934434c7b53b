"""What is raised as an emergency, and what is missed: python -m benchmarks.danger [FOLDER]

The sample's release is asked about gold.csv and our own cases of danger (`tests/data/danger_cases.csv`), and about the
real complaints of Surabaya where ../shared/realdata exists; there also a release that learned Surabaya's own first
80 %, about the last 20 %. Real complaints have no urgency label, so only how many are raised is known. With a FOLDER,
100 random ones that Surabaya's release raised and 100 that it did not although words of danger stand in them are
written there to be read.
"""

import csv
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from router_model.complaint import Complaint
from router_model.danger import signs
from router_model.policy import Route
from router_model.portal import load_portal
from router_model.suggestion import Router, Suggestion
from training.dataset import examples
from training.portal_derivation import derive
from training.reading import read_rows
from training.trainer import train

SAMPLE = Path("data/labeled_sample/denpasar")
CASES = Path("tests/data/danger_cases.csv")
SURABAYA = Path("../shared/realdata/surabaya_wargaku.csv")
THRESHOLDS = (0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4)
READ = 100


class Counted:
    """What rules and model said of some complaints; `raised(t)` counts those raised by either at a threshold."""

    def __init__(self, suggestions: Sequence[Suggestion]) -> None:
        self.rows = len(suggestions)
        self.by_rule = sum(any(one.level == "darurat" for one in item.dangers) for item in suggestions)
        self._p = [
            1.0 if any(one.level == "darurat" for one in item.dangers) else item.prediction.danger
            for item in suggestions
        ]
        self.oversight = sum(item.matter.report_type == "pengawasan" for item in suggestions)

    def raised(self, threshold: float) -> str:
        count = sum(p >= threshold for p in self._p)
        return f"{count:6} {count / max(self.rows, 1):6.1%}"


def table(title: str, columns: dict[str, Counted]) -> None:
    sys.stdout.write(f"\n{title}\n{'':16}" + "".join(f"{name:>22}" for name in columns) + "\n")
    for name, figures in (("laporan", [each.rows for each in columns.values()]),):
        sys.stdout.write(f"{name:16}" + "".join(f"{figure:22}" for figure in figures) + "\n")
    sys.stdout.write(f"{'aturan saja':16}" + "".join(f"{each.by_rule:22}" for each in columns.values()) + "\n")
    for threshold in THRESHOLDS:
        figures = "".join(f"{each.raised(threshold):>22}" for each in columns.values())
        sys.stdout.write(f"mulai {threshold:<10}{figures}\n")
    sys.stdout.write(f"{'pengawasan':16}" + "".join(f"{each.oversight:22}" for each in columns.values()) + "\n")
    sys.stdout.flush()


def asked(router: Router, complaints: Sequence[Complaint]) -> Counted:
    return Counted(router.suggest_many(list(complaints)))


def write_sample(folder: Path, suggestions: Sequence[Suggestion]) -> None:
    """Random complaints to be read; they stay outside the repository."""
    draw = np.random.default_rng(11)
    raised = [item for item in suggestions if item.route is Route.EMERGENCY]
    quiet = [item for item in suggestions if item.route is not Route.EMERGENCY]
    quiet = [item for item in quiet if signs(item.prediction.complaint).groups]
    folder.mkdir(parents=True, exist_ok=True)
    for name, found in (("raised.csv", raised), ("quiet.csv", quiet)):
        with (folder / name).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(("danger", "families", "text"))
            for place in draw.permutation(len(found))[:READ].tolist():
                item = found[place]
                families = ";".join(f"{one.family}:{one.level}" for one in item.dangers)
                writer.writerow((f"{item.prediction.danger:.2f}", families, item.prediction.complaint.words))


def main(folder: Path | None = None) -> None:
    portal = load_portal(SAMPLE)
    router = train(examples(read_rows(SAMPLE / "complaints.csv"), portal)[0], portal).router
    gold = examples(read_rows(SAMPLE / "gold.csv"), portal)[0]
    with CASES.open(encoding="utf-8") as file:
        cases = [(Complaint(row["text"]), row["darurat"] == "ya") for row in csv.DictReader(file)]
    table(
        f"Rilis dari contoh; rutenya darurat mulai {router.policy.emergency}",
        {
            "gold: darurat": asked(router, [one.complaint for one in gold if one.labels["urgency"] == "darurat"]),
            "gold: lainnya": asked(router, [one.complaint for one in gold if one.labels["urgency"] != "darurat"]),
            "gold: pengawasan": asked(
                router, [one.complaint for one in gold if one.labels["report_type"] == "pengawasan"]
            ),
            "kasus: darurat": asked(router, [complaint for complaint, real in cases if real]),
            "kasus: jebakan": asked(router, [complaint for complaint, real in cases if not real]),
        },
    )
    if not SURABAYA.is_file():
        sys.stdout.write(f"\n{SURABAYA} tidak ada di mesin ini; ukuran ini dilewati.\n")
        return
    rows = sorted(read_rows(SURABAYA), key=lambda row: row.get("received_at"))
    cut = int(0.8 * len(rows))
    with tempfile.TemporaryDirectory() as made:
        derive(rows, Path(made) / "portal", "riwayat")
        theirs = load_portal(Path(made) / "portal")
        own = train(examples(rows[:cut], theirs)[0], theirs).router
        suggestions = own.suggest_many([row.complaint for row in rows[cut:]])
        table(
            f"Surabaya; rutenya darurat mulai {own.policy.emergency}",
            {
                "rilis contoh, semua": asked(router, [row.complaint for row in rows]),
                "rilis sendiri, 20 %": Counted(suggestions),
            },
        )
        if folder:
            write_sample(folder, suggestions)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
