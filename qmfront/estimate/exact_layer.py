"""How wide the exact layer of the residual cauchy_born has to be: the estimator itself tells, call by call.

Where the layer is w wide its QM forces are known in every thinner layer too, so that one call says what eta would have
been with each of them:

    eta(v) = || D H_FC^-1 F_v ||,   F_v exact within v of the QM region, Cauchy-Born difference beyond,   v = 0, 1, .. w

The thinnest v from which on all agree with eta(w) is enough in the next iteration. No layer at all costs no QM call.
The QM region moves outwards, to smoother strains, but may reach what a thin layer does not see: the widest layer is
asked again when N_QM has grown by RENEWAL.
# PAPER 3.2.2 has no layer: (3.7) takes exact forces in the whole buffer.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import QM
from qmfront.coupling.solution import Solution
from qmfront.estimate.estimator import estimator
from qmfront.estimate.residual import ResidualSettings, combined, exact_core, residual_arrays
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.storage.layout import Attributes
from qmfront.storage.timing import Seconds

STEP_R0 = 1.0
"""r0; by so much layers differ."""
CG_TOLERANCE = 1e-3
"""Relative; etas are compared to a few per cent."""
RENEWAL = 4.0
"""Growth of N_QM after which the widest layer is asked again."""


@dataclass(frozen=True)
class Layer:
    """The layer of one iteration, and what it says about the next one.

    width_r0 : float, r0
        Of the layer that was used.
    enough_r0 : float, r0
        The thinnest one that would have told the same.
    widest_at : int
        N_QM of the last iteration that had the widest layer.
    etas : dict, Å
        Width (r0) -> eta(v), see `layer_etas`.
    """

    width_r0: float
    enough_r0: float
    widest_at: int
    etas: Mapping[float, float]

    def attributes(self) -> Attributes:
        """Plain values."""
        return asdict(self)

    @classmethod
    def of(cls, residual: Any) -> "Layer":
        """The inverse of `attributes`, from a store of kind "residual", where keys are text."""
        kept = residual.attrs["layer"]
        return cls(**{**kept, "etas": {float(width): eta for width, eta in kept["etas"].items()}})


@dataclass(frozen=True)
class LayeredSettings:
    """How the residual of an iteration is computed, with the layer of the iteration before; None for the first one."""

    residual: ResidualSettings
    before: Layer | None = None


def layer_width(before: Layer | None, n_qm: int, *, widest: float) -> float:
    """Width (r0) of the layer of this iteration: the widest one at first, and again when N_QM has grown by RENEWAL."""
    if before is None or n_qm >= RENEWAL * before.widest_at:
        return widest
    return min(before.enough_r0, widest)


def with_layer(settings: ResidualSettings, before: Layer | None, region: np.ndarray) -> ResidualSettings:
    """The settings with the layer that the iteration before said to be enough; as they are without a tolerance.

    Parameters
    ----------
    settings : ResidualSettings
        With the widest layer.
    before : Layer or None
        Of the iteration before; None for the first one.
    region : (n,) int
    """
    estimate = settings.estimate
    if estimate.layer_tolerance == 0:
        return settings
    return settings.with_layer(layer_width(before, int(np.sum(region == QM)), widest=estimate.layer_r0))


def layer_of(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    forces: tuple[np.ndarray, np.ndarray],
    *,
    settings: ResidualSettings,
    widest_at: int,
) -> Layer:
    """What the layer of an iteration says about the next one.

    Parameters
    ----------
    forces : (n, 3) float, eV/Å, twice
        The residual cauchy_born, exact within the layer, and what it would be without one: see `layer_etas`.
    settings : ResidualSettings
        With the layer that was used.
    widest_at : int
    """
    etas = layer_etas(hybrid, region, solution, forces, settings=settings)
    estimate = settings.estimate
    return Layer(estimate.layer_r0, enough(etas, estimate.layer_tolerance), widest_at, etas)


def layer_etas(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    forces: tuple[np.ndarray, np.ndarray],
    *,
    settings: ResidualSettings,
) -> dict[float, float]:
    """Width v (r0) -> eta(v), Å, for v = 0, 1, .. and the width that was used.

    Parameters
    ----------
    forces : (n, 3) float, eV/Å, twice
        The residual with the layer of the settings, of which only values on exact sites are used; mixed forces and the
        Cauchy-Born difference, on all free sites.
    """
    defect, u, found = hybrid.defect, solution.displacement, {}
    exact_inside, beyond = forces
    widest, faces = settings.estimate.layer_r0, settings.estimate.face_layer
    riesz = hybrid.inexact(CG_TOLERANCE)
    for width in [*np.arange(0.0, widest, STEP_R0), widest]:
        core = exact_core(u, defect, region, settings.with_layer(float(width)))
        is_free_of_calls = width == 0 and not (faces > 0 and defect.face_sites().any())
        inside = solution.forces if is_free_of_calls else exact_inside
        phi = riesz.solve(combined(core, inside, beyond, defect.free))
        found[float(width)] = estimator(phi, defect.stencil)
    return found


def enough(etas: Mapping[float, float], tolerance: float) -> float:
    """The thinnest width (r0) from which on no eta differs from that of the widest by more than a fraction."""
    widths = sorted(etas, reverse=True)
    whole, thinnest = etas[widths[0]], widths[0]
    for width in widths:
        if abs(etas[width] - whole) > tolerance * whole:
            break
        thinnest = width
    return thinnest


def residual_with_layer(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    difference: ModelDifference,
    *,
    settings: LayeredSettings,
    seconds: Seconds,
) -> tuple[dict[str, np.ndarray], Layer]:
    """`residual_arrays` with the layer that the iteration before said to be enough, and what this one says.

    Without a tolerance the layer is that of the settings, and nothing is said.
    """
    before, widest = settings.before, settings.residual.estimate.layer_r0
    chosen = with_layer(settings.residual, before, region)
    arrays = residual_arrays(hybrid, region, solution, difference, settings=chosen, seconds=seconds)
    width, n_qm = chosen.estimate.layer_r0, int(np.sum(region == QM))
    widest_at = n_qm if before is None or width == widest else before.widest_at
    if "cauchy_born" not in arrays or chosen.estimate.layer_tolerance == 0:
        return arrays, Layer(width, width, widest_at, {})
    with seconds.of("cauchy_born"):
        beyond = solution.forces + difference.forces(solution.displacement)
        forces = (arrays["cauchy_born"], beyond)
        layer = layer_of(hybrid, region, solution, forces, settings=chosen, widest_at=widest_at)
    return arrays, layer
