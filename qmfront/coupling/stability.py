"""Strong stability of an equilibrium: the lowest eigenvalue of its Hessian, and where its core sits."""

from collections.abc import Callable

import numpy as np
from scipy.sparse.linalg import LinearOperator, eigsh

from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import separations
from qmfront.elasticity.deformation import deformation_gradients, one_sublattice
from qmfront.estimate.riesz import ForceConstantMap


def lowest_mode(
    force: Callable[[np.ndarray], np.ndarray],
    displacement: np.ndarray,
    defect: Defect,
    riesz: ForceConstantMap,
    *,
    step: float = 1e-4,
    tolerance: float = 1e-3,
) -> tuple[float, np.ndarray]:
    """Lowest eigenpair of H v = lambda H_FC v on the free sites, H the Hessian at u.

    Unlike the plain lowest eigenvalue of H, which is a box mode and says nothing, lambda has a limit as the domain
    grows: 1 in the homogeneous lattice, small for a soft core, negative at a saddle. Hessian-vector products are
    central differences of forces; the spectrum is clustered at 1, so that Lanczos finds the core modes quickly.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å
    displacement : (n, 3) float, Å
    step : float, Å
        Largest displacement of an atom in the differences.
    tolerance : float
        Relative accuracy of the eigenvalue.

    Returns
    -------
    float, (n, 3) float
        lambda, and the mode scaled to largest entry 1.
    """
    size = riesz.matrix.shape[0]

    def spread(vector: np.ndarray) -> np.ndarray:
        field = np.zeros_like(displacement)
        field[defect.free] = vector.reshape(-1, 3)
        return field

    def hessian(vector: np.ndarray) -> np.ndarray:
        field = spread(vector)
        scale = step / np.abs(field).max()
        change = force(displacement - scale * field) - force(displacement + scale * field)
        return (change / (2 * scale))[defect.free].ravel()

    def inverse(vector: np.ndarray) -> np.ndarray:
        return riesz.solve(spread(vector))[defect.free].ravel()

    values, vectors = eigsh(
        LinearOperator((size, size), matvec=hessian, dtype=float),
        k=1,
        M=riesz.matrix,
        Minv=LinearOperator((size, size), matvec=inverse, dtype=float),
        which="SA",
        tol=tolerance,
        ncv=20,
        v0=np.random.default_rng(0).normal(size=size),
    )
    mode = spread(vectors[:, 0])
    return float(values[0]), mode / mode.ravel()[np.abs(mode).argmax()]


def core_position(displacement: np.ndarray, defect: Defect) -> np.ndarray:
    """Centre of the strongly strained sites, weighted by |E|^4 with E the Green strain, (3,) Å.

    # ASSUME any definition that moves with the core serves; this one needs no analysis of the structure.
    """
    neighbours = one_sublattice(defect.stencil, defect.basis_index)
    current = separations(defect.body.reference + displacement, defect.cell, defect.pbc, neighbours)
    gradient = deformation_gradients(neighbours, current, defect.n_sites, basis_index=defect.basis_index)
    strain = (gradient.transpose(0, 2, 1) @ gradient - np.eye(3)) / 2
    weight = np.einsum("nij,nij->n", strain, strain) ** 2 * defect.free
    return weight @ (defect.body.reference + displacement) / weight.sum()
