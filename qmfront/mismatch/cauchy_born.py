import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.elasticity.deformation import deformation_forces, deformation_gradients
from qmfront.elasticity.strain_polynomial import StrainPolynomial


def cauchy_born_difference(
    defect: Defect,
    displacement: np.ndarray,
    polynomial: StrainPolynomial,
) -> np.ndarray:
    """F^QM - F^MM on smooth fields from the energy difference of the two homogeneous lattices.

        F = -grad sum_l dW(F_l) / nb,   dW = W_cb^QM - W_cb^MM from the first order that the fit does not match

    with nb sites per primitive cell. Strains are those of each sublattice, and dW is that of sublattices at rest in
    either model. # ASSUME the force between sublattices, from shifts that differ in the two models, is left out: the
    long-range answer to it is in dW, the local one is missed.

    # PAPER (3.7): replaces the linear approximation, which has the order of the first-order model error.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    polynomial : StrainPolynomial
        dW, in crystal axes.

    Returns
    -------
    (n, 3) float, eV/Å
    """
    frames = defect.site_frames
    back = frames.swapaxes(1, 2)
    gradient = deformation_gradients(defect, displacement)
    stress = polynomial.stress(back @ gradient @ frames)
    stress = stress / (defect.basis_index.max() + 1)
    return deformation_forces(defect, frames @ stress @ back)
