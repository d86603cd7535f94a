"""Observed rate of convergence: error ~ prefactor * N_QM^slope, with its confidence interval."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit  # scipy.stats takes a second to import

CONFIDENCE = 0.95

Window = tuple[float, float]
"""Smallest and largest N_QM."""

WINDOW: Window = (70, 1100)
"""Range of N_QM over which rates are observed."""
# ASSUME below it there is little more than the core, above it the clamped rim is felt; the paper gives no range.


class Rate(NamedTuple):
    """error ~ prefactor * n^slope; the slope is known to +- half_width at 95 % confidence."""

    slope: float
    half_width: float
    prefactor: float


def fit_slope(n: ArrayLike, error: ArrayLike) -> Rate:
    """Least squares of log(error) against log(n).

        log error = log prefactor + slope log n,    half_width = t_{0.975, m-2} * standard error of the slope

    Parameters
    ----------
    n : (m,) float
        N_QM of every iteration; at least three, at least two different.
    error : (m,) float
        Positive; its unit goes to the prefactor.

    Returns
    -------
    Rate

    Raises
    ------
    ValueError
        If there are too few points, or values that are not positive and finite.
    """
    n, error = np.asarray(n, float), np.asarray(error, float)
    if n.shape != error.shape or n.ndim != 1:
        raise ValueError(f"n {n.shape} and error {error.shape} must be one-dimensional and of equal length.")
    for name, values in (("n", n), ("error", error)):
        bad = ~(np.isfinite(values) & (values > 0))
        if bad.any():
            raise ValueError(
                f"{name} is not positive and finite at {bad.sum()} of {len(values)} points (first: "
                f"{values[bad][0]:g}); a slope in logarithms needs positive values. Drop these points."
            )
    if len(n) < 3 or np.ptp(n) == 0:
        raise ValueError(
            f"A slope with confidence interval needs three points with different n, got {len(n)} points with "
            f"{len(np.unique(n))} different n. Run more iterations."
        )
    x, y = np.log(n), np.log(error)
    dx = x - x.mean()
    slope = dx @ y / (dx @ dx)
    rest = y - y.mean() - slope * dx
    spread = np.sqrt(rest @ rest / (len(n) - 2) / (dx @ dx))
    half_width = stdtrit(len(n) - 2, (1 + CONFIDENCE) / 2) * spread
    return Rate(float(slope), float(half_width), float(np.exp(y.mean() - slope * x.mean())))


def fit_slope_within(n: ArrayLike, error: ArrayLike, *, window: Window = WINDOW) -> Rate | None:
    """The rate over window[0] <= n <= window[1]; None if fewer than three different n lie there."""
    n, error = np.asarray(n, float), np.asarray(error, float)
    inside = (n >= window[0]) & (n <= window[1])
    if len(np.unique(n[inside])) < 3:
        return None
    return fit_slope(n[inside], error[inside])
