"""Which labels are probably wrong: what a model says of each complaint that has learned from all others.

The model is a ridge regression on class indicators, so that leaving rows out needs no second fit: with K the inner
products of the rows, A = K + penalty I, targets Y and left-out rows G, the residuals of G are
(A^-1)_GG^-1 (A^-1 Y)_G (Golub, Heath & Wahba 1979, who leave out one row). Near copies are left out together, or they
would vouch for each other's labels. The weights of terms are those of all rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from router_model.cleaning import cleaned
from router_model.complaint import Complaint
from router_model.portal import Portal
from router_model.terms import TermExtractor
from training.calibration import fit_link, frequencies, targets
from training.charts import percent
from training.checked_data import CheckedData
from training.excerpts import excerpt, quoted
from training.findings import MOST_LISTED, Finding, finding
from training.pipeline import (
    BLOCK_WEIGHTS,
    FEWEST_ROWS,
    MOST_TERMS,
    LabelMatrix,
    TermWeighting,
    label_matrix,
)
from training.prototypes import prototypes
from training.ridge import EXACT_ROWS, Floats, gram
from training.trainer import Progress, place_words

FEWEST_LABELLED = 200
PENALTY = 1.2
BLOCKS = ("words", "title", "place")
"""Runs of characters take most of the time and found no more wrong labels."""
LEAST_OTHER = 0.6
MOST_OWN = 0.05
"""A label is doubtful if another class has at least the one probability and its own at most the other."""
OTHER_LABEL_TRUST = 0.2
"""How much a row's other label counts beside its text. The more, the surer one wrong label of two is found, and
the surer two wrong labels together are not."""
ANSWERS = {"unit": "instansi", "category": "kategori"}
STRIP = 512
STAGE = "mencari label yang mungkin keliru"

LabelledText = tuple[Complaint, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Doubt:
    """A label of text number `row` that is probably wrong, and the class that is probably right."""

    row: int
    answer: str
    label: str
    label_p: float
    other: str
    other_p: float

    @property
    def odds(self) -> float:
        return self.other_p / max(self.label_p, 1e-9)


def doubtful_labels(
    texts: Sequence[LabelledText],
    copies: NDArray[np.intp],
    portal: Portal,
    progress: Progress = lambda *_: None,
) -> list[Doubt]:
    """Labels of cleaned complaints that are probably wrong, most doubtful first.

    `copies` holds a number a text, equal for near copies. Memory and time grow with the square and the cube of
    the number of texts.
    """
    # The portal's own words are learned from too, but never doubted.
    own = [(cleaned(item.complaint)[0], item.labels) for item in prototypes(portal, ())]
    both = [*own, *texts]
    matrices = {answer: _matrix(answer, both) for answer in ANSWERS}
    matrices = {answer: matrix for answer, matrix in matrices.items() if matrix.known[len(own) :].any()}
    if not matrices:
        return []
    progress(STAGE, 0, 4)
    products = gram(_features(both, TermExtractor(place_words(portal))))
    progress(STAGE, 1, 4)
    indicators = np.hstack([matrix.indicators.toarray() for matrix in matrices.values()])
    groups = np.concatenate([-1 - np.arange(len(own)), copies])
    scores = left_out_scores(products, indicators, groups, PENALTY)[len(own) :]
    progress(STAGE, 3, 4)
    judged = {answer: _from(matrix, len(own)) for answer, matrix in matrices.items()}
    found: list[Doubt] = []
    start = 0
    for answer, matrix in judged.items():
        end = start + len(matrix.classes)
        others = [other for name, other in judged.items() if name != answer]
        found += _doubts(answer, matrix, scores[:, start:end], others)
        start = end
    progress(STAGE, 4, 4)
    return sorted(found, key=lambda doubt: (-doubt.odds, doubt.row, doubt.answer))


def _matrix(answer: str, texts: Sequence[LabelledText]) -> LabelMatrix:
    names = [labels.get(answer, "") for _, labels in texts]
    return label_matrix(names, sorted(set(names) - {""}))


def _from(matrix: LabelMatrix, first: int) -> LabelMatrix:
    return LabelMatrix(matrix.classes, matrix.known[first:], matrix.indicators[first:])


def _features(texts: Sequence[LabelledText], extractor: TermExtractor) -> sp.csr_matrix:
    """Weighed terms, as in training, of a part of the blocks."""
    complaints = [complaint for complaint, _ in texts]
    labels = {answer: [own.get(answer, "") for _, own in texts] for answer in ANSWERS}
    blocks = []
    for block in BLOCKS:
        counter = CountVectorizer(analyzer=getattr(extractor, block), min_df=FEWEST_ROWS, dtype=np.float32)
        try:
            counts = counter.fit_transform(complaints)
        except ValueError:  # no term occurs twice
            continue
        weighting = TermWeighting(most_terms=MOST_TERMS[block]).fit(counts, labels)
        blocks.append(np.float32(BLOCK_WEIGHTS[block]) * weighting.transform(counts))
    return sp.hstack(blocks, format="csr") if blocks else sp.csr_matrix((len(texts), 1), dtype=np.float32)


def left_out_scores(products: Floats, wanted: Floats, groups: NDArray[np.intp], penalty: float) -> Floats:
    """What ridge regression without intercept says of each row when the rows of its group are left out.

    `products` are the inner products of all rows and are overwritten. Shape: rows x targets, as `wanted`.
    """
    products[np.diag_indices_from(products)] += np.float32(penalty)
    # Transposed, a symmetric matrix is the same but in the order in which it can be factorised in place.
    factor, _ = scipy.linalg.cho_factor(products.T, lower=True, overwrite_a=True, check_finite=False)
    duals = scipy.linalg.cho_solve((factor, True), wanted, check_finite=False)
    # A^-1 is R'R with R the inverse of the factor; only small parts of it are needed.
    root, _ = scipy.linalg.lapack.strtri(factor, lower=1, overwrite_c=1)
    diagonal = np.empty(len(root), np.float32)
    for start in range(0, len(root), STRIP):
        part = np.tril(root[start:, start : start + STRIP])
        diagonal[start : start + STRIP] = np.einsum("ij,ij->j", part, part)
    residuals = duals / diagonal[:, None]
    for members in _groups(groups):
        part = np.where(np.arange(members[0], len(root))[:, None] >= members, root[members[0] :, members], 0)
        residuals[members] = np.linalg.solve(part.T @ part, duals[members])
    return np.asarray(wanted - residuals, dtype=np.float32)


def _groups(numbers: NDArray[np.intp]) -> Iterator[NDArray[np.intp]]:
    """Ascending places of each number that occurs more than once."""
    order = np.argsort(numbers, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        if len(members) > 1:
            yield members


def _doubts(answer: str, matrix: LabelMatrix, scores: Floats, others: Sequence[LabelMatrix]) -> Iterator[Doubt]:
    labels = targets(matrix)
    logs = fit_link(scores, labels, frequencies(matrix)).log_probabilities(scores)
    for other in others:
        logs += np.float32(OTHER_LABEL_TRUST) * _told_by(other, matrix)
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    rows = np.flatnonzero(matrix.known)
    own = np.zeros(len(p), np.float32)
    own[rows] = p[rows, labels[rows]]
    p[rows, labels[rows]] = 0
    best = p.argmax(axis=1)
    for row in rows.tolist():
        other_p = float(p[row, best[row]])
        if other_p >= LEAST_OTHER and own[row] <= MOST_OWN:
            names = matrix.classes[labels[row]], matrix.classes[best[row]]
            yield Doubt(row, answer, names[0], float(own[row]), names[1], other_p)


def _told_by(other: LabelMatrix, matrix: LabelMatrix) -> Floats:
    """log p(class | the row's label for another answer) / p(class), without the row itself, shrunk by one pseudo-row.

    Shape: rows x classes of `matrix`; 0 where the other label is missing.
    """
    together = (other.indicators.T @ matrix.indicators).toarray()
    prior = np.asarray(matrix.indicators.sum(axis=0)).ravel() + 0.5
    prior = prior / prior.sum()
    counts = other.indicators @ together
    counts[other.known] -= matrix.indicators[other.known].toarray()
    given = (counts + prior) / (counts.sum(axis=1, keepdims=True) + 1)
    told = np.log(given / prior)
    told[~other.known] = 0
    return np.asarray(told, dtype=np.float32)


def reason_not_searched(data: CheckedData) -> str:
    """Why wrong labels cannot be looked for; "" if they can."""
    if data.portal is None:
        return "perlu folder portal (--portal DIR)"
    if not FEWEST_LABELLED <= len(data.learned) <= EXACT_ROWS:
        return f"perlu {FEWEST_LABELLED} sampai {EXACT_ROWS} laporan berlabel yang dikenal, ada {len(data.learned)}"
    return ""


def doubtful_label_finding(data: CheckedData, portal: Portal, progress: Progress) -> Finding:
    rows = [(number, row, row.example) for number, row in enumerate(data.rows) if row.example]
    texts = [(row.complaint, example.labels) for _, row, example in rows]
    copies = data.copies[[number for number, _, _ in rows]]
    doubts = doubtful_labels(texts, copies, portal, progress)
    told = []
    for doubt in doubts:
        row = rows[doubt.row][1]
        column = "agency" if doubt.answer == "unit" else doubt.answer
        told.append(
            f"{row.where}: {ANSWERS[doubt.answer]} tertulis {quoted(row.labels[column])}, laporan serupa masuk ke "
            f"{quoted(data.class_name(doubt.answer, doubt.other))} (peluang {percent(doubt.other_p)}) – "
            f"{excerpt(row.complaint)}"
        )
    return finding(
        "doubtful_label",
        "Label yang mungkin keliru",
        "perlu dilihat",
        told,
        "Periksa satu per satu, yang paling meragukan lebih dulu; sebagian ternyata benar, jadi jangan ubah tanpa "
        "membaca laporannya.",
        rows=len({doubt.row for doubt in doubts}),
        total=data.total,
        unit="label",
        most=MOST_LISTED,
    )
