"""The fitted scikit-learn pipeline: count terms, weigh them, one linear model per answer."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import normalize

from router_model.complaint import Complaint
from router_model.errors import DatasetError
from router_model.terms import BLOCKS, UNSCALED, TermExtractor
from training.ridge import Days, Floats, Learning, ridge

BLOCK_WEIGHTS = {"words": 0.8, "characters": 1.2, "title": 0.4, "place": 0.25, "local": 0.6, "danger": 0.18}
MOST_TERMS = {"words": 16_000, "characters": 12_000, "title": 4_000, "place": 8_000, "local": 24_000, "danger": 1_000}
FEWEST_ROWS = 2
"""A term that occurs in fewer complaints teaches nothing about the next one."""
TAUGHT_TOGETHER = 0.9
"""Answers that at least this share of their rows have in common share one factorisation."""

Labels = Mapping[str, Sequence[str]]
"""Per answer one label a row; an empty label means the row has none."""


@dataclass(frozen=True, slots=True)
class LabelMatrix:
    """One answer's labels as indicator rows; `known` marks the rows that have a label."""

    classes: tuple[str, ...]
    known: NDArray[np.bool_]
    indicators: sp.csr_matrix


def label_matrix(labels: Sequence[str], classes: Sequence[str]) -> LabelMatrix:
    """Raises `KeyError` for a label that is not in `classes`."""
    column = {name: index for index, name in enumerate(classes)}
    known = np.array([bool(label) for label in labels], dtype=bool)
    rows = [row for row, label in enumerate(labels) if label]
    columns = [column[labels[row]] for row in rows]
    indicators = sp.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(labels), len(classes)))
    return LabelMatrix(tuple(classes), known, indicators)


def information(counts: sp.csr_matrix, indicators: sp.csr_matrix, prior_weight: float = 2.0) -> Floats:
    """How much each term tells about a label: KL divergence, in nats, of the label's distribution among the
    complaints that hold the term from its distribution among all, shrunk by `prior_weight` pseudo-rows.

    Kullback & Leibler 1951. Shape: one value a term, at least 0.
    """
    present = counts.astype(bool).astype(np.float32)
    together = sp.csr_matrix(present.T @ indicators)
    total = np.asarray(together.sum(axis=1)).ravel()
    prior = np.asarray(indicators.sum(axis=0)).ravel()
    prior = prior / max(prior.sum(), 1)
    term = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr))
    share = prior[together.indices]
    size = (total + prior_weight)[term]
    seen = (together.data + prior_weight * share) / size
    unseen = prior_weight * share / size
    result = prior_weight / (total + prior_weight) * np.log(prior_weight / (total + prior_weight))
    np.add.at(result, term, seen * np.log(seen / share) - unseen * np.log(unseen / share))
    return np.asarray(np.maximum(result, 0), dtype=np.float32)


