"""H_FC of a point defect: force constants between the sites of the lattice, springs at added atoms.

# ASSUME homogeneous force constants say nothing about an atom without a lattice site. Its bonds get those of the
nearest neighbours of the perfect crystal, averaged around the bond and turned into its direction e:

    Phi = -(k_along e (x) e + k_across (1 - e (x) e)),    k from Phi(rho) of the shortest rho
"""

import numpy as np
import scipy.sparse as sparse

from qmfront.crystal.defect import ADDED, Defect
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.crystal.stencil import label_pairs
from qmfront.models.force_constant_set import MATCH, ForceConstants
from qmfront.operators.force_constant_operator import force_constant_operator, pair_matrices

ROUNDING = 1e-12
"""Antisymmetric part of a row sum, relative to the largest force constant, that is none."""


def point_operator(
    defect: Defect, crystal: Crystal, constants: ForceConstants, reach: float
) -> sparse.bsr_matrix:
    """H_FC (3n, 3n), eV/Å^2, of a point defect, or of several grains; translations are in its kernel.

    Bonds to removed sites are left out. Force constants that reach beyond half of the box add up with those of images,
    as they do in the QM model. Sites of different grains have no force constants between them.

    Parameters
    ----------
    crystal, constants : Crystal, ForceConstants
        In crystal axes.
    """
    bonds = bonds_of_added(defect)
    found, between = [bonds], [springs(bonds.vector, constants)]
    for sites, frame in defect.parts:
        turned = crystal.rotated(frame)
        near = pairs_within(defect.sites[sites], defect.cell, defect.pbc, reach + 0.5 * defect.r0)
        labels = label_pairs(near, turned, basis_index=defect.basis_index[sites])
        ends = np.stack([labels.first_basis, labels.second_basis], axis=1)
        matrices = pair_matrices(labels.vectors, constants.rotated(frame), ends=ends)[labels.index]
        found.append(Pairs(sites[near.first], sites[near.second], near.vector))
        between.append(matrices)
    pairs = Pairs(*(np.concatenate([getattr(p, n) for p in found]) for n in ("first", "second", "vector")))
    matrices = np.concatenate(between)
    return force_constant_operator(*_balanced_rows(pairs, matrices, defect.n_sites), defect.n_sites)


def _balanced_rows(pairs: Pairs, matrices: np.ndarray, n_sites: int) -> tuple[Pairs, np.ndarray]:
    """The pairs and those that make the sum of every row symmetric, as that of minus the self term must be.

    What a site has lost with a removed one is W_l = -W_l^T, and sum_l W_l = 0. Spread over all pairs of the k sites
    that lost something it is -(W_l - W_m) / k, antisymmetric and odd under the exchange of l and m as H_FC wants it.
    """
    total = np.stack(
        [np.bincount(pairs.first, matrices[:, a, b], n_sites) for a in range(3) for b in range(3)], axis=1
    ).reshape(-1, 3, 3)
    lost = (total - total.transpose(0, 2, 1)) / 2
    some = np.flatnonzero(np.abs(lost).max(axis=(1, 2)) > ROUNDING * np.abs(matrices).max())
    if len(some) == 0:
        return pairs, matrices
    lost = lost[some] - lost[some].mean(axis=0)
    first, second = (index.ravel() for index in np.meshgrid(some, some, indexing="ij"))
    spread = -(lost[:, None] - lost[None]).reshape(-1, 3, 3) / len(some)
    different = first != second
    extra = Pairs(first[different], second[different], np.zeros((different.sum(), 3)))
    joined = (np.concatenate([getattr(pairs, n), getattr(extra, n)]) for n in ("first", "second", "vector"))
    return Pairs(*joined), np.concatenate([matrices, spread[different]])


def bonds_of_added(defect: Defect) -> Pairs:
    """The pairs of N(l) at which an added atom takes part."""
    added = defect.basis_index == ADDED
    return defect.stencil.chosen(added[defect.stencil.first] | added[defect.stencil.second])


def springs(vectors: np.ndarray, constants: ForceConstants) -> np.ndarray:
    """Phi (p, 3, 3), eV/Å^2, of bonds along vectors (p, 3)."""
    length = np.linalg.norm(constants.vector, axis=1)
    nearest = np.argmin(np.where(length > MATCH, length, np.inf))
    e, matrix = constants.vector[nearest] / length[nearest], -constants.matrix[nearest]
    along = e @ matrix @ e
    across = max((np.trace(matrix) - along) / 2, 0.0)
    e = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    parallel = np.einsum("pi,pj->pij", e, e)
    return -(along * parallel + across * (np.eye(3) - parallel))
