"""H_FC: the force constants of the homogeneous lattice, mapped onto the sites of a defect.

Each pair of sites gets the force constants of the lattice vector nearest to its separation in the predictor, so
that pairs across a slip plane are treated as the neighbours that they have become. Rows sum to zero.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sparse
from scipy.spatial import cKDTree

from qmfront.crystal.neighbours import Pairs
from qmfront.models.force_constant_set import APART, MATCH, ForceConstants

CROOKED = 1e-8
"""Antisymmetric part of a diagonal block, relative to the largest force constant, that is not rounding."""


def force_constant_operator(pairs: Pairs, matrices: np.ndarray, n_sites: int) -> sparse.bsr_matrix:
    """Assemble H_FC, or the rows of some sites of it, from labelled pairs.

        (H u)_l = sum_m Phi(rho_lm) (u_m - u_l),    rho_lm the lattice vector of the pair (l, m)

    Parameters
    ----------
    pairs : Pairs
        All pairs of a site or none; for the whole operator both directions, labels of opposite sign.
    matrices : (p, 3, 3) float, eV/Å^2
        Phi(rho) of each pair, see `pair_matrices`.
    n_sites : int

    Returns
    -------
    (3 n_sites, 3 n_sites) bsr_matrix, eV/Å^2
        Symmetric if Phi(-rho) = Phi(rho)^T; translations are in its kernel. In a crystal with a basis Phi_ab(rho)
        need not be symmetric, but its sum over the neighbours of a site is. # ASSUME where neighbours are missing
        (rim, core) the symmetric part of that sum is used: H_FC stays symmetric, though such rows do not sum to zero.
    """
    itself = np.unique(pairs.first)
    total = np.stack(
        [np.bincount(pairs.first, matrices[:, a, b], n_sites)[itself] for a in range(3) for b in range(3)],
        axis=1,
    )
    total = _symmetric_where_crooked(total.reshape(-1, 3, 3), np.abs(matrices).max(initial=0.0))
    return _assembled(pairs, matrices, total, n_sites)


def pair_operator(pairs: Pairs, matrices: np.ndarray, n_sites: int) -> sparse.bsr_matrix:
    """As `force_constant_operator`, with rows that sum to zero exactly: the sum over the pairs as it is.

    (H u)_l = sum_m Phi(rho_lm) (u_m - u_l), also where neighbours are missing.
    """
    itself = np.unique(pairs.first)
    total = np.stack(
        [np.bincount(pairs.first, matrices[:, a, b], n_sites)[itself] for a in range(3) for b in range(3)],
        axis=1,
    )
    return _assembled(pairs, matrices, total.reshape(-1, 3, 3), n_sites)


def _assembled(pairs: Pairs, matrices: np.ndarray, total: np.ndarray, n_sites: int) -> sparse.bsr_matrix:
    """Blocks of the pairs, and minus their totals (one per site that has pairs) on the diagonal."""
    itself = np.unique(pairs.first)
    diagonal = Pairs(itself, itself, np.zeros((len(itself), 3)))
    blocks, columns, pointer = _summed_by_column(
        (pairs, diagonal), np.concatenate([matrices, -total]), n_sites
    )
    size = 3 * n_sites
    return sparse.bsr_matrix((blocks, columns, pointer), shape=(size, size))


def _symmetric_where_crooked(blocks: np.ndarray, scale: float) -> np.ndarray:
    """Blocks (s, 3, 3) with the antisymmetric part removed where it is more than rounding."""
    mirrored = blocks.transpose(0, 2, 1)
    crooked = np.abs(blocks - mirrored).max(axis=(1, 2), initial=0.0) > CROOKED * scale
    return np.where(crooked[:, None, None], (blocks + mirrored) / 2, blocks)


def stacked(parts: Sequence[sparse.bsr_matrix]) -> sparse.bsr_matrix:
    """The operator whose rows are spread over `parts`, each complete or empty in every row."""
    if len(parts) == 1:
        return parts[0]
    counts = np.array([np.diff(part.indptr) for part in parts])
    pointer = np.concatenate([[0], np.cumsum(counts.sum(axis=0))])
    blocks = np.empty((pointer[-1], 3, 3))
    columns = np.empty(pointer[-1], np.int64)
    for part, count in zip(parts, counts, strict=True):
        rows = np.repeat(np.arange(len(count)), count)
        place = pointer[rows] + np.arange(len(rows)) - part.indptr[rows]
        blocks[place], columns[place] = part.data, part.indices
    return sparse.bsr_matrix((blocks, columns, pointer), shape=parts[0].shape)


def pair_matrices(
    labels: np.ndarray, force_constants: ForceConstants, *, ends: np.ndarray | None = None
) -> np.ndarray:
    """Phi_ab(rho) for labels (p, 3) Å; zero beyond the reach of the force constants.

    Parameters
    ----------
    labels : (p, 3) float, Å
        Vectors rho of the perfect crystal.
    force_constants : ForceConstants
    ends : (p, 2) int, optional
        Sublattices a, b of each pair: pairs of different sublattices share vectors. Needed for a crystal with a basis.

    Returns
    -------
    (p, 3, 3) float, eV/Å^2

    Raises
    ------
    ValueError
        If the crystal has a basis and ends is missing.
    """
    if ends is None and force_constants.n_basis > 1:
        raise ValueError(
            f"The force constants belong to {force_constants.n_basis} sublattices, where a vector does not tell which "
            "matrix is meant. Pass ends, the sublattices of each pair."
        )
    ends = np.zeros((len(labels), 2), int) if ends is None else ends
    known = np.stack([force_constants.basis_first, force_constants.basis_second], axis=1)
    tree = cKDTree(np.column_stack([APART * known, force_constants.vector]))
    distance, place = tree.query(np.column_stack([APART * ends, labels]), distance_upper_bound=MATCH)
    found, place = np.isfinite(distance), np.asarray(place)
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
    parts: tuple[Pairs, ...], matrices: np.ndarray, n_sites: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocks of equal (first, second), e.g. periodic images, added up; block-row pointer."""
    code = np.concatenate([pairs.first * np.int64(n_sites) + pairs.second for pairs in parts])
    order = np.argsort(code, kind="stable")
    code = code[order]
    start = np.flatnonzero(np.concatenate([[True], code[1:] != code[:-1]]))
    blocks = np.add.reduceat(matrices[order], start, axis=0)
    rows, columns = np.divmod(code[start], n_sites)
    pointer = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_sites))])
    return blocks, columns, pointer
