"""Which of several cores the mixed forces prefer, by the work that they do from one to the other.

Minima of the potential whose energies are alike may lie in another order for the QM model. Each is brought to rest with
the mixed forces: before that, they differ by what each has left to relax. Mixed forces (2.11) have no energy, but along
a straight path between two states that differ within the QM region only,

    W = -int_0^1 F^H(u_a + t (u_b - u_a)) . (u_b - u_a) dt

is the difference of their energies, to the error of the forces outside of it.
"""

import logging
from collections.abc import Sequence

import numpy as np

from qmfront.coupling.hybrid import Field

logger = logging.getLogger(__name__)

POINTS = 4
"""Of the Gauss rule; one QM call each."""


def work_between(force: Field, start: np.ndarray, end: np.ndarray) -> float:
    """E(end) - E(start), eV per period, by POINTS calls of the forces.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
    start, end : (n, 3) float, Å
    """
    step = end - start
    places, weights = np.polynomial.legendre.leggauss(POINTS)
    works = [np.vdot(force(start + 0.5 * (1.0 + place) * step), step) for place in places]
    return -0.5 * float(np.dot(weights, works))


def preferred_core(force: Field, cores: Sequence[np.ndarray]) -> int:
    """The number of the core of lowest energy.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
        Of the mixed forces, with all of the cores in the QM region.
    cores : (n, 3) float, Å each
        At rest with the mixed forces.
    """
    if len(cores) == 1:
        return 0
    works = [0.0, *(work_between(force, cores[0], core) for core in cores[1:])]
    best = int(np.argmin(works))
    logger.info(
        "%d cores compete; over the first one they lie, by virtual work with the mixed forces: %s eV; %s",
        len(cores),
        ", ".join(f"{work:.4f}" for work in works[1:]),
        "the first one it is" if best == 0 else f"number {best + 1} is the lowest",
    )
    return best
