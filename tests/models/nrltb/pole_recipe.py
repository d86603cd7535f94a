"""How the table of `qmfront.models.nrltb.fermi_poles` was made.

    python -m tests.models.nrltb.pole_recipe

writes it to the terminal (SciPy 1.17, 35 terms of AAA). Another SciPy may give other poles that are as good: the
table, not the recipe, is what the code uses, and `test_fermi_poles.py` measures the errors of the table.
"""

import sys
import warnings

import numpy as np
from scipy.interpolate import AAA
from scipy.special import expit

from qmfront.models.nrltb.fermi_poles import HIGHEST, LOWEST

TERMS, SAMPLES = 35, 3000


def poles() -> np.ndarray:
    """Poles in the upper half plane of the rational function that AAA makes of the Fermi function."""
    t = _samples()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it stopped at the number of terms, which is meant
        found = AAA(t, expit(-t), rtol=0, max_terms=TERMS, clean_up=False).poles()
    return found[found.imag > 0.0]


def weights(points: np.ndarray) -> np.ndarray:
    """Least squares for f(t) = Re sum w / (t - zeta) with sum Re w = 0, rows scaled by (1 + |t|)^(1/2)."""
    t = _samples()
    rows = np.sqrt(1.0 + np.abs(t))
    basis = 1.0 / (t[:, None] - points)
    matrix = np.hstack([basis.real, -basis.imag]) * rows[:, None]
    scale = np.abs(matrix).max(axis=0)
    balance = 1e6 * np.repeat([1.0, 0.0], len(points)) / scale / np.linalg.norm(1.0 / scale)
    solution = (
        np.linalg.lstsq(np.vstack([matrix / scale, balance]), np.append(expit(-t) * rows, 0.0))[0] / scale
    )
    real, imaginary = np.split(solution, 2)
    return real - real.mean() + 1j * imaginary


def _samples() -> np.ndarray:
    below, above = (np.geomspace(1e-2, end, SAMPLES) for end in (-LOWEST, HIGHEST))
    return np.concatenate([-below[::-1], [0.0], above])


if __name__ == "__main__":
    points = poles()
    points = points[np.argsort(points.imag)]
    for zeta, w in zip(points, weights(points), strict=True):
        sys.stdout.write(
            f"        ({float(zeta.real)!r}, {float(zeta.imag)!r}, {float(w.real)!r}, {float(w.imag)!r}),\n"
        )
