"""What each step of preprocessing and of the model is worth on real complaints: python -m benchmarks.ablation

Surabaya's first 80 % by time for training, the last 20 % for testing without near copies of training rows, raw scores
without calibration.
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy import REAL
from router_model import cleaning, terms, tokens
from router_model.portal import load_portal
from training import history as histories
from training import pipeline
from training.dataset import examples
from training.portal_derivation import derive
from training.reading import read_rows
from training.ridge import Learning, Recency

_CACHES = (tokens.normal_form, tokens.stem, terms.character_ngrams)
STOP_WORDS = frozenset(
    ("yang", "di", "ke", "dari", "dan", "ini", "itu", "adalah", "pada", "untuk", "dengan", "oleh", "para", "akan")
)


@contextmanager
def replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    """One function of ours swapped for the length of a measurement, with the word caches emptied."""
    before = getattr(module, name)
    setattr(module, name, value)
    _forget()
    try:
        yield
    finally:
        setattr(module, name, before)
        _forget()


def _forget() -> None:
    for cached in _CACHES:
        cached.cache_clear()


def without_stop_words(text: str) -> Iterator[tokens.Token]:
    return (token for token in tokens.tokens(text) if token.normal not in STOP_WORDS)


def keep_digits(word: str) -> str:
    return tokens.abbreviations().get(word.casefold(), word.casefold())


STEPS: dict[str, tuple[Any, str, Any]] = {
    "tanpa daftar singkatan": (tokens, "abbreviations", dict),
    "tanpa pengecualian stem": (tokens, "stem_exceptions", dict),
    "tanpa stem": (terms, "stem", lambda word: word),
    "tanpa buang bocoran disposisi": (tokens, "disposition_leaks", lambda text: []),
    "dengan buang kata umum": (terms, "tokens", without_stop_words),
    "tanpa samaran data pribadi": (cleaning, "mask_personal_data", lambda text: (text, [])),
    "angka apa adanya": (tokens, "normal_form", keep_digits),
    "tanpa n-gram huruf": (pipeline, "BLOCK_WEIGHTS", pipeline.BLOCK_WEIGHTS | {"characters": 0.0}),
    "tanpa kata": (pipeline, "BLOCK_WEIGHTS", pipeline.BLOCK_WEIGHTS | {"words": 0.0}),
    "tanpa alamat": (pipeline, "BLOCK_WEIGHTS", pipeline.BLOCK_WEIGHTS | {"place": 0.0}),
    "tanpa kata bersama tempatnya": (pipeline, "BLOCK_WEIGHTS", pipeline.BLOCK_WEIGHTS | {"local": 0.0}),
    "tanpa bobot informasi": (pipeline, "information", lambda counts, _: np.zeros(counts.shape[1], np.float32)),
    "tanpa kata-kata portal sendiri": (histories, "prototypes", lambda portal, rows: []),
}


LEARNING = Learning(recency=Recency(steady=0.7))
LEARNINGS = {
    "masa lalu tidak memudar": Learning(),
    "penyusutan setengahnya": replace(LEARNING, penalty=0.6),
    "penyusutan dua kali": replace(LEARNING, penalty=2.4),
}


def main(path: Path = REAL / "surabaya_wargaku.csv") -> None:
    if not path.is_file():
        sys.stdout.write(f"{path} tidak ada di mesin ini; ukuran ini dilewati.\n")
        return
    rows = sorted(read_rows(path), key=lambda row: row.get("received_at"))
    with tempfile.TemporaryDirectory() as folder:
        derive(rows[: int(0.8 * len(rows))], Path(folder) / "portal", "riwayat")
        portal = load_portal(Path(folder) / "portal")
    known, _ = examples(rows, portal)
    cut = int(0.8 * len(known))

    def accuracy(learning: Learning = LEARNING) -> tuple[float, float]:
        history = histories.History(portal, known)
        asked = history.ask(history.fit(cut, learning), cut, len(known))
        results = []
        for answer in ("unit", "category"):
            wanted = asked.matrix(answer)
            right = asked.of(answer)[wanted.known].argmax(axis=1) == wanted.indicators.indices
            results.append(float(np.mean(right)))
        return results[0], results[1]

    def line(title: str, measure: Callable[[], tuple[float, float]], base: tuple[float, float] | None = None) -> None:
        agency, category = measure()
        change = f"   {agency - base[0]:+.3f} {category - base[1]:+.3f}" if base else ""
        sys.stdout.write(f"{title:34} instansi {agency:.3f}  kategori {category:.3f}{change}\n")
        sys.stdout.flush()

    whole = accuracy()
    line("semua langkah", lambda: whole)
    for title, (module, name, value) in STEPS.items():
        with replaced(module, name, value):
            line(title, accuracy, whole)
    for title, learning in LEARNINGS.items():
        line(title, lambda learning=learning: accuracy(learning), whole)


if __name__ == "__main__":
    main()
