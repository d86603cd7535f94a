"""Making the consistency certificate: force constants, elastic moduli and phonons of MM and QM side by side."""

from itertools import pairwise

import numpy as np
from ase.data import atomic_masses

from qmfront.config.material import ForceConstantSteps
from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.moduli import elastic_moduli, to_voigt
from qmfront.models.ace.calculator import ACE
from qmfront.models.force_constant_set import ForceConstants, matching_sites
from qmfront.models.force_constants import force_constants
from qmfront.training.fit import Fit
from qmfront.training.verdict import mismatch_measures

# Corners of the path, named by their coordinates in reciprocal vectors of the conventional cell; letters differ.
PATH = (
    ("Γ", (0, 0, 0)),
    ("100", (1, 0, 0)),
    ("½½0", (0.5, 0.5, 0)),
    ("Γ", (0, 0, 0)),
    ("½½½", (0.5, 0.5, 0.5)),
)
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
    path, ticks, waves = _path(bulk.crystal.axes)
    weight = mass_weights(bulk.crystal)
    residual, size = mismatch_measures(bulk.stresses, fit.difference, fit.mismatch.stress(bulk.gradients))
    return Certificate(
        distance=np.linalg.norm(qm.vector, axis=1),
        fc_qm=np.linalg.norm(qm.matrix, axis=(1, 2)),
        fc_mismatch=qm.matrix - _in_order(constants, qm),
        path=path,
        ticks=ticks,
        omega2_qm=np.linalg.eigvalsh(weight * qm.dynamical_matrix(waves)),
        omega2_mm=np.linalg.eigvalsh(weight * constants.dynamical_matrix(waves)),
        moduli_qm=to_voigt(bulk.moduli),
        moduli_mm=to_voigt(elastic_moduli(bulk.crystal, mm)),
        polynomial=fit.mismatch,
        mismatch_residual=residual,
        mismatch_size=size,
    )


def mass_weights(crystal: Crystal) -> np.ndarray:
    """mean(m) / sqrt(m_a m_b) for the rows and columns of a dynamical matrix; 1 where all masses are the same."""
    mass = np.repeat(atomic_masses[crystal.numbers], 3)
    return np.mean(mass) / np.sqrt(np.multiply.outer(mass, mass)) if np.ptp(mass) else np.ones((1, 1))


def _path(axes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Length along the path, lengths of the corners, wave vectors (w, 3) 1/Å; from the conventional cell (3, 3), Å."""
    corners = np.array([point for _, point in PATH]) @ (2 * np.pi * np.linalg.inv(axes).T)
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
