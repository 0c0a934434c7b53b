"""The fitted scikit-learn pipeline: count terms, weigh them, one linear model per answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import normalize

from router_model.complaint import Complaint
from router_model.terms import BLOCKS, TermExtractor

BLOCK_WEIGHTS = {"words": 0.8, "characters": 1.2, "title": 0.4, "place": 0.25}
MOST_TERMS = {"words": 16_000, "characters": 12_000, "title": 4_000, "place": 8_000}
RIDGE_PENALTY = 2.0
EXACT_ROWS = 15_000
"""Up to here the ridge system is solved exactly (memory grows with the square: 0.9 GB); above, iteratively."""

Floats = NDArray[np.float32]
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
    known = np.array([bool(label) for label in labels])
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
    """Sublinear term frequency x inverse document frequency x information about the labels, unit length.

    `weighed_by` names the answers whose labels weigh the terms. Terms are kept in the order of weight x
    document frequency until `most_terms` are left.
    """

    def __init__(self, weighed_by: tuple[str, ...] = ("unit", "category"), most_terms: int = 60_000) -> None:
        self.weighed_by = weighed_by
        self.most_terms = most_terms

    def fit(self, counts: sp.csr_matrix, labels: Labels) -> Self:
        rows = counts.shape[0]
        frequency = np.asarray((counts > 0).sum(axis=0)).ravel()
        told = np.zeros(counts.shape[1], np.float32)
        for answer in self.weighed_by:
            if answer in labels and len({label for label in labels[answer] if label}) > 1:
                matrix = label_matrix(labels[answer], sorted({label for label in labels[answer] if label}))
                told += information(counts, matrix.indicators)
        if not told.any():
            told[:] = 1
        inverse = np.sqrt(np.log((1 + rows) / (1 + frequency)) + 1)
        weights = (told * inverse).astype(np.float32)
        order = np.argsort(-told * np.sqrt(frequency), kind="stable")[: self.most_terms]
        self.kept_ = np.sort(order)
        self.weights_ = weights[self.kept_]
        return self

    def transform(self, counts: sp.csr_matrix) -> sp.csr_matrix:
        weighed = sp.csr_matrix(counts[:, self.kept_], dtype=np.float32)
        weighed.data = np.log(weighed.data) + np.float32(1)
        return sp.csr_matrix(normalize(weighed @ sp.diags(self.weights_), copy=False))


class AnswerHeads(BaseEstimator):  # type: ignore[misc]
    """One ridge model per answer over the same features; every row teaches each answer it has a label for.

    Least squares on class indicators: the scores estimate class probabilities directly, all classes share one
    factorisation, and on 10,000 complaints it beat LinearSVC on accuracy and logistic regression on time.
    """

    def __init__(self, classes: Mapping[str, Sequence[str]] | None = None, penalty: float = RIDGE_PENALTY) -> None:
        self.classes = classes
        self.penalty = penalty

    def fit(self, features: sp.csr_matrix, labels: Labels) -> Self:
        features = sp.csr_matrix(features, dtype=np.float32)
        solved: dict[bytes, tuple[list[str], NDArray[np.bool_]]] = {}
        matrices = {answer: label_matrix(labels[answer], classes) for answer, classes in (self.classes or {}).items()}
        for answer, matrix in matrices.items():
            solved.setdefault(matrix.known.tobytes(), ([], matrix.known))[0].append(answer)
        coefficients: dict[str, Floats] = {}
        for answers, known in solved.values():
            if not known.any():
                for answer in answers:
                    coefficients[answer] = np.zeros((features.shape[1], len(matrices[answer].classes)), np.float32)
                continue
            rows = features[known]
            targets = [matrices[answer].indicators[known].toarray() for answer in answers]
            joined = ridge(rows, np.hstack(targets), self.penalty)
            starts = np.cumsum([0, *(target.shape[1] for target in targets)])
            for answer, start, end in zip(answers, starts, starts[1:], strict=False):
                coefficients[answer] = joined[:, start:end]
        blocks = [coefficients[answer] for answer in matrices]
        self.coefficients_: Floats = np.ascontiguousarray(np.hstack(blocks), dtype=np.float32)
        return self

    def predict(self, features: sp.csr_matrix) -> Floats:
        """Scores of every class of every answer, answers side by side in the order of `classes`."""
        return np.asarray(features @ self.coefficients_, dtype=np.float32)


def ridge(rows: sp.csr_matrix, targets: Floats, penalty: float) -> Floats:
    """Coefficients (terms x targets) that minimise |rows W - targets|^2 + penalty |W|^2, without intercept."""
    if rows.shape[0] > EXACT_ROWS:
        model = Ridge(alpha=penalty, fit_intercept=False, solver="sparse_cg", tol=1e-3)
        return np.asarray(model.fit(rows, targets).coef_.T, dtype=np.float32)
    factor = scipy.linalg.cho_factor(
        gram(rows) + penalty * np.eye(rows.shape[0], dtype=np.float32),
        lower=True,
        overwrite_a=True,
        check_finite=False,
    )
    duals = scipy.linalg.cho_solve(factor, targets.astype(np.float32), check_finite=False)
    return np.asarray(rows.T @ duals, dtype=np.float32)


def gram(rows: sp.csr_matrix) -> Floats:
    """Inner products of all pairs of rows, computed in strips so that no sparse n x n matrix is held."""
    size = rows.shape[0]
    result = np.empty((size, size), np.float32)
    transposed = rows.T.tocsr()
    for start in range(0, size, 512):
        result[start : start + 512] = (rows[start : start + 512] @ transposed).toarray()
    return result


def build_pipeline(
    extractor: TermExtractor, classes: Mapping[str, Sequence[str]], present: Sequence[str] = BLOCKS
) -> Pipeline:
    """An unfitted pipeline from cleaned `Complaint`s to scores; fit it with `Labels`.

    `present` names the blocks that have terms to count; a data set without titles has none there.
    """
    blocks: list[tuple[str, Any]] = [
        (
            block,
            Pipeline(
                [
                    (
                        "count",
                        CountVectorizer(analyzer=getattr(extractor, block), min_df=2, dtype=np.float32),
                    ),
                    ("weigh", TermWeighting(most_terms=MOST_TERMS[block])),
                ]
            ),
        )
        for block in present
    ]
    return Pipeline(
        [
            (
                "terms",
                FeatureUnion(blocks, transformer_weights={block: BLOCK_WEIGHTS[block] for block in present}),
            ),
            ("heads", AnswerHeads({answer: tuple(names) for answer, names in classes.items()})),
        ]
    )


def scores(pipeline: Pipeline, complaints: Sequence[Complaint]) -> Floats:
    return np.asarray(pipeline.predict(complaints), dtype=np.float32)
