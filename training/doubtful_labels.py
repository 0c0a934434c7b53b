"""Which labels are probably wrong: what a model says of each complaint that has learned from all others.

The model is a ridge regression on class indicators, so that leaving rows out needs no second fit: with K the inner
products of the rows, A = K + penalty I, targets Y and left-out rows G, the residuals of G are
(A^-1)_GG^-1 (A^-1 Y)_G (Golub, Heath & Wahba 1979, who leave out one row). Near copies are left out together, or they
would vouch for each other's labels. The weights of terms are those of all rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer

from training.calibration import fit_link, frequencies, log_lift, targets
from training.charts import percent
from training.checked_data import CheckedData, CheckedRow
from training.excerpts import excerpt, quoted
from training.findings import MOST_LISTED, Case, Finding, finding
from training.forward import labels_of
from training.history import Progress
from training.pipeline import FEWEST_ROWS, LabelMatrix, Labels, TermWeighting, label_matrix
from training.ridge import EXACT_ROWS, Floats, gram

FEWEST_LABELLED = 200
PENALTY = 1.5
LEAST_OTHER = 0.6
MOST_OWN = 0.02
"""A label is doubtful if another class has at least the one probability and its own at most the other."""
OTHER_LABEL_TRUST = 0.2
"""How much a row's other label counts beside its text. The more, the surer one wrong label of two is found, and
the surer two wrong labels together are missed."""
ANSWERS = {"unit": "instansi", "category": "kategori"}
STRIP = 512
STAGE = "mencari label yang mungkin keliru"


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
    texts: Sequence[Sequence[str]],
    labels: Labels,
    copies: NDArray[np.intp],
    progress: Progress = lambda *_: None,
) -> list[Doubt]:
    """Labels that are probably wrong, most doubtful first; at least one answer must have two classes.

    `texts` are normal words, `labels` has one label ("" for none) a text for each answer, `copies` a number a text,
    equal for near copies. Memory grows with the square, time with the cube of the number of texts.
    """
    progress(STAGE, 0, 4)
    try:
        counts = CountVectorizer(analyzer=_terms, min_df=FEWEST_ROWS, dtype=np.float32).fit_transform(texts)
    except ValueError:  # no term occurs in two texts
        return []
    products = gram(TermWeighting(tuple(labels)).fit(counts, labels).transform(counts))
    progress(STAGE, 1, 4)
    matrices = {answer: label_matrix(names, sorted(set(names) - {""})) for answer, names in labels.items()}
    indicators = np.hstack([matrix.indicators.toarray() for matrix in matrices.values()])
    scores = left_out_scores(products, indicators, copies, PENALTY)
    progress(STAGE, 3, 4)
    found: list[Doubt] = []
    start = 0
    for answer, matrix in matrices.items():
        end = start + len(matrix.classes)
        others = [other for name, other in matrices.items() if name != answer]
        found += _doubts(answer, matrix, scores[:, start:end], others)
        start = end
    progress(STAGE, 4, 4)
    return sorted(found, key=lambda doubt: (-doubt.odds, doubt.row, doubt.answer))


def _terms(words: Sequence[str]) -> list[str]:
    """Words and pairs of words; stems and runs of characters take longer and found no more wrong labels."""
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


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
    """What a row's label for another answer tells of its class, see `log_lift`; 0 where that label is missing.

    Shape: rows x classes of `matrix`.
    """
    told = log_lift(matrix, other)[targets(other)]
    told[~other.known] = 0
    return told


def reason_not_searched(data: CheckedData) -> str:
    """Why wrong labels cannot be looked for; "" if they can."""
    if data.portal is None:
        return "perlu folder portal (--portal DIR)"
    if not FEWEST_LABELLED <= len(data.learned) <= EXACT_ROWS:
        return f"perlu {FEWEST_LABELLED} sampai {EXACT_ROWS} laporan berlabel yang dikenal, ada {len(data.learned)}"
    return ""


def doubtful_label_findings(data: CheckedData, progress: Progress) -> list[Finding]:
    """One finding for each of `ANSWERS`."""
    places = [place for place, row in enumerate(data.rows) if row.example]
    labels = labels_of([row.example for row in data.learned], list(ANSWERS))
    labels = {answer: names for answer, names in labels.items() if len(set(names) - {""}) > 1}
    words = [row.words for row in data.learned]
    doubts = doubtful_labels(words, labels, data.copies[places], progress) if labels else []
    return [_finding(data, answer, [doubt for doubt in doubts if doubt.answer == answer]) for answer in ANSWERS]


def _finding(data: CheckedData, answer: str, doubts: Sequence[Doubt]) -> Finding:
    column = "agency" if answer == "unit" else answer
    cases = [_case(data, data.learned[doubt.row], column, doubt) for doubt in doubts]
    return finding(
        f"doubtful_{column}",
        f"Label {ANSWERS[answer]} yang mungkin keliru",
        "perlu dilihat",
        [case.told for case in cases],
        "Periksa satu per satu, yang paling meragukan lebih dulu; sebagian ternyata benar, jadi jangan ubah tanpa "
        "membaca laporannya.",
        rows=len(doubts),
        total=data.total,
        most=MOST_LISTED,
        cases=cases,
    )


def _case(data: CheckedData, row: CheckedRow, column: str, doubt: Doubt) -> Case:
    other = data.class_name(doubt.answer, doubt.other)
    told = (
        f"{row.where}: tertulis {quoted(row.labels[column])}, laporan serupa masuk ke {quoted(other)} "
        f"(peluang {percent(doubt.other_p)}) – {excerpt(row.complaint)}"
    )
    # All territorial bodies of a kind are one class: which of them is meant, no class says.
    proposed = "" if doubt.other.startswith("@") else other
    return Case(told, (row.row.where,), column, row.labels[column], proposed)
