"""Integrals of forces along a path by the rule of Clenshaw and Curtis, refined with all calls kept.

A force call is dear, and how rough a path is nobody knows before: the places of the rule are doubled, those of the
coarser one among them, until two answers agree. The change by the last refinement is the error, a cautious one.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import Chebyshev

COARSEST, FINEST = 4, 64
"""Panels of the rule; one call of the integrand for each, and one more."""


@dataclass(frozen=True)
class Integral:
    """int_0^1 f dt of several integrands at once.

    parts : (p,) float
        Of each.
    error : float
        Change of their sum by the last refinement.
    known : place in [0, 1] -> (p,) float
    """

    parts: np.ndarray
    error: float
    known: dict[float, np.ndarray]

    @property
    def value(self) -> float:
        """Of the sum of all."""
        return float(self.parts.sum())


def integral(integrand: Callable[[float], np.ndarray], is_enough: Callable[[Integral], bool]) -> Integral:
    """int_0^1 f(t) dt, refined until it is enough or the rule has FINEST panels; both ends are places of it.

    Parameters
    ----------
    integrand : t -> (p,) float
        Asked once for each place.
    is_enough : Integral -> bool
        The error of the coarsest rule is infinite.
    """
    known: dict[float, np.ndarray] = {}
    panels, found = COARSEST, None
    while found is None or (not is_enough(found) and panels <= FINEST):
        places = 0.5 - 0.5 * np.cos(np.pi * np.arange(panels + 1) / panels)
        for place in (float(p) for p in np.round(places, 12)):
            if place not in known:
                known[place] = np.asarray(integrand(place), float)
        columns = np.array(list(known.values())).T
        parts = np.array([_whole(list(known), column, panels) for column in columns])
        error = np.inf if found is None else abs(float(parts.sum()) - found.value)
        found = Integral(parts, error, known)
        panels *= 2
    return found


def _whole(places: list[float], values: np.ndarray, panels: int) -> float:
    """int_0^1 of the polynomial through values at the places of a rule."""
    antiderivative = Chebyshev.fit(places, values, panels, domain=[0.0, 1.0]).integ()
    return float(antiderivative(1.0) - antiderivative(0.0))
