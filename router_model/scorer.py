"""The model that serves: plain arrays, cached word look-ups and one matrix product.

Gives the same scores as the fitted scikit-learn pipeline that it was exported from, without its validation:
a word is normalised, stemmed and split into character n-grams once, then it is one dictionary look-up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from router_model.calibration import Agreement, Link
from router_model.complaint import Complaint
from router_model.prediction import Evidence, Prediction, Ranked
from router_model.terms import BLOCKS, TermExtractor, character_ngrams
from router_model.tokens import Token, tokens

Floats = NDArray[np.float32]
Columns = NDArray[np.int32]
LISTED = 10
"""Classes listed of answers with many; the others together have what is missing to 1."""
EVIDENCE_LISTED = 12
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


@dataclass(frozen=True, slots=True)
class _Reading:
    """One complaint as columns of the model, ascending and distinct, with how often each occurs and its
    final value; `known` counts the words with a column."""

    fields: Mapping[str, Sequence[Token]]
    columns: Columns
    counts: NDArray[np.int64]
    values: Floats
    known: int


@dataclass(frozen=True, slots=True)
class Belief:
    """What scores mean: classes by falling probability for each answer, and the category of the first unit."""

    answers: Mapping[str, tuple[Ranked, ...]]
    category: str


def decode(
    scores: Floats,
    classes: Mapping[str, Sequence[str]],
    links: Mapping[str, Link],
    agreement: Agreement | None,
) -> Belief:
    """Calibrated answers that agree with each other, from the raw scores of one complaint."""
    logs: dict[str, Floats] = {}
    start = 0
    for answer, names in classes.items():
        logs[answer] = links[answer].log_probabilities(scores[start : start + len(names)])
        start += len(names)
    probabilities = {answer: np.exp(values) for answer, values in logs.items()}
    category = ""
    if agreement is not None:
        units, categories, best = agreement.joint(logs["unit"], logs["category"])
        probabilities["unit"], probabilities["category"] = units, categories
        category = classes["category"][best] if best >= 0 else ""
    return Belief({answer: _ranked(classes[answer], p) for answer, p in probabilities.items()}, category)


def _ranked(classes: Sequence[str], probabilities: Floats) -> tuple[Ranked, ...]:
    order = np.argsort(-probabilities, kind="stable")[:LISTED]
    return tuple(Ranked(classes[index], float(probabilities[index])) for index in order)


class Scorer:
    """Scores complaints that were cleaned first. Safe to share between threads."""

    def __init__(self, arrays: ModelArrays) -> None:
        self.arrays = arrays
        self._extractor = TermExtractor(arrays.place_words)
        self._columns: dict[str, dict[str, int]] = {}
        start = 0
        for block in BLOCKS:
            terms = arrays.vocabularies.get(block, ())
            self._columns[block] = {term: start + index for index, term in enumerate(terms)}
            start += len(terms)
        before = list(arrays.classes).index("unit")
        start = sum(len(classes) for classes in list(arrays.classes.values())[:before])
        self._unit_columns = {unit: start + index for index, unit in enumerate(arrays.classes["unit"])}
        self._ngram_columns = lru_cache(maxsize=65_536)(self._find_ngram_columns)

    def _find_ngram_columns(self, normal: str) -> Columns:
        known = self._columns["characters"]
        return np.array([known[ngram] for ngram in character_ngrams(normal) if ngram in known], np.int32)

    def _word_columns(self, found: Sequence[Token]) -> Iterator[tuple[int, int]]:
        """Yields `(position of the last word, column)` for each known word and pair of words."""
        known = self._columns["words"]
        root, previous = self._extractor.root, ""
        for position, token in enumerate(found):
            stemmed = root(token)
            if (column := known.get(stemmed)) is not None:
                yield position, column
            if previous and (column := known.get(f"{previous} {stemmed}")) is not None:
                yield position, column
            previous = stemmed

    def _single_columns(self, block: str, terms: Iterator[str]) -> list[int]:
        known = self._columns[block]
        return [known[term] for term in terms if term in known] if known else []

    def _read(self, complaint: Complaint) -> _Reading:
        title, text = list(tokens(complaint.title)), list(tokens(complaint.text))
        root, single = self._extractor.root, self._columns["words"]
        ngrams = [self._ngram_columns(token.normal) for token in (*title, *text)]
        blocks: dict[str, Sequence[int] | Columns] = {
            "words": [column for found in (title, text) for _, column in self._word_columns(found)],
            "characters": np.concatenate(ngrams) if ngrams else _NONE,
            "title": self._single_columns("title", (root(token) for token in title)),
            "place": self._single_columns("place", (token.normal for token in tokens(complaint.address))),
        }
        columns, counts, values = [_NONE], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
        for block, occurrences in blocks.items():
            if not len(occurrences):
                continue
            distinct, count = np.unique(np.asarray(occurrences, dtype=np.int32), return_counts=True)
            value = (np.log(count) + 1).astype(np.float32) * self.arrays.weights[distinct]
            length = float(np.sqrt(value @ value))
            if length > 0:
                value *= np.float32(self.arrays.block_weights[block] / length)
            columns.append(distinct)
            counts.append(count)
            values.append(value)
        return _Reading(
            fields={"title": title, "text": text},
            columns=np.concatenate(columns),
            counts=np.concatenate(counts),
            values=np.concatenate(values),
            known=sum(root(token) in single for token in (*title, *text)),
        )

    def scores(self, complaint: Complaint) -> Floats:
        """Raw scores of every class of every answer, as the scikit-learn pipeline gives them."""
        return self._scores(self._read(complaint))

    def _scores(self, reading: _Reading) -> Floats:
        return np.asarray(reading.values @ self.arrays.coefficients[reading.columns])

    def predict(self, complaint: Complaint) -> Prediction:
        """What the model believes about a cleaned complaint; with no known word, its prior beliefs."""
        reading = self._read(complaint)
        return self._prediction(complaint, reading, self._scores(reading))

    def _prediction(self, complaint: Complaint, reading: _Reading, scores: Floats) -> Prediction:
        belief = decode(scores, self.arrays.classes, self.arrays.links, self.arrays.agreement)
        return Prediction(
            complaint=complaint,
            answers=belief.answers,
            category=belief.category,
            evidence=self._evidence(reading, belief.answers, complaint),
            words=sum(len(found) for found in reading.fields.values()),
            known_words=reading.known,
        )

    def _evidence(
        self, reading: _Reading, answers: Mapping[str, Sequence[Ranked]], complaint: Complaint
    ) -> tuple[Evidence, ...]:
        """Words that spoke for the likeliest agency, strongest first.

        A pair of words counts for its second word, an n-gram for the word it stands in.
        """
        column = self._unit_columns[answers["unit"][0].code]
        spoke = reading.values * self.arrays.coefficients[reading.columns, column] / reading.counts
        evidence: list[Evidence] = []
        for field, found in reading.fields.items():
            weights = np.zeros(len(found))
            for position, term in self._word_columns(found):
                weights[position] += spoke[np.searchsorted(reading.columns, term)]
            for position, token in enumerate(found):
                ngrams = self._ngram_columns(token.normal)
                weights[position] += spoke[np.searchsorted(reading.columns, ngrams)].sum()
            content = getattr(complaint, field)
            evidence.extend(
                Evidence(field, token.start, token.end, content[token.start : token.end], float(weight))
                for token, weight in zip(found, weights, strict=True)
                if weight > 0
            )
        return tuple(sorted(evidence, key=lambda item: -item.weight)[:EVIDENCE_LISTED])

    def predict_many(self, complaints: Sequence[Complaint]) -> Iterator[Prediction]:
        """Predictions in the order of the complaints, one matrix product for many rows."""
        for start in range(0, len(complaints), 256):
            chunk = complaints[start : start + 256]
            readings = [self._read(complaint) for complaint in chunk]
            for complaint, reading, scores in zip(chunk, readings, self._many_scores(readings), strict=True):
                yield self._prediction(complaint, reading, scores)

    def _many_scores(self, readings: Sequence[_Reading]) -> Floats:
        """Rows share most of their columns, so each distinct row of coefficients is gathered once."""
        joined = np.concatenate([reading.columns for reading in readings])
        used, place = np.unique(joined, return_inverse=True)
        rows = np.repeat(np.arange(len(readings)), [len(reading.columns) for reading in readings])
        dense = np.zeros((len(readings), len(used)), np.float32)
        dense[rows, place] = np.concatenate([reading.values for reading in readings])
        return np.asarray(dense @ self.arrays.coefficients[used])
