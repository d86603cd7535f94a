"""The reference of a case: the QM equilibrium on the whole domain, proven stable, with its core."""

import logging

import numpy as np

from qmfront.coupling.anderson import AndersonSettings
from qmfront.coupling.force_mixing import Forces, model_forces
from qmfront.coupling.relaxation import relax_reference
from qmfront.coupling.stability import core_position, lowest_mode
from qmfront.crystal.defect import Defect
from qmfront.estimate.operators import Operators

logger = logging.getLogger(__name__)


def reference_arrays(
    defect: Defect, operators: Operators, qm: Forces, *, max_force: float, settings: AndersonSettings
) -> dict[str, np.ndarray]:
    """Arrays of a store of kind "reference".

    Parameters
    ----------
    max_force : float, eV/Å

    Raises
    ------
    RuntimeError
        No convergence, or an equilibrium that is a saddle.
    """
    riesz = operators.force_constant_map(defect.free, tolerance=1e-8)
    found = relax_reference(defect, riesz, qm, max_force=max_force, settings=settings)
    force = model_forces(defect.body, defect.free, qm)
    eigenvalue, mode = lowest_mode(force, found.displacement, defect, riesz)
    logger.info("lowest eigenvalue of H v = lambda H_FC v: %.4f", eigenvalue)
    if eigenvalue <= 0:
        raise RuntimeError(
            f"The reference is a saddle: lambda = {eigenvalue:.3e} along a mode whose largest displacement is at "
            f"site {int(np.abs(mode).max(axis=1).argmax())}. Move the core (defect.core_offset) into a stable position."
        )
    return {
        "displacement": found.displacement,
        "forces": found.forces,
        "core": core_position(found.displacement, defect),
        "lowest_eigenvalue": eigenvalue,
        "lowest_mode": mode,
        "history": found.max_force,
    }
