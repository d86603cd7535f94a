"""The minimum of a defect with the MM potential alone: where the QM/MM iteration starts, and its soft modes.

The predictor is the field of a singular line: its core is anywhere. The potential has an energy, so that a descent from
it, with its symmetry broken by noise, ends in a basin of its own. Several starts, for a dislocation with the core
beside that of the predictor, find several cores, of which the one of lowest energy is taken.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Start
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.descent import descend
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.soft_modes import SoftModes, mm_modes

logger = logging.getLogger(__name__)

COMPETING = {2: 0.05, 3: 0.2}
"""eV per period of a straight defect, and of a point defect: within it, the potential does not know which of two minima
is the lower one."""

APART_R0 = 0.1
"""r0; minima whose sites differ by less are the same one."""

MODES = 3
"""Soft modes of the potential that go on to the first solve."""


@dataclass(frozen=True)
class MMMinimum:
    """A minimum of the MM energy, and what the other starts came to.

    displacement : (n, 3) float, Å
        0, the predictor, where no descent came to rest.
    energies : (starts,) float, eV
        Of the minima of all starts over that of the predictor, per period; the lowest is that of `displacement`;
        infinite where a descent did not come to rest.
    modes : SoftModes or None
        Of the potential, with its own curvature; none without a minimum.
    competing : (n, 3) float, Å each
        Other minima within COMPETING of the lowest, among which mixed forces have to decide.
    """

    displacement: np.ndarray
    energies: np.ndarray
    modes: SoftModes | None
    competing: tuple[np.ndarray, ...] = ()

    @property
    def minima(self) -> tuple[np.ndarray, ...]:
        """The minimum and those that compete with it, (n, 3) Å each."""
        return (self.displacement, *self.competing)

    @property
    def at_rest(self) -> bool:
        """Whether there is a minimum at all."""
        return bool(np.isfinite(self.energies).any())

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "start"."""
        modes = {} if self.modes is None else self.modes.arrays()
        competing = {"competing": np.array(self.competing)} if self.competing else {}
        return {"displacement": self.displacement, "energies": self.energies, **competing, **modes}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "MMMinimum":
        """The inverse of `arrays`."""
        modes, competing = SoftModes.from_arrays(arrays), tuple(arrays.get("competing", ()))
        return cls(arrays["displacement"], arrays["energies"], modes, competing)


def mm_minimum(
    hybrid: Hybrid,
    energy: Callable[[np.ndarray], float],
    settings: Start,
    *,
    others: Sequence[np.ndarray] = (),
) -> MMMinimum:
    """Descents with the MM forces, `settings.tries` of them, with noise; the lowest minimum wins.

    They start in turn at the predictor and at each of `others`. Where none comes to rest, the potential has no minimum
    near the defect: the QM/MM iteration starts at the predictor then, and its QM region has to hold the core.

    Parameters
    ----------
    hybrid : Hybrid
        Its QM model is not asked.
    energy : u (n, 3) Å -> eV
        Of the MM model on all sites.
    settings : Start
    others : (n, 3) float, Å each
        Other places of the core, over the predictor; see `cores_of`.
    """
    predictor = np.zeros_like(hybrid.defect.predictor)
    at_rest = energy(predictor)
    begins = (predictor, *others)
    found: list[tuple[float, np.ndarray]] = []
    for seed in range(settings.tries):
        try:
            noise = _noise(hybrid, seed, settings.noise)
            u = _descended(hybrid, begins[seed % len(begins)] + noise, settings)
        except (NoEquilibriumError, ValueError) as error:  # a model refuses atoms that are too close
            logger.info("start %d: %s", seed, error)
            found.append((np.inf, predictor))
            continue
        gained = energy(u) - at_rest
        found.append((gained, u))
        logger.info("start %d: %.4f eV below the predictor", seed, -gained)
    energies = np.array([one for one, _ in found])
    best = found[int(np.argmin(energies))][1]
    if np.isinf(energies).all():
        logger.warning(
            "The defect does not come to rest with the potential alone, from none of %d starts: its fit is poor in the "
            "core. The iteration starts at the predictor.",
            settings.tries,
        )
        return MMMinimum(predictor, energies, None)
    competing = _competing(found, best, COMPETING[hybrid.defect.dimension], APART_R0 * hybrid.defect.r0)
    if competing:
        logger.info("%d other minima lie within the error of the potential", len(competing))
    return MMMinimum(best, energies, mm_modes(hybrid, best, MODES), competing)


def minimum_from(
    hybrid: Hybrid, energy: Callable[[np.ndarray], float], settings: Start, *, begin: np.ndarray
) -> MMMinimum:
    """The minimum to which a descent with the MM forces leads from a known state, such as that of a host of solutes.

    A solute makes a core glide although no force is large, which root finding does not follow: from the edge
    dislocation in Al beside Ni it fails after 150 QM calls, and after this descent it takes 14. Where the potential
    does not come to rest, or is not to be relaxed (settings.relax), the known state itself, without modes.

    Parameters
    ----------
    hybrid : Hybrid
        Its QM model is not asked.
    energy : u (n, 3) Å -> eV
        Of the MM model on all sites.
    settings : Start
    begin : (n, 3) float, Å
    """
    at_rest, u = energy(np.zeros_like(begin)), begin
    modes = None
    try:
        if settings.relax:
            u = _descended(hybrid, begin, settings)
            modes = mm_modes(hybrid, u, MODES)
            logger.info(
                "the potential moves a site by %.2f Å from the solution of the host", largest_move(u, begin)
            )
    except (NoEquilibriumError, ValueError) as error:  # a model refuses atoms that are too close
        logger.info("the first solve starts at the solution of the host: %s", error)
    return MMMinimum(u, np.array([energy(u) - at_rest]), modes)


def _competing(
    found: Sequence[tuple[float, np.ndarray]], best: np.ndarray, window: float, apart: float
) -> tuple[np.ndarray, ...]:
    """Minima within a window (eV) of the lowest one and apart (Å) from it and from each other."""
    lowest, kept = min(energy for energy, _ in found), [best]
    for energy, u in sorted(found, key=lambda one: one[0]):
        if energy <= lowest + window and all(largest_move(u, other) > apart for other in kept):
            kept.append(u)
    return tuple(kept[1:])


def largest_move(one: np.ndarray, other: np.ndarray) -> float:
    """Largest distance of a site in two states, Å."""
    return float(np.linalg.norm(one - other, axis=1).max())


def _noise(hybrid: Hybrid, seed: int, amplitude: float) -> np.ndarray:
    """Normal displacements of the free sites, (n, 3) Å."""
    defect = hybrid.defect
    noise = np.random.default_rng(seed).normal(scale=amplitude, size=defect.predictor.shape)
    return np.where(defect.free[:, None], noise, 0.0)


def _descended(hybrid: Hybrid, start: np.ndarray, settings: Start) -> np.ndarray:
    return descend(
        hybrid.mm_forces(),
        start,
        hybrid.inexact(1e-2).solve,
        max_force=settings.max_force,
        step_cap=settings.step_cap,
        max_calls=settings.max_calls,
    ).displacement
