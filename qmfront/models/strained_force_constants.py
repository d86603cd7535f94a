"""How the force constants of a homogeneous lattice change with strain, to first order.

Phi(rho; E) = Phi(rho) + sum_k E_k dPhi_k(rho),    E = sum_k E_k B_k,   k = xx, yy, zz, yz, xz, xy

rho are vectors of the undeformed lattice, Phi belongs to the lattice that a stretch U = 1 + E without rotation gives,
with its sublattices at rest. B_yz has a one at both yz and zy.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from qmfront.elasticity.strain_polynomial import strain_components
from qmfront.models.force_constant_set import ForceConstants, matching_sites
from qmfront.models.lattice_symmetry import Operation

COMPONENTS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class StrainedForceConstants:
    """dPhi_k of each pair of sites.

    basis_first, basis_second : (m,) int
        Sites of the cell.
    vector : (m, 3) float, Å
        rho.
    matrix : (6, m, 3, 3) float, eV/Å^2
        dPhi / dE_k.
    """

    basis_first: np.ndarray
    basis_second: np.ndarray
    vector: np.ndarray
    matrix: np.ndarray

    def at(self, strain: np.ndarray) -> ForceConstants:
        """sum_k E_k dPhi_k for one strain (3, 3)."""
        matrix = np.tensordot(strain_components(np.asarray(strain, float)), self.matrix, axes=1)
        return ForceConstants(self.basis_first, self.basis_second, self.vector, matrix)

    def rotated(self, frame: np.ndarray) -> "StrainedForceConstants":
        """In the axes given by the rows of frame (3, 3), orthogonal."""
        frame = np.asarray(frame, float)
        turned = frame @ self.matrix @ frame.T
        share = strain_components(frame.T @ strain_basis() @ frame)  # of the old components in each new one
        return replace(self, vector=self.vector @ frame.T, matrix=np.tensordot(share, turned, axes=1))


def strain_basis() -> np.ndarray:
    """B_k, (6, 3, 3)."""
    basis = np.zeros((6, 3, 3))
    for k, (i, j) in enumerate(COMPONENTS):
        basis[k, i, j] = basis[k, j, i] = 1.0
    return basis


def from_directions(
    directions: np.ndarray,
    derivatives: np.ndarray,
    lattice: ForceConstants,
    operations: Sequence[Operation],
) -> StrainedForceConstants:
    """All dPhi_k from the derivatives along a few strains, by the symmetry of the crystal.

        dPhi_p(a)p(b)(R rho; R H R^T) = R dPhi_ab(rho; H) R^T    for every operation

    Parameters
    ----------
    directions : (d, 3, 3) float
        Strains H, whose images under the operations must span all strains.
    derivatives : (d, m, 3, 3) float, eV/Å^2
        d Phi(rho; t H) / dt, in the order of `lattice`.
    lattice : ForceConstants
        Its sites and vectors.
    operations : of the crystal

    Raises
    ------
    ValueError
        If the images of the directions leave a strain out.
    """
    ends = np.stack([lattice.basis_first, lattice.basis_second], axis=1)
    strains, images = [], []
    for operation in operations:
        R = operation.rotation
        target = matching_sites(ends, lattice.vector, operation.permutation[ends], lattice.vector @ R.T)
        moved = np.empty_like(derivatives)
        moved[:, target] = R @ derivatives @ R.T
        strains.append(strain_components(R @ directions @ R.T))
        images.append(moved)
    components = np.concatenate(strains)
    if np.linalg.matrix_rank(components, tol=1e-6) < len(COMPONENTS):
        raise ValueError(
            f"The images of {len(directions)} strains under {len(operations)} operations span only "
            f"{np.linalg.matrix_rank(components, tol=1e-6)} of 6 components. Observe more directions."
        )
    matrix = np.tensordot(np.linalg.pinv(components), np.concatenate(images), axes=1)
    return StrainedForceConstants(lattice.basis_first, lattice.basis_second, lattice.vector, matrix)