class TermWeighting(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Sublinear term frequency x inverse document frequency x information about the labels, of `unit_length` or as
    it is.

    `weighed_by` names the answers whose labels weigh the terms. Terms of fewer than `fewest_rows` complaints
    are dropped; the others are kept in the order of weight x document frequency until `most_terms` are left.
    """

    def __init__(
        self,
        weighed_by: tuple[str, ...] = ("unit", "category"),
        most_terms: int = 60_000,
        fewest_rows: int = FEWEST_ROWS,
        unit_length: bool = True,
    ) -> None:
        self.weighed_by = weighed_by
        self.most_terms = most_terms
        self.fewest_rows = fewest_rows
        self.unit_length = unit_length

    def fit(self, counts: sp.csr_matrix, labels: Labels) -> Self:
        rows = counts.shape[0]
        frequency = np.diff(counts.tocsc().indptr)
        told = np.zeros(counts.shape[1], np.float32)
        for answer in self.weighed_by:
            if answer in labels and len({label for label in labels[answer] if label}) > 1:
                matrix = label_matrix(labels[answer], sorted({label for label in labels[answer] if label}))
                told += information(counts, matrix.indicators)
        if not told.any():
            told[:] = 1
        inverse = np.sqrt(np.log((1 + rows) / (1 + frequency)) + 1)
        weights = (told * inverse).astype(np.float32)
        order = np.argsort(-told * np.sqrt(frequency) * (frequency >= self.fewest_rows), kind="stable")
        enough = order[frequency[order] >= self.fewest_rows]
        self.kept_ = np.sort(enough[: self.most_terms])
        self.weights_ = weights[self.kept_]
        return self

    def transform(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        weighed = sp.csr_matrix(counts[:, self.kept_], dtype=np.float32)
        weighed.data = np.log(weighed.data) + np.float32(1)
        weighed = sp.csr_matrix(weighed @ sp.diags(self.weights_))
        scaled = self.unit_length and weighed.shape[0] > 0
        return sp.csr_matrix(normalize(weighed, copy=False)) if scaled else weighed


class AnswerHeads(BaseEstimator):  # type: ignore[misc]
    """One ridge model per answer over the same features; every row teaches each answer it has a label for.

    Least squares on class indicators: the scores estimate class probabilities directly, all classes share one
    factorisation, and on 10,000 complaints it beat LinearSVC on accuracy and logistic regression on time.
    """

    def __init__(
        self,
        classes: Mapping[str, Sequence[str]] | None = None,
        learning: Learning | None = None,
    ) -> None:
        self.classes = classes
        self.learning = learning

    def fit(
        self, features: sp.csr_matrix, labels: Labels, days: Days | None = None, weights: Floats | None = None
    ) -> Self:
        """`days` gives each row's moment, NaN for none, and `weights` what it counts; without them all rows are
        timeless and count 1."""
        features = sp.csr_matrix(features, dtype=np.float32)
        moments = np.full(features.shape[0], np.nan) if days is None else days
        counts = np.ones(features.shape[0], np.float32) if weights is None else weights
        matrices = {answer: label_matrix(labels[answer], classes) for answer, classes in (self.classes or {}).items()}
        coefficients: dict[str, Floats] = {}
        for answers in _taught_together(matrices, counts):
            known = np.logical_or.reduce([matrices[answer].known for answer in answers])
            targets = np.hstack([matrices[answer].indicators[known].toarray() for answer in answers])
            joined = np.zeros((features.shape[1], targets.shape[1]), np.float32)
            if known.any():
                joined = ridge(features[known], targets, self.learning or Learning(), moments[known], counts[known])
            starts = np.cumsum([0, *(len(matrices[answer].classes) for answer in answers)])
            for answer, start, end in zip(answers, starts, starts[1:], strict=False):
                coefficients[answer] = joined[:, start:end]
        blocks = [coefficients[answer] for answer in matrices]
        self.coefficients_: Floats = np.ascontiguousarray(np.hstack(blocks), dtype=np.float32)
        return self

    def predict(self, features: sp.csr_matrix) -> Floats:
        """Scores of every class of every answer, answers side by side in the order of `classes`."""
        return np.asarray(features @ self.coefficients_, dtype=np.float32)


def _taught_together(matrices: Mapping[str, LabelMatrix], counts: Floats) -> Iterable[list[str]]:
    """Answers in groups whose rows are nearly the same, by what the rows count. A row without a label for one of them
    teaches that none of its classes fits, which few rows may do without harm."""
    groups: list[list[str]] = []
    for answer, matrix in matrices.items():
        for group in groups:
            first = matrices[group[0]].known
            if counts[first & matrix.known].sum() >= TAUGHT_TOGETHER * counts[first | matrix.known].sum():
                group.append(answer)
                break
        else:
            groups.append([answer])
    return groups


class TermCounts:
    """How often each term occurs in each complaint, read once; models of any earlier part are fitted from it.

    A block of `BLOCKS` in which no term occurs in two complaints is left out.
    """

    def __init__(self, extractor: TermExtractor, complaints: Sequence[Complaint]) -> None:
        self.vectorizers: dict[str, CountVectorizer] = {}
        self.counts: dict[str, sp.csr_matrix] = {}
        for block in BLOCKS:
            vectorizer = CountVectorizer(analyzer=getattr(extractor, block), min_df=FEWEST_ROWS, dtype=np.float32)
            try:
                self.counts[block] = vectorizer.fit_transform(complaints)
            except ValueError:
                continue
            self.vectorizers[block] = vectorizer

    def fit(
        self,
        rows: NDArray[np.intp],
        labels: Labels,
        classes: Mapping[str, Sequence[str]],
        days: Days,
        learning: Learning,
        weights: Floats,
    ) -> Pipeline:
        """A fitted pipeline from cleaned `Complaint`s to scores, which has seen only the complaints numbered `rows`;
        `labels`, `days` and `weights` are those of these complaints."""
        blocks: list[tuple[str, Any]] = []
        features = []
        for block, counts in self.counts.items():
            read = counts[rows]
            weighed_by = () if block in UNSCALED else ("unit", "category")
            weighting = TermWeighting(weighed_by, MOST_TERMS[block], unit_length=block not in UNSCALED)
            weighting.fit(read, labels)
            if len(weighting.kept_):
                blocks.append((block, Pipeline([("count", self.vectorizers[block]), ("weigh", weighting)])))
                features.append(np.float32(BLOCK_WEIGHTS[block]) * weighting.transform(read))
        if not features:
            raise DatasetError("Tidak ada kata yang muncul di dua laporan; data ini terlalu sedikit untuk dilatih.")
        heads = AnswerHeads({answer: tuple(names) for answer, names in classes.items()}, learning)
        heads.fit(sp.hstack(features, format="csr"), labels, days, weights)
        by_block = {block: BLOCK_WEIGHTS[block] for block, _ in blocks}
        return Pipeline([("terms", FeatureUnion(blocks, transformer_weights=by_block)), ("heads", heads)])

    def scores(self, pipeline: Pipeline, rows: slice | NDArray[np.intp]) -> Floats:
        """What the pipeline says of the complaints numbered `rows`, without reading them again."""
        union = pipeline["terms"]
        features = [
            np.float32(union.transformer_weights[block]) * steps["weigh"].transform(self.counts[block][rows])
            for block, steps in union.transformer_list
        ]
        return np.asarray(pipeline["heads"].predict(sp.hstack(features, format="csr")), dtype=np.float32)
