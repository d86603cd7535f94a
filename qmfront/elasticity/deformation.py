"""Deformation gradients on lattice sites and the exact gradient of site energies that depend on them.

    F_l = sum_rho d_rho (x) g_rho,   sum_rho g_rho (x) rho = 1

Neighbours of another sublattice carry the internal shift. Where those of the same one span space, they alone count;
where they do not (hcp: all of them lie in the basal plane) the sum of g_rho over each other sublattice is zero.
"""

import numpy as np

from qmfront.crystal.defect import Defect
from qmfront.crystal.neighbours import Pairs, separations

FLAT = 1e-3
"""Relative; vectors that leave a plane by less do not span space."""


def deformation_gradients(defect: Defect, displacement: np.ndarray) -> np.ndarray:
    """F_l (n, 3, 3) of the sites of a defect at u0 + u, in its frame; slip removed, the identity where F_l is unknown.

    In a crystal with a basis they are those of each sublattice.
    """
    pairs = gradient_pairs(defect.stencil, defect.basis_index)
    current = separations(defect.body.reference + displacement, defect.cell, defect.pbc, pairs)
    return pair_gradients(pairs, current, defect.n_sites, basis_index=_basis(defect))


def deformation_forces(defect: Defect, stress: np.ndarray) -> np.ndarray:
    """Minus the gradient of sum_l W(F_l), (n, 3) eV/Å, for dW/dF (n, 3, 3) eV at F_l: their adjoint."""
    pairs = gradient_pairs(defect.stencil, defect.basis_index)
    return pair_forces(pairs, stress, basis_index=_basis(defect))


def _basis(defect: Defect) -> np.ndarray | None:
    return defect.basis_index if defect.basis_index.any() else None


def gradient_pairs(stencil: Pairs, basis_index: np.ndarray) -> Pairs:
    """The pairs that give F_l: those of one sublattice if they span space, otherwise all of the lattice.

    Parameters
    ----------
    basis_index : (n,) int
        Sublattice of each site.
    """
    same = basis_index[stencil.first] == basis_index[stencil.second]
    if same.all():
        return stencil
    alone = stencil.chosen(same)
    if _span(alone, basis_index):
        return alone
    return stencil.chosen((basis_index[stencil.first] >= 0) & (basis_index[stencil.second] >= 0))


def non_affine(
    pairs: Pairs, separation: np.ndarray, gradient: np.ndarray, *, basis_index: np.ndarray
) -> np.ndarray:
    """d_rho - F_l rho (p, 3), Å, less the internal shift: its mean over the pairs of a site with another sublattice."""
    off = separation - np.einsum("pij,pj->pi", gradient[pairs.first], pairs.vector)
    other = basis_index[pairs.first] != basis_index[pairs.second]
    if not other.any():
        return off
    key = pairs.first[other] * (basis_index.max() + 1) + basis_index[pairs.second[other]]
    _, group, count = np.unique(key, return_inverse=True, return_counts=True)
    off[other] -= (_site_sum(off[other], group, len(count)) / count[:, None])[group]
    return off


def pair_gradients(
    stencil: Pairs, separation: np.ndarray, n_sites: int, *, basis_index: np.ndarray | None = None
) -> np.ndarray:
    """Least-squares deformation gradient of each site from its labelled neighbours.

        F_l = sum_rho d_rho (x) g_rho,   g_rho = M^-1 rho,   M = sum_rho rho (x) rho

    within one sublattice; with neighbours of others the internal shifts are fitted beside F_l.

    Parameters
    ----------
    stencil : Pairs
        `vector` is the vector rho of the perfect crystal of each pair.
    separation : (p, 3) float, Å
        d_rho, the current separation of each pair.
    basis_index : (n_sites,) int, optional
        Sublattice of each site, whose stencils may differ; one if left out.

    Returns
    -------
    (n_sites, 3, 3) float
        Identity on sites with fewer neighbours than a complete stencil of their sublattice.
    """
    whole, dual = _duals(stencil, n_sites, basis_index)
    moment = _site_sum(np.einsum("pi,pj->pij", separation, dual), stencil.first, n_sites)
    return np.where(whole[:, None, None], moment, np.eye(3))


def pair_forces(stencil: Pairs, stress: np.ndarray, *, basis_index: np.ndarray | None = None) -> np.ndarray:
    """Minus the gradient of sum_l W(F_l) with respect to the positions.

    The adjoint of `pair_gradients`: a pair (l, l + rho) pulls with P_l g_rho on l and with the opposite
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
    whole, dual = _duals(stencil, n_sites, basis_index)
    active = np.where(whole[:, None, None], stress, 0.0)
    pull = np.einsum("pij,pj->pi", active[stencil.first], dual)
    return _site_sum(pull, stencil.first, n_sites) - _site_sum(pull, stencil.second, n_sites)


def _duals(stencil: Pairs, n_sites: int, basis_index: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Sites with a complete stencil, (n,) bool, and g_rho of all pairs, (p, 3) 1/Å."""
    sublattice = np.zeros(n_sites, int) if basis_index is None else basis_index
    count = np.bincount(stencil.first, minlength=n_sites)
    whole, dual = np.zeros(n_sites, bool), np.zeros((len(stencil), 3))
    for own in range(sublattice.max() + 1):
        complete = _usual(count, sublattice == own)
        whole |= complete
        pairs = np.flatnonzero(sublattice[stencil.first] == own)
        other = sublattice[stencil.second[pairs]]
        shifts = [other == name for name in np.unique(other) if name != own]
        rows = np.column_stack([stencil.vector[pairs], *shifts])
        example = rows[stencil.first[pairs] == np.argmax(complete)]
        dual[pairs] = rows @ np.linalg.inv(example.T @ example)[:, :3]
    return whole, dual


def _span(stencil: Pairs, basis_index: np.ndarray) -> bool:
    """Whether the neighbours of a usual site of every sublattice span space."""
    count = np.bincount(stencil.first, minlength=len(basis_index))
    for own in range(basis_index.max() + 1):
        example = int(np.argmax(_usual(count, basis_index == own)))
        vectors = stencil.vector[stencil.first == example]
        if np.linalg.matrix_rank(vectors, tol=FLAT * np.abs(vectors).max(initial=1.0)) < 3:
            return False
    return True


def _usual(count: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Which of the sites own (n,) bool have the number of neighbours that most of them have."""
    return own & (count == np.bincount(count[own]).argmax())


def _site_sum(values: np.ndarray, site: np.ndarray, n_sites: int) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    columns = [np.bincount(site, flat[:, c], n_sites) for c in range(flat.shape[1])]
    return np.stack(columns, axis=1).reshape(n_sites, *values.shape[1:])
