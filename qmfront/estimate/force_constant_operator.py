"""H_FC: the force constants of the homogeneous lattice, mapped onto the sites of a defect.

Each pair of sites gets the force constants of the lattice vector nearest to its separation in the predictor, so
that pairs across a slip plane are treated as the neighbours that they have become. Rows sum to zero.
"""

import numpy as np
import scipy.sparse as sparse
from scipy.spatial import cKDTree

from qmfront.crystal.neighbours import Pairs
from qmfront.models.force_constant_set import MATCH, ForceConstants


def force_constant_operator(pairs: Pairs, matrices: np.ndarray, n_sites: int) -> sparse.bsr_matrix:
    """Assemble H_FC from labelled pairs.

        (H u)_l = sum_m Phi(rho_lm) (u_m - u_l),    rho_lm the lattice vector of the pair (l, m)

    Parameters
    ----------
    pairs : Pairs
        Both directions, labels of opposite sign.
    matrices : (p, 3, 3) float, eV/Å^2
        Phi(rho) of each pair, see `pair_matrices`.
    n_sites : int

    Returns
    -------
    (3 n_sites, 3 n_sites) bsr_matrix, eV/Å^2
        Symmetric if Phi(-rho) = Phi(rho)^T; translations are in its kernel.
    """
    blocks, columns, pointer = _summed_by_column(pairs, matrices, n_sites)
    diagonal = np.zeros((n_sites, 3, 3))
    rows = np.repeat(np.arange(n_sites), np.diff(pointer))
    np.add.at(diagonal, rows, -blocks)
    size = 3 * n_sites
    off = sparse.bsr_matrix((blocks, columns, pointer), shape=(size, size))
    on = sparse.bsr_matrix((diagonal, np.arange(n_sites), np.arange(n_sites + 1)), shape=(size, size))
    return (off + on).tobsr((3, 3))


def pair_matrices(labels: np.ndarray, force_constants: ForceConstants) -> np.ndarray:
    """Phi(rho) for lattice-vector labels (p, 3) Å; zero beyond the reach of the force constants.

    Bravais lattices. Returns (p, 3, 3) eV/Å^2.
    """
    distance, place = cKDTree(force_constants.vector).query(labels, distance_upper_bound=MATCH)
    found = np.isfinite(distance)
    matrices = np.zeros((len(labels), 3, 3))
    matrices[found] = force_constants.matrix[place[found]]
    return matrices


def linear_forces(labelled: Pairs, matrices: np.ndarray, separation: np.ndarray, n_sites: int) -> np.ndarray:
    """Linearised forces about the homogeneous lattice, second row of (3.7).

        F_l = -sum_rho Phi(rho) (d_rho(l) - rho)

    Parameters
    ----------
    labelled : Pairs
        `vector` is rho.
    matrices : (p, 3, 3) float, eV/Å^2
    separation : (p, 3) float, Å
        d_rho(l), current separation of each pair.

    Returns
    -------
    (n_sites, 3) float, eV/Å
    """
    stretch = separation - labelled.vector
    pull = -np.einsum("pij,pj->pi", matrices, stretch)
    return np.stack([np.bincount(labelled.first, pull[:, a], n_sites) for a in range(3)], axis=1)


def _summed_by_column(
    pairs: Pairs, matrices: np.ndarray, n_sites: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocks of equal (first, second), e.g. periodic images, added up; block-row pointer."""
    code = pairs.first * np.int64(n_sites) + pairs.second
    order = np.argsort(code, kind="stable")
    code = code[order]
    start = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]]))
    blocks = np.add.reduceat(matrices[order], start, axis=0)
    rows, columns = np.divmod(code[start], n_sites)
    pointer = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_sites))])
    return blocks, columns, pointer
