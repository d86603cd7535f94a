"""How certain the coefficients of a fit are, by two measures: the posterior of the regression, and POPS.

    posterior: c ~ N(c, s^2 (A^T A + Gamma^2)^-1),   POPS: c + axes @ t, low <= t <= high

The first takes what the fit leaves for noise and shrinks as data are added; the second takes it for what it is, a basis
that is too small (`pops`). Every observation counts for its box, so that all that was fitted lies inside.
Both are pushed on to whatever is linear in c.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.storage.layout import Declared
from qmfront.training.pops import ParameterBox, parameter_box
from qmfront.training.regression import Posterior

DEVIATIONS = 2.0
"""Standard deviations of the posterior on either side: 95 % of a Gaussian."""
LEAST_PENALTY = 1e-12
"""Relative to |A|; what neither data nor prior determine is not inverted."""

DECLARED = {
    "coefficients": Declared("function", "f", "eV", "coefficients of the potential"),
    "half": Declared("function direction", "f", "eV", "covariance of the posterior is half half^T"),
    "axes": Declared("function axis", "f", "1", "principal axes of the pointwise optima (POPS)"),
    "low": Declared("axis", "f", "eV", "lower face of their box"),
    "high": Declared("axis", "f", "eV", "upper face of their box"),
}


@dataclass(frozen=True)
class Uncertainty:
    """Posterior and POPS box of the coefficients.

    half : (f, f) float
        Covariance of the posterior is half @ half.T; zero for functions that the regression dropped.
    box : ParameterBox
        Its centre are the coefficients.
    """

    half: np.ndarray
    box: ParameterBox

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of the open kind "potential", see DECLARED."""
        box = self.box
        return {
            "coefficients": box.centre,
            "half": self.half,
            "axes": box.axes,
            "low": box.low,
            "high": box.high,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Uncertainty":
        """The inverse of `arrays`."""
        box = ParameterBox(*(arrays[name] for name in ("coefficients", "axes", "low", "high")))
        return cls(arrays["half"], box)

    def posterior(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Ends (m,) of c @ row -+ DEVIATIONS standard deviations for rows (m, f)."""
        centre, deviation = rows @ self.box.centre, np.linalg.norm(rows @ self.half, axis=1)
        return centre - DEVIATIONS * deviation, centre + DEVIATIONS * deviation

    def pops(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Smallest and largest prediction (m,) in the box for rows (m, f)."""
        return self.box.interval(rows)


def uncertainty(rows: np.ndarray, right: np.ndarray, fitted: Posterior) -> Uncertainty:
    """Both descriptions of a fit.

    Parameters
    ----------
    rows : (n, f) float
        A, weighted.
    right : (n,) float
        y, weighted.
    fitted : Posterior
        Of that system.
    """
    kept = np.isfinite(fitted.penalty)
    seen = rows[:, kept]
    penalty = np.maximum(fitted.penalty[kept], LEAST_PENALTY * np.linalg.norm(rows))
    triangular = np.linalg.qr(np.vstack([seen, np.diag(penalty)]), mode="r")
    half = np.zeros((rows.shape[1],) * 2)
    half[np.ix_(kept, kept)] = np.sqrt(fitted.noise) * np.linalg.inv(triangular)
    box = parameter_box(seen, right, fitted.coefficients[kept], penalty)
    axes = np.zeros((rows.shape[1], box.axes.shape[1]))
    axes[kept] = box.axes
    return Uncertainty(half, ParameterBox(fitted.coefficients, axes, box.low, box.high))
