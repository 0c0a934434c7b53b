"""Which complaints are the same text, or nearly: they must never stand on both sides of an evaluation."""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

from router_model.complaint import Complaint
from router_model.tokens import normal_words

NEAR = 0.8
"""Cosine of tf-idf word vectors. On a city's history pairs above it were the same matter sent again."""
COMMON = 0.1
"""Words in more than this share of the texts are multiplied as a dense matrix, which is faster."""
FEWEST_WORDS = 5
STRIP = 512


def copy_groups(complaints: Sequence[Complaint], near: float = NEAR) -> NDArray[np.intp]:
    """A group number for each cleaned complaint; complaints of one group are copies of each other.

    Texts of fewer than `FEWEST_WORDS` words are copies only if they are equal.
    """
    if not complaints:
        return np.empty(0, np.intp)
    texts = [normal_words(complaint.words) for complaint in complaints]
    pairs = [_equal(texts)]
    if long := [row for row, words in enumerate(texts) if len(words) >= FEWEST_WORDS]:
        pairs.append(_near([texts[row] for row in long], np.array(long), near))
    rows, columns = (np.concatenate([pair[side] for pair in pairs]) for side in (0, 1))
    return _groups(rows, columns, len(texts))


def _equal(texts: Sequence[Sequence[str]]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    first: dict[tuple[str, ...], int] = {}
    found = [(first.setdefault(tuple(words), row), row) for row, words in enumerate(texts)]
    pairs = np.array([pair for pair in found if pair[0] != pair[1]], np.intp).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def _near(
    texts: Sequence[Sequence[str]], numbers: NDArray[np.intp], near: float
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    vectors = TfidfVectorizer(analyzer=list, dtype=np.float32).fit_transform(texts)
    common = np.diff(vectors.tocsc().indptr) > COMMON * len(texts)
    dense, rare = vectors[:, common].toarray(), vectors[:, ~common].tocsr()
    transposed = rare.T.tocsr()
    joined = np.arange(len(texts))
    for start in range(0, len(texts), STRIP):
        alike = (rare[start : start + STRIP] @ transposed).toarray()
        alike += dense[start : start + STRIP] @ dense.T
        # Ten thousand copies of one text make a hundred million pairs, of which few join anything.
        row, column = np.nonzero((alike >= near) & (joined[start : start + STRIP, None] != joined))
        joined = _groups(joined[row + start], joined[column], len(texts))[joined]
    _, first = np.unique(joined, return_index=True)
    return numbers[first[joined]], numbers


def _groups(rows: NDArray[np.intp], columns: NDArray[np.intp], size: int) -> NDArray[np.intp]:
    """A number for each of `size` things, equal for those that pairs of them join."""
    graph = sp.csr_matrix((np.ones(len(rows), np.int8), (rows, columns)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.intp)
