import numpy as np

from qmfront.crystal.body import Body
from qmfront.crystal.neighbours import Pairs, separations
from qmfront.elasticity.deformation import deformation_forces, deformation_gradients, one_sublattice
from qmfront.elasticity.strain_polynomial import StrainPolynomial


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
