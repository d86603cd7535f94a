"""The generalised graph Laplacian L of (3.2), one scalar operator for each displacement component."""

import numpy as np
import scipy.sparse as sparse

from qmfront.crystal.neighbours import Pairs
from qmfront.models.force_constants import ForceConstants


def graph_laplacian(
    pairs: Pairs, n_sites: int, *, mu: float, nearest: float, decay: float = 3.0, stabilisation: float = 0.0
) -> sparse.csr_matrix:
    """Generalised graph Laplacian, Eq. (3.2).

        L_ij = -mu exp(-A (|y_ij| / y_nn - 1)),   L_ii = -sum_j L_ij + mu C_stab

    Parameters
    ----------
    pairs : Pairs
        All pairs of the deformed configuration closer than r_cut, both directions; images add up.
    n_sites : int
    mu : float, eV/Å^2
    nearest : float, Å
        y_nn, see `largest_nearest_distance`.
    decay : float
        A.
    stabilisation : float
        C_stab. # PAPER (3.2): 0 is our default, the clamp makes L positive definite without it.

    Returns
    -------
    (n_sites, n_sites) csr_matrix, eV/Å^2
        Symmetric; rows sum to mu C_stab.
    """
    weight = mu * _bond_weight(np.linalg.norm(pairs.vector, axis=1), nearest, decay)
    shape = (n_sites, n_sites)
    adjacency = sparse.csr_matrix((weight, (pairs.first, pairs.second)), shape=shape)
    diagonal = np.bincount(pairs.first, weight, n_sites) + mu * stabilisation
    return (sparse.diags(diagonal) - adjacency).tocsr()


def largest_nearest_distance(pairs: Pairs, n_sites: int) -> float:
    """y_nn = max_i min_j |y_ij| of (3.2), Å."""
    distance = np.full(n_sites, np.inf)
    np.minimum.at(distance, pairs.first, np.linalg.norm(pairs.vector, axis=1))
    if not np.all(np.isfinite(distance)):
        lonely = int(np.count_nonzero(~np.isfinite(distance)))
        raise ValueError(
            f"{lonely} sites have no neighbour, so y_nn of (3.2) is not defined. "
            "Increase estimate.laplacian.cutoff_r0."
        )
    return float(distance.max())


def laplacian_scale(force_constants: ForceConstants, *, nearest: float, decay: float, cutoff: float) -> float:
    """mu of (3.2) such that L and the force constants agree on smooth fields, averaged over directions.

        mu = -sum_rho |rho|^2 tr Phi(rho) / 3  /  sum_{|rho| < r_cut} |rho|^2 exp(-A (|rho| / r_nn - 1))

    This is the Rayleigh quotient of the two quadratic forms on long plane waves, averaged over
    propagation and polarisation. In a crystal with a basis the sublattices relax in the wave, as in its moduli.

    # ASSUME the paper leaves mu to the user.

    Returns
    -------
    float, eV/Å^2
    """
    square = np.einsum("mi,mi->m", force_constants.vector, force_constants.vector)
    stiffness = -np.sum(square * np.einsum("mii->m", force_constants.matrix)) / 3.0
    if force_constants.n_basis > 1:
        stiffness -= force_constants.optical_softening()
    distance = np.sqrt(square)
    bonded = (distance > 0) & (distance < cutoff)
    weight = np.sum(square[bonded] * _bond_weight(distance[bonded], nearest, decay))
    if stiffness <= 0:
        raise ValueError(
            f"The force constants give a stiffness of {stiffness:.3g} eV on smooth fields; it must be "
            "positive. The lattice of the QM model is not stable at this lattice constant."
        )
    return float(stiffness / weight)


def _bond_weight(distance: np.ndarray, nearest: float, decay: float) -> np.ndarray:
    """exp(-A (r / r_nn - 1)), Eq. (3.2)."""
    return np.exp(-decay * (distance / nearest - 1.0))
