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
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.coupling.partition import QM
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import estimator
from qmfront.estimate.residual import ResidualSettings, combined, exact_core, residual_arrays
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.operators.operators import Operators
from qmfront.operators.riesz import ForceConstantMap
from qmfront.storage.timing import Seconds

STEP_R0 = 1.0
"""r0; by so much layers differ."""
CG_TOLERANCE = 1e-6
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

    def attributes(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def of(cls, residual: Any) -> "Layer":
        """The inverse of `attributes`, from a store of kind "residual", where keys are text."""
        kept = residual.attrs["layer"]
        return cls(**{**kept, "etas": {float(width): eta for width, eta in kept["etas"].items()}})


def layer_width(before: Layer | None, n_qm: int, *, widest: float) -> float:
    """Width (r0) of the layer of this iteration: the widest one at first, and again when N_QM has grown by RENEWAL."""
    if before is None or n_qm >= RENEWAL * before.widest_at:
        return widest
    return min(before.enough_r0, widest)


def layer_etas(
    exact_inside: np.ndarray,
    beyond: np.ndarray,
    solution: Mapping[str, Any],
    defect: Defect,
    region: np.ndarray,
    riesz: ForceConstantMap,
    *,
    settings: ResidualSettings,
) -> dict[float, float]:
    """Width v (r0) -> eta(v), Å, for v = 0, 1, .. and the width that was used.

    Parameters
    ----------
    exact_inside : (n, 3) float, eV/Å
        The residual with the layer of the settings; only its values on exact sites are used.
    beyond : (n, 3) float, eV/Å
        Mixed forces and the Cauchy-Born difference, on all free sites.
    solution : {displacement (n, 3) Å, forces (n, 3) eV/Å}
    region : (n,) int
    riesz : ForceConstantMap
    settings : ResidualSettings
    """
    u, found = solution["displacement"], {}
    for width in [*np.arange(0.0, settings.layer_r0, STEP_R0), settings.layer_r0]:
        core = exact_core(u, defect, region, replace(settings, layer_r0=width))
        is_free_of_calls = width == 0 and not (settings.face_layer > 0 and defect.face_sites().any())
        inside = solution["forces"] if is_free_of_calls else exact_inside
        forces = combined(core, inside, beyond, defect.free)
        found[float(width)] = estimator(riesz.solve(forces), defect.stencil)
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
    solution: Mapping[str, Any],
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    qm: Forces,
    *,
    before: Layer | None,
    settings: ResidualSettings,
    difference: ModelDifference,
    seconds: Seconds,
    embedding: Embedding = VACUUM,
) -> tuple[dict[str, np.ndarray], Layer]:
    """`residual_arrays` with the layer that the iteration before said to be enough, and what this one says.

    Without a tolerance the layer is that of the settings, and nothing is said.

    Parameters
    ----------
    before : Layer or None
        Of the iteration before; None for the first one.
    settings : ResidualSettings
        With the widest layer.
    difference : ModelDifference
    """
    n_qm, widest = int(np.sum(region == QM)), settings.layer_r0
    width = layer_width(before, n_qm, widest=widest) if settings.layer_tolerance > 0 else widest
    settings = replace(settings, layer_r0=width)
    arrays = residual_arrays(
        solution,
        defect,
        operators,
        region,
        qm,
        difference=difference,
        settings=settings,
        seconds=seconds,
        embedding=embedding,
    )
    widest_at = n_qm if before is None or width == widest else before.widest_at
    if "cauchy_born" not in arrays or settings.layer_tolerance == 0:
        return arrays, Layer(width, width, widest_at, {})
    with seconds.of("cauchy_born"):
        beyond = solution["forces"] + difference.forces(solution["displacement"])
        riesz = operators.force_constant_map(defect.free, tolerance=CG_TOLERANCE)
        etas = layer_etas(arrays["cauchy_born"], beyond, solution, defect, region, riesz, settings=settings)
    return arrays, Layer(width, enough(etas, settings.layer_tolerance), widest_at, etas)
