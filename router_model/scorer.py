"""The model that serves: plain arrays, cached word look-ups and one matrix product.

Gives the same scores as the fitted scikit-learn pipeline that it was exported from, without its validation:
a word is normalised, stemmed and split into character n-grams once, then it is one dictionary look-up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from router_model.calibration import Agreement, Alarm, Link
from router_model.complaint import Complaint
from router_model.danger import Danger, signs
from router_model.decoding import Decoder
from router_model.prediction import Evidence, Prediction
from router_model.terms import (
    AREA_END,
    BLOCKS,
    UNSCALED,
    TermExtractor,
    area,
    character_ngrams,
    danger_terms,
    told_tokens,
    told_words,
)
from router_model.tokens import Token, normal_words

Floats = NDArray[np.float32]
Columns = NDArray[np.int32]
EVIDENCE_LISTED = 12
CHUNK = 256
_NONE: Columns = np.empty(0, dtype=np.int32)


@dataclass(frozen=True)
class ModelArrays:
    """What a release folder holds of the model.

    `vocabularies` maps a block to its terms in column order, blocks side by side in the order of `BLOCKS`;
    `weights` (one a column) are term weights, `coefficients` are columns x classes of all answers, `classes`
    gives each answer's classes in that order.
    """

    vocabularies: Mapping[str, Sequence[str]]
    block_weights: Mapping[str, float]
    weights: Floats
    coefficients: Floats
    classes: Mapping[str, Sequence[str]]
    links: Mapping[str, Link]
    agreement: Agreement | None
    place_words: frozenset[str]
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True)
class _Reading:
    """One complaint as columns of the model, ascending and distinct, with how often each occurs and its
    final value. For each word of title and text, in order, `singles`, `pairs` (the pair it ends) and `local` hold
    a column, -1 for none; `ngrams` holds the columns of its n-grams, one word after the other. `dangers` is
    what the rules for danger found."""

    columns: Columns
    counts: NDArray[np.int64]
    values: Floats
    singles: Sequence[int]
    pairs: Sequence[int]
    local: Sequence[int]
    ngrams: Columns
    dangers: tuple[Danger, ...]

    @property
    def known(self) -> int:
        """How many words the model knows."""
        return sum([column >= 0 for column in self.singles])


@dataclass(frozen=True, slots=True)
class _Word:
    """What the model knows of one word: its root, the root's column (-1 for none), its n-grams' columns."""

    root: str
    column: int
    ngrams: Columns


class Scorer:
    """Scores complaints that were cleaned first. Safe to share between threads."""

    def __init__(self, arrays: ModelArrays) -> None:
        self.arrays = arrays
        self._extractor = TermExtractor(arrays.place_words)
        self._decoder = Decoder(arrays.classes, arrays.links, arrays.agreement, arrays.alarm)
        # A plain view of the mapped file: slicing a memmap object costs more than the product it feeds.
        self._coefficients = np.asarray(arrays.coefficients)
        self._weights = np.asarray(arrays.weights)
        self._columns: dict[str, dict[str, int]] = {}
        start = 0
        for block in BLOCKS:
            terms = arrays.vocabularies.get(block, ())
            self._columns[block] = {term: start + index for index, term in enumerate(terms)}
            start += len(terms)
        self._areas: dict[str, dict[str, int]] = {}
        for term, column in self._columns["local"].items():
            here, _, root = term.partition(AREA_END)
            self._areas.setdefault(here, {})[root] = column
        sizes = [len(arrays.vocabularies.get(block, ())) for block in BLOCKS]
        self._starts = np.cumsum([0, *sizes])
        before = list(arrays.classes).index("unit")
        start = sum(len(classes) for classes in list(arrays.classes.values())[:before])
        self._unit_columns = {unit: start + index for index, unit in enumerate(arrays.classes["unit"])}
        self._word = lru_cache(maxsize=65_536)(self._look_up)

    def _look_up(self, normal: str) -> _Word:
        root = self._extractor.root(normal)
        known = self._columns["characters"]
        ngrams = [known[ngram] for ngram in character_ngrams(normal) if ngram in known]
        return _Word(root, self._columns["words"].get(root, -1), np.array(ngrams, np.int32))

    def _pairs(self, words: Sequence[_Word]) -> list[int]:
        """For each word the column of the pair it ends, -1 for none."""
        known = self._columns["words"]
        ends = [known.get(f"{first.root} {second.root}", -1) for first, second in pairwise(words)]
        return [-1, *ends] if words else []

    def _words(self, text: str) -> list[_Word]:
        return [self._word(normal) for normal in told_words(text)] if text else []

    def _read(self, complaint: Complaint) -> _Reading:
        return self._reading(complaint, self._words(complaint.title), self._words(complaint.text))

    def _reading(self, complaint: Complaint, title: list[_Word], text: list[_Word]) -> _Reading:
        words = title + text
        singles = [word.column for word in words]
        pairs = self._pairs(title) + self._pairs(text)
        title_known, place_known = self._columns["title"], self._columns["place"]
        local_known = self._areas.get(area(complaint))
        local = [local_known.get(word.root, -1) for word in words] if local_known else [-1] * len(words)
        ngrams = np.concatenate([word.ngrams for word in words]) if words else _NONE
        found, danger_known = signs(complaint), self._columns["danger"]
        blocks: dict[str, Sequence[int] | Columns] = {
            "words": [column for column in singles + pairs if column >= 0],
            "characters": ngrams,
            "title": [title_known[word.root] for word in title if word.root in title_known],
            "place": [place_known[normal] for normal in normal_words(complaint.address) if normal in place_known],
            "local": [column for column in local if column >= 0],
            "danger": [danger_known[term] for term in danger_terms(found) if term in danger_known],
        }
        occurrences = np.concatenate([_NONE, *(np.asarray(found, dtype=np.int32) for found in blocks.values())])
        columns, counts = np.unique(occurrences, return_counts=True)
        values = self._weights[columns] * (np.log(counts) + 1).astype(np.float32)
        edges = np.searchsorted(columns, self._starts).tolist()
        for block, start, end in zip(BLOCKS, edges, edges[1:], strict=False):
            part = values[start:end]
            if length := 1.0 if block in UNSCALED else float(part @ part) ** 0.5:
                part *= np.float32(self.arrays.block_weights[block] / length)
        return _Reading(columns, counts, values, singles, pairs, local, ngrams, found.dangers)

    def scores(self, complaint: Complaint) -> Floats:
        """Raw scores of every class of every answer, as the scikit-learn pipeline gives them."""
        return self._scores(self._read(complaint))

    def _scores(self, reading: _Reading) -> Floats:
        return np.asarray(reading.values @ self._coefficients[reading.columns])

    def predict(self, complaint: Complaint) -> Prediction:
        """What the model believes about a cleaned complaint; with no known word, its prior beliefs."""
        return self._prediction(complaint, self._read(complaint))

    def _prediction(self, complaint: Complaint, reading: _Reading) -> Prediction:
        return self._predictions([complaint], [reading], self._scores(reading)[None, :])[0]

    def _predictions(
        self, complaints: Sequence[Complaint], readings: Sequence[_Reading], scores: Floats
    ) -> list[Prediction]:
        return [
            Prediction(
                complaint,
                belief.answers,
                belief.category,
                len(reading.singles),
                reading.known,
                belief.danger,
                reading.dangers,
            )
            for complaint, reading, belief in zip(complaints, readings, self._decoder.beliefs(scores), strict=True)
        ]

    def predict_explained(self, complaint: Complaint) -> tuple[Prediction, tuple[Evidence, ...]]:
        """A prediction, and the words that spoke for its first unit, strongest first.

        A pair of words counts for its second word, an n-gram for the word it stands in.
        """
        found = [(field, token) for field in ("title", "text") for token in told_tokens(getattr(complaint, field))]
        words = [self._word(token.normal) for _, token in found]
        in_title = sum([field == "title" for field, _ in found])
        reading = self._reading(complaint, words[:in_title], words[in_title:])
        prediction = self._prediction(complaint, reading)
        if not words:
            return prediction, ()
        unit = self._unit_columns[prediction.answers["unit"][0].code]
        spoke = reading.values * self._coefficients[reading.columns, unit] / reading.counts
        heard = spoke[np.searchsorted(reading.columns, reading.ngrams)]
        owner = np.repeat(np.arange(len(words)), [len(word.ngrams) for word in words])
        weights = np.bincount(owner, heard, len(words)).astype(np.float64)
        others = np.array([*reading.singles, *reading.pairs, *reading.local])
        # Column -1, for none, comes before all others: it spoke for nothing.
        heard = np.concatenate([[0.0], spoke])[np.searchsorted(reading.columns, others, "right")]
        weights += heard.reshape(3, -1).sum(axis=0)
        strongest: list[int] = [
            index for index in np.argsort(-weights, kind="stable")[:EVIDENCE_LISTED].tolist() if weights[index] > 0
        ]
        return prediction, tuple([self._evidence(complaint, *found[index], weights[index]) for index in strongest])

    @staticmethod
    def _evidence(complaint: Complaint, field: str, token: Token, weight: float) -> Evidence:
        term = getattr(complaint, field)[token.start : token.end]
        return Evidence(field, token.start, token.end, term, float(weight))

    def predict_many(self, complaints: Sequence[Complaint]) -> Iterator[Prediction]:
        """Predictions in the order of the complaints, decoded many at a time."""
        for start in range(0, len(complaints), CHUNK):
            chunk = complaints[start : start + CHUNK]
            readings = [self._read(complaint) for complaint in chunk]
            scores = np.stack([self._scores(reading) for reading in readings])
            yield from self._predictions(chunk, readings, scores)
