"""How certain the derivatives of the reference model are: each observed at two steps.

    noise_j = |y_j(h) - y_j(2h)| / |y_j(h)|

Models that are read from tables have third and fourth derivatives that are noise to a few or to all per cent of their
size, and a fit that is made to meet them is worse everywhere else. An observation counts as much as its noise allows,

    W_j <- min(W_j, w / noise_j^2)

with one small w for all. Differences of a smooth model change by far less than they count.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from qmfront.config.material import ForceConstantSteps
from qmfront.config.potential import Robust, Weights
from qmfront.storage.layout import Declared
from qmfront.training.observe.kinds import KIND, KINDS, Kind, observe
from qmfront.training.observe.lattice import Lattice
from qmfront.training.observe.responses import Response

STRAIN = 2.0
"""The other strain step over the first one: half of its lattices are those of the first step."""
DISPLACEMENT = 5.0
"""The other displacement of force constants over the first one, if that is small."""
LARGE_DISPLACEMENT = 2e-3
"""Å; displacements from here on are chosen against noise, and are halved instead: more would be anharmonic."""
FREE = ("energy", "stress")
"""Kinds that are no differences."""

DECLARED = {
    f"noise_{kind.name}": Declared("", "f", "1", f"relative change of {kind.name} with the step")
    for kind in KINDS
    if kind.functional is not None and kind.name not in FREE
}


def other_steps(steps: ForceConstantSteps) -> ForceConstantSteps:
    """Force constants at another displacement."""
    factor = DISPLACEMENT if steps.displacement < LARGE_DISPLACEMENT else 0.5
    return steps.model_copy(update={"displacement": factor * steps.displacement})


def other_lattice(lattice: Lattice) -> Lattice:
    """The lattice under strains of the other step."""
    return replace(lattice, strain_step=STRAIN * lattice.strain_step)


def noise_of(
    rows: Mapping[str, np.ndarray], kinds: Sequence[Kind], other: Response, lattice: Lattice
) -> dict[str, float]:
    """Relative change of observations with their step, kind -> number.

    Parameters
    ----------
    rows : kind -> (rows,)
        At the first step.
    kinds : those that are observed again
    other : Response
        Of the reference model, with `other_steps`.
    lattice : Lattice
        With the first step.
    """
    again = observe(other, [kind for kind in kinds if kind.name not in FREE], other_lattice(lattice))
    return {
        name: float(np.linalg.norm(again[name] - rows[name]) / max(KIND[name].size(rows), 1e-300))
        for name in again
    }


def order_of(noise: Mapping[str, float], settings: Robust) -> int:
    """The matching order that the noise allows: 2 where the fourth derivative is none, 1 otherwise."""
    return 2 if noise.get("fourth_derivative", np.inf) <= settings.smooth else 1


def weights_by_noise(noise: Mapping[str, float], weights: Weights, settings: Robust) -> dict[str, float]:
    """min(W_j, w / noise_j^2), kind -> number."""
    return {
        name: min(getattr(weights, KIND[name].weight), settings.noise_weight / max(value, 1e-30) ** 2)
        for name, value in noise.items()
    }
