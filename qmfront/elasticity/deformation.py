"""Deformation gradients on lattice sites and the exact gradient of site energies that depend on them.

Neighbours of another sublattice carry the internal shift; a crystal with a basis passes the pairs of `one_sublattice`.
"""

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import Pairs, separations


def deformation_gradients(defect: Defect, displacement: np.ndarray) -> np.ndarray:
    """F_l (n, 3, 3) of the sites of a defect at u0 + u, in its frame; slip removed, the identity where F_l is unknown.

    In a crystal with a basis they are those of each sublattice.
    """
    pairs = one_sublattice(defect.stencil, defect.basis_index)
    current = separations(defect.body.reference + displacement, defect.cell, defect.pbc, pairs)
    return pair_gradients(pairs, current, defect.n_sites, basis_index=_basis(defect))


def deformation_forces(defect: Defect, stress: np.ndarray) -> np.ndarray:
    """Minus the gradient of sum_l W(F_l), (n, 3) eV/Å, for dW/dF (n, 3, 3) eV at F_l: their adjoint."""
    pairs = one_sublattice(defect.stencil, defect.basis_index)
    return pair_forces(pairs, stress, basis_index=_basis(defect))


def _basis(defect: Defect) -> np.ndarray | None:
    return defect.basis_index if defect.basis_index.any() else None


def one_sublattice(stencil: Pairs, basis_index: np.ndarray) -> Pairs:
    """The pairs that join sites of the same sublattice, basis_index (n,) int; all pairs of a Bravais lattice."""
    same = basis_index[stencil.first] == basis_index[stencil.second]
    return stencil if same.all() else stencil.chosen(same)


def pair_gradients(
    stencil: Pairs, separation: np.ndarray, n_sites: int, *, basis_index: np.ndarray | None = None
) -> np.ndarray:
    """Least-squares deformation gradient of each site from its labelled neighbours.

        F_l = ( sum_rho d_rho (x) rho ) M^-1,    M = sum_rho rho (x) rho

    Parameters
    ----------
    stencil : Pairs
        `vector` is the lattice vector rho of each pair.
    separation : (p, 3) float, Å
        d_rho, the current separation of each pair.
    basis_index : (n_sites,) int, optional
        Sublattice of each site, whose stencils may differ; one if left out.

    Returns
    -------
    (n_sites, 3, 3) float
        Identity on sites with fewer neighbours than a complete stencil of their sublattice.
    """
    whole, inverse = _complete(stencil, n_sites, basis_index)
    moment = _site_sum(np.einsum("pi,pj->pij", separation, stencil.vector), stencil.first, n_sites)
    gradient = np.broadcast_to(np.eye(3), (n_sites, 3, 3)).copy()
    if inverse.ndim == 3 and basis_index is not None:
        inverse = inverse[basis_index[whole]]
    gradient[whole] = moment[whole] @ inverse
    return gradient


def pair_forces(stencil: Pairs, stress: np.ndarray, *, basis_index: np.ndarray | None = None) -> np.ndarray:
    """Minus the gradient of sum_l W(F_l) with respect to the positions.

    The adjoint of `pair_gradients`: a pair (l, l + rho) pulls with P_l M^-1 rho on l and with the opposite
    force on l + rho, so the net force is zero.

    Parameters
    ----------
    stencil : Pairs
    stress : (n_sites, 3, 3) float, eV
        P_l = dW/dF at F_l.
    basis_index : (n_sites,) int, optional
        As in `pair_gradients`.

    Returns
    -------
    (n_sites, 3) float, eV/Å
    """
    n_sites = len(stress)
    whole, inverse = _complete(stencil, n_sites, basis_index)
    active = np.where(whole[:, None, None], stress, 0.0)
    if inverse.ndim == 2 or basis_index is None:
        dual = stencil.vector @ inverse.T
    else:
        dual = np.einsum("pij,pj->pi", inverse[basis_index[stencil.first]], stencil.vector)
    pull = np.einsum("pij,pj->pi", active[stencil.first], dual)
    return _site_sum(pull, stencil.first, n_sites) - _site_sum(pull, stencil.second, n_sites)


def _complete(stencil: Pairs, n_sites: int, basis_index: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sites with a complete stencil, and M^-1 of it: (3, 3), or (nb, 3, 3) for several sublattices."""
    count = np.bincount(stencil.first, minlength=n_sites)
    if basis_index is None or not basis_index.any():
        return _usual(stencil, count, np.arange(n_sites))
    whole, inverse = np.zeros(n_sites, bool), []
    for sublattice in range(basis_index.max() + 1):
        own = np.flatnonzero(basis_index == sublattice)
        complete, inverse_moment = _usual(stencil, count, own)
        whole[own] = complete
        inverse.append(inverse_moment)
    return whole, np.array(inverse)


def _usual(stencil: Pairs, count: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the sites own (k,) have the number of neighbours that most of them have, and M^-1 of such a site."""
    usual = np.bincount(count[own]).argmax()
    example = own[count[own] == usual][0]
    vectors = stencil.vector[stencil.first == example]
    return count[own] == usual, np.linalg.inv(vectors.T @ vectors)


def _site_sum(values: np.ndarray, site: np.ndarray, n_sites: int) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    columns = [np.bincount(site, flat[:, c], n_sites) for c in range(flat.shape[1])]
    return np.stack(columns, axis=1).reshape(n_sites, *values.shape[1:])
