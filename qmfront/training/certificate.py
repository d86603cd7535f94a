"""Making the consistency certificate: force constants, elastic moduli and phonons of MM and QM side by side."""

from itertools import pairwise

import numpy as np

from qmfront.config.material import ForceConstantSteps
from qmfront.elasticity.bulk import Bulk, cubic_lattice_constant
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.moduli import elastic_moduli
from qmfront.models.ace.calculator import ACE
from qmfront.models.force_constant_set import ForceConstants, matching_sites
from qmfront.models.force_constants import force_constants
from qmfront.training.fit import Fit
from qmfront.training.verdict import mismatch_measures

# Corners of the path in units of 2 pi / a: Gamma, H, N, Gamma of bcc; the same line is drawn for every cubic crystal.
PATH = (("Γ", (0, 0, 0)), ("H", (1, 0, 0)), ("N", (0.5, 0.5, 0)), ("Γ", (0, 0, 0)), ("P", (0.5, 0.5, 0.5)))
POINTS_PER_LEG = 40


def certificate_of(bulk: Bulk, fit: Fit, steps: ForceConstantSteps) -> Certificate:
    """How a fit differs from the reference model on the perfect crystal.

    Parameters
    ----------
    bulk : Bulk
        Of the reference model.
    fit : Fit
    steps : ForceConstantSteps
        As of the bulk.
    """
    mm, qm = ACE(fit.potential), bulk.force_constants
    atoms = bulk.crystal.to_atoms()
    constants = force_constants(atoms, mm, reach=steps.reach, step=steps.displacement)
    path, ticks, waves = _path(2 * np.pi / cubic_lattice_constant(bulk.crystal))
    residual, size = mismatch_measures(bulk.stresses, fit.difference, fit.mismatch.stress(bulk.gradients))
    return Certificate(
        distance=np.linalg.norm(qm.vector, axis=1),
        fc_qm=np.linalg.norm(qm.matrix, axis=(1, 2)),
        fc_mismatch=qm.matrix - _in_order(constants, qm),
        path=path,
        ticks=ticks,
        omega2_qm=np.linalg.eigvalsh(qm.dynamical_matrix(waves)),
        omega2_mm=np.linalg.eigvalsh(constants.dynamical_matrix(waves)),
        moduli_qm=_cubic(bulk.moduli),
        moduli_mm=_cubic(elastic_moduli(bulk.crystal, mm)),
        polynomial=fit.mismatch,
        mismatch_residual=residual,
        mismatch_size=size,
    )


def _path(unit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Length along the path, lengths of the corners, wave vectors (w, 3) 1/Å."""
    corners = unit * np.array([point for _, point in PATH])
    legs = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    ticks = np.concatenate([[0.0], np.cumsum(legs)])
    path = np.unique(np.concatenate([np.linspace(a, b, POINTS_PER_LEG) for a, b in pairwise(ticks)]))
    waves = np.stack([np.interp(path, ticks, corners[:, axis]) for axis in range(3)], axis=1)
    return path, ticks, waves


def _in_order(found: ForceConstants, wanted: ForceConstants) -> np.ndarray:
    """Matrices of `found` in the order of the pairs of `wanted`."""
    order = matching_sites(_ends(found), found.vector, _ends(wanted), wanted.vector)
    return found.matrix[order]


def _ends(constants: ForceConstants) -> np.ndarray:
    return np.stack([constants.basis_first, constants.basis_second], axis=1)


def _cubic(moduli: np.ndarray) -> np.ndarray:
    return np.array([moduli[0, 0, 0, 0], moduli[0, 0, 1, 1], moduli[1, 2, 1, 2]])
