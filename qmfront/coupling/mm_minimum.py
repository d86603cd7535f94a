"""The minimum of a defect with the MM potential alone: where the QM/MM iteration starts, and its soft modes.

The predictor is the field of a singular line: its core is anywhere. The potential has an energy, so that a descent from
it, with its symmetry broken by noise, ends in a basin of its own. Several starts find several cores, of which the one
of lowest energy is taken.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Start
from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.descent import descend
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.soft_modes import SoftModes, mm_modes

logger = logging.getLogger(__name__)

MODES = 3
"""Soft modes of the potential that go on to the first solve."""


@dataclass(frozen=True)
class MMMinimum:
    """A minimum of the MM energy, and what the other starts came to.

    displacement : (n, 3) float, Å
    energies : (starts,) float, eV
        Of the minima of all starts over that of the predictor, per period; the lowest is that of `displacement`;
        infinite where a descent did not come to rest.
    modes : SoftModes
        Of the potential, with its own curvature.
    """

    displacement: np.ndarray
    energies: np.ndarray
    modes: SoftModes

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "start"."""
        return {"displacement": self.displacement, "energies": self.energies, **self.modes.arrays()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "MMMinimum":
        """The inverse of `arrays`."""
        modes = SoftModes.from_arrays(arrays)
        assert modes is not None
        return cls(arrays["displacement"], arrays["energies"], modes)


def mm_minimum(hybrid: Hybrid, energy: Callable[[np.ndarray], float], settings: Start) -> MMMinimum:
    """Descents with the MM forces from the predictor with noise, `settings.tries` of them; the lowest wins.

    Parameters
    ----------
    hybrid : Hybrid
        Its QM model is not asked.
    energy : u (n, 3) Å -> eV
        Of the MM model on all sites.
    settings : Start

    Raises
    ------
    NoEquilibriumError
        If no descent comes to rest: the potential has no minimum there.
    """
    at_rest = energy(np.zeros_like(hybrid.defect.predictor))
    found: list[tuple[float, np.ndarray | None]] = []
    for seed in range(settings.tries):
        try:
            u = _descended(hybrid, _noise(hybrid, seed, settings.noise), settings)
        except NoEquilibriumError as error:
            logger.info("start %d: %s", seed, error)
            found.append((np.inf, None))
            continue
        gained = energy(u) - at_rest
        found.append((gained, u))
        logger.info("start %d: %.4f eV below the predictor", seed, -gained)
    energies = np.array([one for one, _ in found])
    if np.isinf(energies).all():
        raise NoEquilibriumError(
            f"The defect does not come to rest with the potential alone, from none of {settings.tries} starts. The fit "
            "is poor in the core: add rattled cells to it, or start at the predictor (start.relax: false)."
        )
    best = found[int(np.argmin(energies))][1]
    assert best is not None
    return MMMinimum(best, energies, mm_modes(hybrid, best, MODES))


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
    )
