"""What an iteration learns from its solution: residuals, Hessian corrections and estimates, in one pass.

The Riesz representatives of the residuals in the norm of the force constants are computed once: they are the first step
of every Hessian correction and a row of the table of estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from qmfront.coupling.core import tip_advance
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.partition import QM
from qmfront.coupling.solution import Solution
from qmfront.estimate.estimator import Estimates, Responses, estimates, estimator, representatives
from qmfront.estimate.exact_layer import CG_TOLERANCE, Layer, LayeredSettings, residual_with_layer
from qmfront.estimate.hessian_correction import corrections
from qmfront.estimate.residual import exact_core
from qmfront.estimate.trust import Attained, Trust, trust
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.storage.layout import Attributes
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class EstimatedIteration:
    """Residual forces and estimates of one solution.

    residuals : name -> (n, 3) float, eV/Å
    layer : Layer
    estimates : Estimates
    steps : name -> int
        Steps of conjugate gradients of each Hessian correction.
    polynomial_error : float
        Relative error of dW times the part of eta, in the norm of H_FC, that comes from sites where dW was taken; NaN
        if it was not asked.
    """

    residuals: Mapping[str, np.ndarray]
    layer: Layer
    estimates: Estimates
    steps: Mapping[str, int]
    polynomial_error: float = np.nan

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "estimate"."""
        found = self.estimates
        return {"phi": found.phi, "eta_site": found.eta_site, "work_site": found.work_site}

    def attributes(self, calls: int, *, model: str) -> tuple[Attributes, Attributes]:
        """Attributes of the stores "residual" and "estimate": QM calls, layer, steps of the corrections.

        Parameters
        ----------
        calls : QM calls of all of it
        model : "mm" or "mixed"
            Whose Hessian: one at rest and one a step are QM calls of the mixed one.
        """
        mixed = 1 + sum(self.steps.values()) if model == "mixed" and self.steps else 0
        residual = {"qm_calls": calls - mixed, "layer": self.layer.attributes()}
        return residual, {"qm_calls": mixed, "steps": dict(self.steps)}


def estimated_iteration(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    difference: ModelDifference,
    *,
    settings: LayeredSettings,
    seconds: Seconds,
) -> EstimatedIteration:
    """Residuals, corrections and estimates at a solution.

    Parameters
    ----------
    region : (n,) int
    difference : ModelDifference
        Of the two models, beyond the exact sites.
    settings : LayeredSettings
    seconds : Seconds
        Gets the processor time of each part.
    """
    residuals, layer = residual_with_layer(
        hybrid, region, solution, difference, settings=settings, seconds=seconds
    )
    estimate = settings.residual.estimate
    with seconds.of("estimate"):
        phi = representatives(residuals, hybrid.riesz)
        corrected = corrections(hybrid, region, solution, residuals, phi, estimate)
        answers = {name: one.displacement for name, one in corrected.items()}
        local = {name: one.local for name, one in corrected.items() if one.local is not None}
        responses = Responses(residuals, phi, answers, local)
        found = estimates(hybrid, region, solution.forces, responses, estimate)
        hanging = np.nan
        if not np.isnan(difference.polynomial_error):
            hanging = difference.polynomial_error * _share(
                hybrid, region, solution, residuals, settings, layer
            )
    steps = {name: one.steps for name, one in corrected.items()}
    return EstimatedIteration(residuals, layer, found, steps, hanging)


def judged(
    found: EstimatedIteration,
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    before: Attained | None,
    *,
    proven: float = np.inf,
) -> Trust:
    """The verdict on an iteration; see `trust`.

    Parameters
    ----------
    region : (n,) int
    before : Attained or None
        By the iteration before, if there was one.
    proven : float
        Lowest eigenvalue of a Lanczos run with mixed forces, where there was one.
    """
    advance = tip_advance(solution.displacement, hybrid.defect)
    now = Attained(found.estimates.chosen, int(np.sum(region == QM)), tip_advance=advance)
    return trust(
        solution,
        found.estimates.phi,
        r0=hybrid.defect.r0,
        attained=(before, now),
        polynomial_error=found.polynomial_error,
        proven=proven,
    )


def _share(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    residuals: Mapping[str, np.ndarray],
    settings: LayeredSettings,
    layer: Layer,
) -> float:
    """Part of eta, in the norm of H_FC, of the forces beyond the sites on which the residual cauchy_born is exact."""
    if settings.residual.estimate.residual != "cauchy_born":
        return 0.0
    used = settings.residual.with_layer(layer.width_r0)
    exact = exact_core(solution.displacement, hybrid.defect, region, used)
    forces, riesz = residuals["cauchy_born"], hybrid.inexact(CG_TOLERANCE)
    whole, beyond = (
        estimator(riesz.solve(part), hybrid.defect.stencil)
        for part in (forces, np.where(exact[:, None], 0.0, forces))
    )
    return beyond / whole if whole > 0.0 else 0.0
