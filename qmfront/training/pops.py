"""Intervals for a linear fit that cannot be exact: pointwise optimal parameters (POPS).

    d_i = S a_i (y_i - a_i c) / (a_i S a_i),    S = (A^T A + Gamma^2)^-1

is the smallest change of the coefficients, in the metric of S, that makes observation i exact. A posterior of noise, as
that of automatic relevance determination, shrinks to nothing with more data though the basis stays too small; the d_i
do not. The box about them in their principal axes bounds predictions (Swinburne and Perez, Parameter uncertainties for
imperfect surrogate models in the low-noise regime, arXiv:2402.01810).
"""

from dataclasses import dataclass

import numpy as np

LEAST_LEVERAGE = 1e-12
"""Relative to the largest; an observation that no coefficient moves has no optimum."""
KEPT = 1e-8
"""Principal axes whose variance is below this fraction of the largest are left out."""


@dataclass(frozen=True)
class ParameterBox:
    """c + axes @ t with low <= t <= high.

    centre : (f,) float
        Coefficients c of the fit.
    axes : (f, p) float
        Orthonormal columns.
    low, high : (p,) float
    """

    centre: np.ndarray
    axes: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def interval(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest prediction (m,) in the box for rows (m, f)."""
        along, centre = rows @ self.axes, rows @ self.centre
        ends = np.stack([along * self.low, along * self.high])
        return centre + ends.min(axis=0).sum(axis=1), centre + ends.max(axis=0).sum(axis=1)


def pointwise_corrections(
    rows: np.ndarray, right: np.ndarray, coefficients: np.ndarray, penalty: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """d_i (n, f) of every observation, and its leverage a_i S a_i (n,), between 0 and 1.

    Parameters
    ----------
    rows : (n, f) float
        A, weighted.
    right : (n,) float
        y, weighted.
    coefficients : (f,) float
    penalty : (f,) float
        Diagonal of Gamma.
    """
    triangular = np.asarray(np.linalg.qr(np.vstack([rows, np.diag(penalty)]), mode="r"))
    half = np.linalg.solve(triangular.T, rows.T)  # S = R^-1 R^-T
    leverage = np.einsum("fn,fn->n", half, half)
    moved = leverage > LEAST_LEVERAGE * leverage.max()
    corrections = np.zeros_like(rows)
    factor = (right - rows @ coefficients)[moved] / leverage[moved]
    corrections[moved] = (np.linalg.solve(triangular, half[:, moved]) * factor).T
    return corrections, leverage


def parameter_box(
    rows: np.ndarray,
    right: np.ndarray,
    coefficients: np.ndarray,
    penalty: np.ndarray,
    *,
    outside: float = 0.0,
    least_leverage: float = 0.0,
) -> ParameterBox:
    """The box about the pointwise optima, in their principal axes.

    Parameters
    ----------
    rows, right, coefficients, penalty
        As in pointwise_corrections.
    outside : float
        Fraction of the optima that may lie beyond each face.
    least_leverage : float
        Observations below this quantile of the leverage are left out: they would need large changes of coefficients
        that are settled by others.
    """
    corrections, leverage = pointwise_corrections(rows, right, coefficients, penalty)
    chosen = corrections[leverage >= np.quantile(leverage, least_leverage)]
    values, vectors = np.linalg.eigh(chosen.T @ chosen)
    axes = vectors[:, values > KEPT * values.max()]
    along = chosen @ axes
    low, high = np.quantile(along, [outside, 1.0 - outside], axis=0)
    return ParameterBox(coefficients, axes, np.minimum(low, 0.0), np.maximum(high, 0.0))
