"""What an iteration learns from its solution: residuals, Hessian corrections and estimates, in one pass.

The Riesz representatives of the residuals in the norm of the force constants are computed once: they are the first step
of every Hessian correction and a row of the table of estimates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import CG_TOLERANCE, Estimates, estimates, representatives
from qmfront.estimate.exact_layer import Layer, residual_with_layer
from qmfront.estimate.hessian_correction import answers
from qmfront.estimate.residual import ResidualSettings
from qmfront.operators.operators import Operators
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class EstimatedIteration:
    """Residual forces and estimates of one solution.

    residuals : name -> (n, 3) float, eV/Å
    layer : Layer
    estimates : Estimates
    steps : name -> int
        Steps of conjugate gradients of each Hessian correction.
    chosen : str
        "norm/residual" that marks and stops.
    """

    residuals: Mapping[str, np.ndarray]
    layer: Layer
    estimates: Estimates
    steps: Mapping[str, int]
    chosen: str

    def arrays(self) -> dict[str, np.ndarray]:
        """Arrays of a store of kind "estimate"."""
        found = self.estimates
        return {"phi": found.phi, "eta_site": found.eta_site, "work_site": found.work_site}

    def attributes(self, calls: int, *, model: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Attributes of the stores "residual" and "estimate": QM calls, layer, steps of the corrections.

        Parameters
        ----------
        calls : QM calls of all of it
        model : "mm" or "mixed"
            Whose Hessian: one at rest and one a step are QM calls of the mixed one.
        """
        corrections = 1 + sum(self.steps.values()) if model == "mixed" and self.steps else 0
        residual = {"qm_calls": calls - corrections, "layer": self.layer.attributes()}
        return residual, {"qm_calls": corrections, "steps": dict(self.steps)}


def estimated_iteration(
    solution: Mapping[str, Any],
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    models: tuple[Forces, Forces],
    *,
    before: Layer | None,
    settings: ResidualSettings,
    estimate: Mapping[str, Any],
    differ: Mapping[str, Any],
    seconds: Seconds,
    embedding: Embedding = VACUUM,
) -> EstimatedIteration:
    """Residuals, corrections and estimates at a solution.

    Parameters
    ----------
    solution : {displacement (n, 3) Å, forces (n, 3) eV/Å}
    region : (n,) int
    models : (qm, mm)
        Atoms -> forces.
    before : Layer or None
        Of the iteration before, see `residual_with_layer`.
    settings : ResidualSettings
    estimate : {norm, residual, stabilisation, hessian}
        Section estimate of a case.
    differ : {mismatch, linear, lacking}
        See `differences`.
    seconds : Seconds
        Gets the processor time of each part.
    embedding : Embedding
    """
    residuals, layer = residual_with_layer(
        solution,
        defect,
        operators,
        region,
        models[0],
        before=before,
        settings=settings,
        differ=differ,
        seconds=seconds,
        embedding=embedding,
    )
    norm, residual = estimate["norm"], estimate["residual"]
    with seconds.of("estimate"):
        phi = representatives(residuals, operators.force_constant_map(defect.free, tolerance=CG_TOLERANCE))
        corrections = {}
        if norm == "hessian":
            corrections = answers(
                defect,
                operators,
                region,
                solution["displacement"],
                residuals,
                models,
                **estimate["hessian"],
                chosen=residual,
                embedding=embedding,
                phi=phi,
            )
        found = estimates(
            residuals,
            defect,
            operators,
            region,
            solution["forces"],
            norm=norm,
            residual=residual,
            stabilisation=estimate["stabilisation"],
            answers={name: one.displacement for name, one in corrections.items()},
            phi=phi,
        )
    steps = {name: one.steps for name, one in corrections.items()}
    return EstimatedIteration(residuals, layer, found, steps, f"{norm}/{residual}")
