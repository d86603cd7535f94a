"""Stresses of homogeneous lattices with their sublattices at rest, as observations of a fit.

P(F_s) of the QM model at its own shifts,    and forces between the sublattices of the fit there: zero
"""

import numpy as np

from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.internal import Shifts
from qmfront.models.ace.basis import Basis
from qmfront.training.observe.responses import BasisResponse


def stress_targets(stresses: np.ndarray, n_basis: int, factors: np.ndarray | None = None) -> np.ndarray:
    """What the rows of `stress_designs` should be: stresses (s, 3, 3), eV, times factors (s,); zero forces, eV/Å."""
    scaled = stresses if factors is None else factors[:, None, None] * stresses
    return np.concatenate([scaled.ravel(), np.zeros(3 * _resting(n_basis) * len(stresses))])


def stress_designs(
    crystal: Crystal,
    basis: Basis,
    gradients: np.ndarray,
    shifts: np.ndarray | None,
    factors: np.ndarray | None = None,
) -> np.ndarray:
    """The rows for every basis function, (rows, n_functions).

    Parameters
    ----------
    gradients : (s, 3, 3) float
    shifts : (s, nb, 3) float, Å
        Of the QM model; a Bravais lattice has none.
    factors : (s,) float, optional
        Of stresses and forces; one if left out.
    """
    inner = _resting(len(crystal.basis))
    response = BasisResponse(
        crystal, basis, shifts=Shifts(gradients, shifts) if inner and shifts is not None else None
    )
    scales = np.ones(len(gradients)) if factors is None else factors
    pairs = list(zip(scales, gradients, strict=True))
    stress = [scale * response.stress(F).reshape(9, -1) for scale, F in pairs]
    internal = [scale * response.internal_forces(F).reshape(3 * inner, -1) for scale, F in pairs if inner]
    return np.concatenate([*stress, *internal])


def _resting(n_basis: int) -> int:
    """Number of atoms on which zero forces are observed: none for a Bravais lattice."""
    return n_basis if n_basis > 1 else 0
