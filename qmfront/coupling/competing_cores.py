"""Which of several cores the mixed forces prefer, by the work that they do from one to the other.

Minima of the potential whose energies are alike may lie in another order for the QM model. Each is brought to rest with
the mixed forces: before that, they differ by what each has left to relax. Mixed forces (2.11) have no energy, but along
a straight path between two states that differ within the QM region only,

    W = -int_0^1 F^H(u_a + t (u_b - u_a)) . (u_b - u_a) dt

is the difference of their energies, to the error of the forces outside of it. A bond that breaks on the way makes a
barrier that is sharp and a hundred times as high as W, so the rule of Clenshaw and Curtis is refined, with all calls
kept, until two answers agree. Where they do not, the order of the potential stands.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.coupling.hybrid import Field
from qmfront.coupling.quadrature import Integral, integral

logger = logging.getLogger(__name__)

AGREE, AGREE_RELATIVE = 1e-3, 0.05
"""eV, and part of W; two answers that differ by less agree."""


@dataclass(frozen=True)
class Work:
    """E(end) - E(start) and its error, eV per period."""

    value: float
    error: float

    @property
    def is_known(self) -> bool:
        """Whether two answers agree."""
        return self.error < max(AGREE, AGREE_RELATIVE * abs(self.value))


def work_between(force: Field, start: np.ndarray, end: np.ndarray) -> Work:
    """E(end) - E(start) by the work of the forces; the error is the change by the last refinement.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
    start, end : (n, 3) float, Å
    """
    step = end - start

    def power(place: float) -> np.ndarray:
        return np.array([-float(np.vdot(force(start + place * step), step))])

    def agrees(found: Integral) -> bool:
        return Work(found.value, found.error).is_known

    found = integral(power, agrees)
    return Work(found.value, found.error)


def preferred_core(force: Field, cores: Sequence[np.ndarray]) -> int:
    """The number of the core of lowest energy; the first one where the work to the others is not known.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
        Of the mixed forces, with all of the cores in the QM region.
    cores : (n, 3) float, Å each
        At rest with the mixed forces, the lowest one of the potential first.
    """
    if len(cores) == 1:
        return 0
    works = [Work(0.0, 0.0), *(work_between(force, cores[0], core) for core in cores[1:])]
    best = min((k for k, work in enumerate(works) if work.is_known), key=lambda k: works[k].value)
    logger.info(
        "%d cores compete; over the first one they lie, by virtual work with the mixed forces: %s eV; %s",
        len(cores),
        ", ".join(f"{work.value:.4f}" for work in works[1:]),
        "the first one it is" if best == 0 else f"number {best + 1} is the lowest",
    )
    for number, work in enumerate(works, start=1):
        if not work.is_known:
            logger.warning(
                "The work to core %d is not known to better than %.1e eV. The order of the potential stands for it, "
                "so that it may be the lowest core all the same.",
                number,
                work.error,
            )
    return best
