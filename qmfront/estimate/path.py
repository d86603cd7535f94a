"""Forces along the path of a virtual work: mixed ones, and what they differ by from those of the QM model."""

from typing import Any

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.coupling.partition import QM
from qmfront.crystal.defect import Defect
from qmfront.estimate.energy import Parts, WorkEnergy, work_energy
from qmfront.estimate.residual import core_residual
from qmfront.estimate.residuals import ResidualSettings, exact_core, model_difference
from qmfront.operators.operators import Operators

CG_TOLERANCE = 1e-8


def solution_energy(
    displacement: np.ndarray,
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    models: tuple[Forces, Forces],
    *,
    differences: dict[str, Any],
    settings: ResidualSettings,
    embedding: Embedding = VACUUM,
) -> WorkEnergy:
    """E(solution) - E(predictor) by `work_energy`: 16 QM calls on the QM region, its layer and the wide buffer.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    region : (n,) int
    models : (qm, mm)
    differences : {mismatch, linear, lacking}
        As for `residual_arrays`.
    settings : ResidualSettings
        Layer and buffer; its names are not used.
    """
    core = exact_core(displacement, defect, region, settings)
    return work_energy(
        _parts(defect, region, models, core, settings.buffer, embedding, differences),
        operators.force_constant_map(defect.free, tolerance=CG_TOLERANCE),
        start=np.zeros_like(displacement),
        end=displacement,
    )


def _parts(
    defect: Defect,
    region: np.ndarray,
    models: tuple[Forces, Forces],
    core: np.ndarray,
    buffer: float,
    embedding: Embedding,
    differences: dict[str, Any],
) -> Parts:
    qm, mm = models
    own, exact, free = (mask[:, None] for mask in (region == QM, core, defect.free))

    def parts(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inside, _ = core_residual(defect.body, u, core, qm, buffer=buffer, embedding=embedding)
        outside = mm(defect.body.atoms(u))
        beyond = outside + model_difference(u, defect, **differences)
        mixed = np.where(own, inside, outside)
        whole = np.where(exact, inside, beyond)
        return np.where(free, mixed, 0.0), np.where(free, whole - mixed, 0.0)

    return parts
