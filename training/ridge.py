"""Ridge regression on inner products, in which rows of the same time are more alike."""

from dataclasses import dataclass

import numpy as np
import scipy.linalg
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

Floats = NDArray[np.float32]
Days = NDArray[np.float64]

EXACT_ROWS = 20_000
"""Up to here the system is solved exactly (memory grows with the square: 1.6 GB); above, iteratively."""
HEAVY = 0.02
"""Terms in more than this share of the rows are multiplied as a dense matrix."""
STRIP = 1024


@dataclass(frozen=True, slots=True)
class Recency:
    """How much two moments have in common: `steady` for ever, the rest fading with `fade` days between them.

    What staff decide changes; yesterday's decision says more about today's than last year's. On Surabaya's
    history a fading part was worth half a point for agencies and for categories, where weighting old rows down
    lost; where nothing changes it costs two points. A moment that is not known (NaN) has only the steady part in
    common with others.
    """

    steady: float = 1.0
    fade: float = 60.0

    def between(self, days: Days, others: Days) -> Floats:
        """Shape: days x others, in [0, 1]."""
        apart = np.abs(days[:, None] - others[None, :])
        alike = self.steady + (1 - self.steady) * np.exp(-apart / self.fade)
        timeless = np.isnan(days)[:, None] ^ np.isnan(others)[None, :]
        alike[timeless] = np.sqrt(self.steady)
        return np.nan_to_num(alike, nan=1.0).astype(np.float32)


def gram(rows: sp.csr_matrix) -> Floats:
    """Inner products of all pairs of rows; frequent terms as a dense product, rare ones as a sparse one."""
    size = rows.shape[0]
    heavy = np.diff(rows.tocsc().indptr) > HEAVY * size
    dense = rows[:, heavy].toarray()
    result = np.asarray(dense @ dense.T, dtype=np.float32)
    rare = sp.csr_matrix(rows[:, ~heavy])
    transposed = rare.T.tocsr()
    for start in range(0, size, STRIP):
        result[start : start + STRIP] += (rare[start : start + STRIP] @ transposed).toarray()
    return result


@dataclass(frozen=True, slots=True)
class Learning:
    """How much scores are shrunk, how fast the past fades, and what a complaint of shipped knowledge counts beside
    one of the portal's own (0: it is left out)."""

    penalty: float = 1.2
    recency: Recency = Recency()
    knowledge: float = 0.0


def ridge(
    rows: sp.csr_matrix, targets: Floats, learning: Learning, days: Days, weights: Floats | None = None
) -> Floats:
    """Coefficients (terms x targets) as they stand at the latest of `days`, without intercept.

    Minimises the sum of weights (1 where none are given) |f - targets|^2, + penalty |f|^2, where the inner product of
    two rows is that of their terms times what their moments have in common. Above `EXACT_ROWS` rows, time is left out.
    """
    if rows.shape[0] > EXACT_ROWS:
        model = Ridge(alpha=learning.penalty, fit_intercept=False, solver="sparse_cg", tol=1e-3)
        return np.asarray(model.fit(rows, targets, sample_weight=weights).coef_.T, dtype=np.float32)
    if weights is not None:
        root = np.sqrt(weights)
        rows, targets = sp.csr_matrix(sp.diags(root) @ rows), root[:, None] * targets
    products = gram(rows)
    for start in range(0, len(products), STRIP):
        products[start : start + STRIP] *= learning.recency.between(days[start : start + STRIP], days)
    products[np.diag_indices_from(products)] += np.float32(learning.penalty)
    factor = scipy.linalg.cho_factor(products, lower=True, overwrite_a=True, check_finite=False)
    duals = scipy.linalg.cho_solve(factor, targets.astype(np.float32), check_finite=False)
    dated = days[~np.isnan(days)]
    now = dated.max() if len(dated) else np.nan
    duals *= learning.recency.between(days, np.array([now]))
    return np.asarray(rows.T @ duals, dtype=np.float32)
