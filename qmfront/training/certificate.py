"""The consistency certificate: force constants, elastic moduli and phonons of MM and QM side by side."""

from itertools import pairwise

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.elasticity.bulk import Bulk, cubic_lattice_constant
from qmfront.elasticity.moduli import elastic_moduli
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.models.force_constant_set import ForceConstants, matching_sites
from qmfront.models.force_constants import force_constants
from qmfront.storage.layout import Declared
from qmfront.training.verdict import mismatch_measures

# Corners of the path in units of 2 pi / a: Gamma, H, N, Gamma of bcc; the same line is drawn for every cubic crystal.
PATH = (("Γ", (0, 0, 0)), ("H", (1, 0, 0)), ("N", (0.5, 0.5, 0)), ("Γ", (0, 0, 0)), ("P", (0.5, 0.5, 0.5)))
POINTS_PER_LEG = 40

DECLARED = {
    "distance": Declared("shell_pair", "f", "Å", "length of the lattice vectors"),
    "fc_qm": Declared("shell_pair", "f", "eV/Å^2", "norm of the force constants of the QM model"),
    "fc_difference": Declared("shell_pair", "f", "eV/Å^2", "norm of the difference of the force constants"),
    "fc_mismatch": Declared(
        "shell_pair component component2", "f", "eV/Å^2", "Phi^QM - Phi^MM, in the order of the bulk"
    ),
    "path": Declared("wave", "f", "1/Å", "length along the phonon path"),
    "ticks": Declared("tick", "f", "1/Å", "corners of the phonon path"),
    "omega2_qm": Declared("wave branch", "f", "eV/Å^2", "eigenvalues of the dynamical matrix, QM"),
    "omega2_mm": Declared("wave branch", "f", "eV/Å^2", "eigenvalues of the dynamical matrix, MM"),
    "moduli_qm": Declared("modulus", "f", "eV/Å^3", "C11, C12, C44 of the QM model"),
    "moduli_mm": Declared("modulus", "f", "eV/Å^3", "C11, C12, C44 of the MM model"),
    "mismatch_exponents": Declared("term strain", "i", "1", "monomials of dW in the Green strain, Voigt"),
    "mismatch_coefficients": Declared("term", "f", "eV", "coefficients of dW per primitive cell"),
    "mismatch_residual": Declared("", "f", "1", "part of dP at the strain samples that dW does not have"),
    "mismatch_size": Declared("", "f", "1", "dP at the strain samples relative to the stress"),
}


def certificate_arrays(
    bulk: Bulk,
    mm: BaseCalculator,
    mismatch: StrainPolynomial,
    *,
    difference: np.ndarray,
    reach: float,
    displacement: float,
) -> dict[str, np.ndarray]:
    """Arrays of the certificate, see DECLARED; difference (s, 3, 3), eV: P^QM - P^MM at the strain samples."""
    constants = force_constants(bulk.crystal.to_atoms(), mm, reach=reach, step=displacement)
    qm = bulk.force_constants
    fc_mismatch = qm.matrix - _in_order(constants, qm)
    path, ticks, waves = _path(2 * np.pi / cubic_lattice_constant(bulk.crystal))
    moduli = elastic_moduli(bulk.crystal, mm)
    return {
        "distance": np.linalg.norm(qm.vector, axis=1),
        "fc_qm": np.linalg.norm(qm.matrix, axis=(1, 2)),
        "fc_difference": np.linalg.norm(fc_mismatch, axis=(1, 2)),
        "fc_mismatch": fc_mismatch,
        "path": path,
        "ticks": ticks,
        "omega2_qm": np.linalg.eigvalsh(qm.dynamical_matrix(waves)),
        "omega2_mm": np.linalg.eigvalsh(constants.dynamical_matrix(waves)),
        "moduli_qm": _cubic(bulk.moduli),
        "moduli_mm": _cubic(moduli),
        "mismatch_exponents": mismatch.exponents,
        "mismatch_coefficients": mismatch.coefficients,
        **mismatch_measures(bulk.stresses, difference, mismatch.stress(bulk.gradients)),
    }


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
