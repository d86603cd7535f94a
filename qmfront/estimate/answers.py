"""The answers of the Hessian to the residuals of one iteration, with the forces of a model that the case chooses."""

import logging
from collections.abc import Callable, Mapping

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.coupling.force_mixing import hybrid_forces
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimates import CG_TOLERANCE
from qmfront.estimate.hessian_correction import Answer, hessian_answer
from qmfront.operators.operators import Operators
from qmfront.operators.translations import balanced

logger = logging.getLogger(__name__)


def answers(
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    displacement: np.ndarray,
    residuals: Mapping[str, np.ndarray],
    models: tuple[Forces, Forces],
    *,
    model: str,
    steps: int,
    chosen: str,
    embedding: Embedding = VACUUM,
) -> dict[str, Answer]:
    """Name of a residual -> answer: the chosen residual, and the exact one beside it where that costs no QM call.

    Parameters
    ----------
    region : (n,) int
    displacement : (n, 3) float, Å
    residuals : name -> (n, 3) float, eV/Å
    models : (qm, mm)
        Atoms -> forces.
    model : "mm" or "mixed"
        Whose Hessian, see `hessian_answer`.
    steps : int
    chosen : str
    """
    qm, mm = models
    if model == "mm":
        names, force = {chosen, *({"exact"} & set(residuals))}, _everywhere(defect, mm)
    else:
        names, force = {chosen}, hybrid_forces(defect.body, region, qm=qm, mm=mm, embedding=embedding)
    riesz = operators.force_constant_map(defect.free, tolerance=CG_TOLERANCE)
    found = {}
    for name in sorted(names):
        forces = np.asarray(residuals[name])
        found[name] = hessian_answer(force, displacement, forces, riesz, steps=steps, truncated=model == "mm")
        logger.info("Hessian of %s, residual %s: %d of %d steps", model, name, found[name].steps, steps)
    return found


def _everywhere(defect: Defect, mm: Forces) -> Callable[[np.ndarray], np.ndarray]:
    """MM forces on all free sites."""
    return lambda u: balanced(np.where(defect.free[:, None], mm(defect.body.atoms(u)), 0.0), defect.free)
