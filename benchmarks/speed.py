"""How fast the scorer answers, as ratios within one run: python -m benchmarks.speed"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.decoding import Decoder
from router_model.portal import load_portal
from router_model.scorer import Scorer
from training.dataset import load_examples
from training.trainer import Trained, train

try:
    import fasttext
except ImportError:
    fasttext = None

SAMPLE = Path("data/labeled_sample/denpasar")
BLOCK = 200
ROUNDS = 5
EVICT = np.zeros(8_000_000, np.float64)
"""64 MB, read between calls to empty the processor's caches."""

Call = Callable[[Complaint], object]


def scikit_learn_chain(trained: Trained) -> Call:
    """The same answer through pipeline.predict."""
    arrays = trained.router.scorer.arrays
    decoder = Decoder(arrays.classes, arrays.links, arrays.agreement)

    def call(complaint: Complaint) -> object:
        scores = trained.pipeline.predict([cleaned(complaint)[0]])
        return decoder.beliefs(scores)

    return call


def own(scorer: Scorer) -> Call:
    return lambda complaint: scorer.predict(cleaned(complaint)[0])


def hot(call: Call, complaints: Sequence[Complaint]) -> float:
    """Median seconds a call in a loop of one call only."""
    for complaint in complaints:
        call(complaint)
    times = []
    for _ in range(ROUNDS):
        for complaint in complaints:
            start = perf_counter()
            call(complaint)
            times.append(perf_counter() - start)
    return statistics.median(times)


def cold(call: Call, complaints: Sequence[Complaint]) -> float:
    """Median seconds a call with the processor's caches emptied before each."""
    times = []
    for complaint in complaints:
        EVICT.sum()
        start = perf_counter()
        call(complaint)
        times.append(perf_counter() - start)
    return statistics.median(times)


def fasttext_calls(rows: Sequence[tuple[str, dict[str, str]]]) -> Call | None:
    """Three supervised fastText models with words, pairs and character 3-5-grams; no cleaning, in its favour."""
    if fasttext is None:
        return None
    models = []
    for answer in ("unit", "category", "urgency"):
        with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
            for text, labels in rows:
                if answer in labels:
                    file.write(f"__label__{labels[answer].replace(' ', '_')} {' '.join(text.split())}\n")
            file.flush()
            models.append(
                fasttext.train_supervised(
                    file.name, wordNgrams=2, minn=3, maxn=5, dim=100, epoch=10, lr=0.3, thread=1, verbose=0
                )
            )

    def call(complaint: Complaint) -> object:
        text = " ".join(complaint.text.split())
        return [model.predict(text, k=3) for model in models]

    return call


def main() -> None:
    portal = load_portal(SAMPLE)
    rows, _ = load_examples([SAMPLE / "complaints.csv"], portal)
    gold, _ = load_examples([SAMPLE / "gold.csv"], portal)
    trained = train(rows, portal)
    complaints = [row.complaint for row in gold][:BLOCK]
    calls: dict[str, Call] = {
        "aduan": own(trained.router.scorer),
        "rantai scikit-learn": scikit_learn_chain(trained),
    }
    if peer := fasttext_calls([(row.complaint.words, dict(row.labels)) for row in rows]):
        calls["3 fastText (kata 1-2, char 3-5, dim 100)"] = peer
    else:
        sys.stdout.write("fastText tidak terpasang: pip install fasttext-numpy2\n")
    hot_times = {name: hot(call, complaints) for name, call in calls.items()}
    cold_times = {name: cold(call, complaints) for name, call in calls.items()}
    many = [row.complaint for row in rows]

    def own_batch() -> object:
        return list(trained.router.scorer.predict_many([cleaned(complaint)[0] for complaint in many]))

    def chain_batch() -> object:
        arrays = trained.router.scorer.arrays
        scores = trained.pipeline.predict([cleaned(complaint)[0] for complaint in many])
        return Decoder(arrays.classes, arrays.links, arrays.agreement).beliefs(scores)

    batch_times = {}
    for name, batch in (("aduan", own_batch), ("rantai scikit-learn", chain_batch)):
        batch()
        start = perf_counter()
        batch()
        batch_times[name] = (perf_counter() - start) / len(many)
    for title, times in (
        ("satu per satu, cache prosesor hangat", hot_times),
        ("satu per satu, cache prosesor dikosongkan", cold_times),
        ("seberkas", batch_times),
    ):
        sys.stdout.write(f"\n{title}: median per laporan, dan berapa kali waktu aduan\n")
        for name, seconds in times.items():
            sys.stdout.write(f"  {name:45} {seconds * 1000:8.3f} ms  {seconds / times['aduan']:6.1f} x\n")


if __name__ == "__main__":
    main()
