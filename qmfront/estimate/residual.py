"""Residual forces F(u^H) outside the clamp: exact, approximated by the Cauchy-Born difference, or as in (3.7).

All three are exact inside a core of sites, where a QM force costs what it must, and differ outside.
"""

import numpy as np

from qmfront.coupling.embedding import VACUUM, Body, Embedding, Forces, embedded_forces
from qmfront.coupling.partition import Cluster, cluster_around, surrounded
from qmfront.crystal.neighbours import Pairs, separations
from qmfront.elasticity.deformation import deformation_forces, deformation_gradients, one_sublattice
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.operators.force_constant_operator import linear_forces


def core_residual(
    body: Body,
    displacement: np.ndarray,
    core: np.ndarray,
    qm: Forces,
    *,
    buffer: float,
    embedding: Embedding = VACUUM,
) -> tuple[np.ndarray, Cluster]:
    """Exact residual forces on the core sites, from one QM call in a cluster with an extended buffer (3.2.2).

    Parameters
    ----------
    body : Body
    displacement : (n, 3) float, Å
    core : (n,) bool
    qm : Atoms -> (c, 3) eV/Å
    buffer : float, Å
        Width of the shell of atoms around the core.
    embedding : Embedding
        How the QM model sees that cluster.

    Returns
    -------
    (n, 3) float, eV/Å
        Zero outside the core.
    Cluster
        The atoms that the QM call saw.
    """
    included = surrounded(core, body.reference + displacement, body.cell, body.pbc, width=buffer)
    cluster = cluster_around(core, included)
    forces = np.zeros_like(displacement)
    forces[core] = embedded_forces(body, cluster, qm, embedding)(displacement)
    return forces, cluster


def cauchy_born_difference(
    body: Body,
    displacement: np.ndarray,
    stencil: Pairs,
    mismatch: StrainPolynomial,
    frame: np.ndarray,
    *,
    basis_index: np.ndarray | None = None,
    lacking: np.ndarray | None = None,
) -> np.ndarray:
    """F^QM - F^MM on smooth fields from the energy difference of the two homogeneous lattices.

        F = -grad sum_l dW(F_l) / nb,   dW = W_cb^QM - W_cb^MM from the first order that the fit does not match

    with nb sites per primitive cell. Strains are those of each sublattice, and dW is that of sublattices at rest in
    either model. # ASSUME the force between sublattices, from shifts that differ in the two models, is left out: the
    long-range answer to it is in dW, the local one is missed.

    # PAPER (3.7): replaces the linear approximation, which has the order of the first-order model error.

    Parameters
    ----------
    stencil : Pairs
        Labelled by lattice vectors in the frame of the case.
    mismatch : StrainPolynomial
        In crystal axes.
    frame : (3, 3) float
        Rows e1, e2, e3 of the case in crystal axes.
    basis_index : (n,) int, optional
        Sublattice of each site; needed for a crystal with a basis.
    lacking : (n, 3, 3) float, eV, optional
        What the polynomial's stress lacks, in crystal axes, see `far_field`.

    Returns
    -------
    (n, 3) float, eV/Å
    """
    several = basis_index is not None and basis_index.any()
    stencil = one_sublattice(stencil, basis_index) if several else stencil
    current = separations(body.reference + displacement, body.cell, body.pbc, stencil)
    gradient = deformation_gradients(stencil, current, len(displacement), basis_index=basis_index)
    stress = mismatch.stress(frame.T @ gradient @ frame)
    if lacking is not None:
        stress = stress + lacking
    if several:
        stress = stress / (basis_index.max() + 1)
    return deformation_forces(stencil, frame @ stress @ frame.T, basis_index=basis_index)


def linearised_residual(
    body: Body, displacement: np.ndarray, labelled: Pairs, matrices: np.ndarray
) -> np.ndarray:
    """Second row of (3.7): the homogeneous QM force constants applied to u0 + u, slip removed, (n, 3) eV/Å."""
    current = separations(body.reference + displacement, body.cell, body.pbc, labelled)
    return linear_forces(labelled, matrices, current, len(displacement))


def combined(core: np.ndarray, inside: np.ndarray, outside: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Residual that is `inside` on the core (n,) bool, `outside` elsewhere and zero on the clamp, (n, 3) eV/Å."""
    forces = np.where(core[:, None], inside, outside)
    return np.where(free[:, None], forces, 0.0)
