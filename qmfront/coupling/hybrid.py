"""One solve of the adaptive loop (2.10), from stores to stores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from qmfront.coupling.anderson import AndersonSettings
from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.coupling.solve import JACOBIAN_TOLERANCE, model_error_estimate, relax_hybrid
from qmfront.crystal.defect import Defect
from qmfront.operators.operators import Operators


@dataclass(frozen=True)
class SolveSettings:
    """How a solve goes and when it stops.

    fraction : float
        Algebraic part of the estimator over its model part at the end.
    anderson : AndersonSettings
    descent_force : float, eV/Å, optional
        A solve from the predictor first goes downhill to this largest force; any solve does, and further, after root
        finding has failed.
    embedding : Embedding
        How the QM model sees QM and buffer.
    """

    fraction: float
    anderson: AndersonSettings
    descent_force: float | None = None
    embedding: Embedding = VACUUM

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "SolveSettings":
        """From the section solve of a case, with the section embedding in it."""
        return cls(
            fraction=config["algebraic_fraction"],
            anderson=AndersonSettings(config["memory"], config["step_cap"], config["max_calls"]),
            descent_force=config["descent_force"],
            embedding=Embedding(**config["embedding"]),
        )


def solution_arrays(
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    models: tuple[Forces, Forces],
    *,
    start: np.ndarray | None,
    difference: Callable[[np.ndarray], np.ndarray],
    settings: SolveSettings,
) -> dict[str, np.ndarray]:
    """Arrays of a store of kind "solution".

    Parameters
    ----------
    region : (n,) int
    models : (qm, mm)
        Atoms -> forces.
    start : (n, 3) float, Å, or None
        The solution of the previous iteration; the predictor for the first one.
    difference : u (n, 3) Å -> F^QM - F^MM (n, 3) eV/Å
        What tells the stop, without a QM call, how large the error of the model is; see `model_difference`.
    settings : SolveSettings
    """
    jacobian = operators.force_constant_map(defect.free, tolerance=JACOBIAN_TOLERANCE)
    found = relax_hybrid(
        defect,
        jacobian,
        region,
        models,
        start=np.zeros_like(defect.predictor) if start is None else start,
        model_error=model_error_estimate(defect, jacobian, region, difference),
        fraction=settings.fraction,
        settings=settings.anderson,
        descent_force=settings.descent_force,
        downhill=start is None,
        embedding=settings.embedding,
    )
    return {
        "displacement": found.displacement,
        "forces": found.forces,
        "history": found.max_force,
        "measure": found.measure,
    }
