"""Electrons at temperature kT in the levels of all k-points, each level twice.

    f = 1 / (1 + exp((e - mu) / kT)),    N = 2 sum w f,    E = 2 sum w f e,
    Omega = -2 kT sum w ln(1 + exp((mu - e) / kT)),    A = Omega + mu N = E - T S

with w the weights of the k-points.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

SPIN = 2.0
# Above this many kT a level holds less than 1e-16 of an electron and leaves no trace in sums of doubles.
EMPTY = 37.0


def fermi(values: np.ndarray, mu: float, kT: float) -> np.ndarray:
    """Occupations between 0 and 1 of levels of any shape, eV."""
    return expit((mu - values) / kT)


def electron_number(values: np.ndarray, weights: np.ndarray, mu: float, kT: float) -> float:
    """N of levels (m, q), eV, at m k-points with weights (m,)."""
    return SPIN * float(weights @ fermi(values, mu, kT).sum(axis=1))


def band_energy(values: np.ndarray, weights: np.ndarray, mu: float, kT: float) -> float:
    """E, eV."""
    return SPIN * float(weights @ np.sum(fermi(values, mu, kT) * values, axis=1))


def grand_potential(values: np.ndarray, weights: np.ndarray, mu: float, kT: float) -> float:
    """Omega, eV."""
    return -SPIN * kT * float(weights @ np.logaddexp(0.0, (mu - values) / kT).sum(axis=1))


def chemical_potential(values: np.ndarray, weights: np.ndarray, electrons: float, kT: float) -> float:
    """mu, eV, at which the levels (m, q) hold a number of electrons.

    Counted from the filling at kT = 0, so that mu stays well defined in a gap much wider than kT, where N(mu) is flat
    to rounding.

    Raises
    ------
    ValueError
        If the levels cannot hold so many electrons, or none are left.
    """
    capacity = SPIN * values.shape[1]
    if not 0.0 < electrons < capacity:
        raise ValueError(
            f"{electrons} electrons do not fit into levels for {capacity:g}. Give a number between these, or fix mu."
        )
    order = np.argsort(values, axis=None)
    levels, room = values.ravel()[order], np.repeat(weights, values.shape[1])[order]
    before = np.cumsum(room) - room
    cold = np.clip((electrons / SPIN - before) / room, 0.0, 1.0)
    cold[np.abs(cold - 1.0) < 1e-9] = 1.0  # rounding of the sum must not leave a level nearly full

    def excess(mu: float) -> float:
        hot = expit((mu - levels) / kT)
        change = np.where(cold == 1.0, -expit((levels - mu) / kT), hot - cold)
        return float(room @ change)

    first_empty = min(int(np.searchsorted(-cold, 0.0)), len(levels) - 1)
    middle = 0.5 * (levels[first_empty - 1] + levels[first_empty])
    if excess(middle) == 0.0:  # a gap so wide that no double holds the occupations of its edges
        return float(middle)
    margin = kT * (np.log(capacity) + EMPTY)
    return float(brentq(excess, levels[0] - margin, levels[-1] + margin, xtol=1e-13, rtol=1e-14))
