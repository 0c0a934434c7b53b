"""How long training 10,000 complaints with all four answers takes, and its memory: python -m benchmarks.training

The rows are made of the sample: each joins the words of two complaints of one agency, so that they are long enough,
all different, and as many as asked for. Only time and memory mean anything here.
"""

import random
import resource
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter

from benchmarks.accuracy import SAMPLE
from router_model.portal import load_portal
from training.dataset import Example, load_examples
from training.learning import learn

ROWS = 10_000
SEED = 20_260_101


def joined(rows: Sequence[Example], size: int) -> list[Example]:
    """As many rows as asked for, ten an hour, oldest first."""
    chance = random.Random(SEED)  # noqa: S311
    of_agency: dict[str, list[Example]] = defaultdict(list)
    for row in rows:
        of_agency[row.labels["agency"]].append(row)
    made = []
    for number in range(size):
        first = chance.choice(rows)
        words = f"{first.complaint.text} {chance.choice(of_agency[first.labels['agency']]).complaint.text}".split()
        kept = " ".join(word for word in words if chance.random() < 0.7)
        moment = first.received_at and rows[0].received_at and rows[0].received_at + timedelta(minutes=6 * number)
        made.append(replace(first, id=str(number), received_at=moment, complaint=replace(first.complaint, text=kept)))
    return made


def main() -> None:
    portal = load_portal(SAMPLE)
    rows = joined(load_examples([SAMPLE / "complaints.csv"], portal)[0], ROWS)
    with tempfile.TemporaryDirectory() as registry:
        start = perf_counter()
        learn(rows[:-200], SAMPLE, Path(registry))
        first = perf_counter()
        learned = learn(rows, SAMPLE, Path(registry))
        took = perf_counter() - first
    sys.stdout.write(f"{ROWS} laporan, empat jawaban, kalibrasi, laporan evaluasi, uji banding, terbit: {took:.0f} s\n")
    for stage, seconds in learned.trained.seconds.items():
        sys.stdout.write(f"  {stage:40} {seconds:6.1f} s\n")
    sys.stdout.write(f"  pertama kali, tanpa uji banding{'':10} {first - start:6.1f} s\n")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    sys.stdout.write(f"  memori puncak {peak:.2f} GB\n")


if __name__ == "__main__":
    main()
