"""Deformation gradients on lattice sites and the exact gradient of site energies that depend on them."""

import numpy as np

from qmfront.crystal.neighbours import Pairs


def deformation_gradients(stencil: Pairs, separation: np.ndarray, n_sites: int) -> np.ndarray:
    """Least-squares deformation gradient of each site from its labelled neighbours.

        F_l = ( sum_rho d_rho (x) rho ) M^-1,    M = sum_rho rho (x) rho

    Parameters
    ----------
    stencil : Pairs
        `vector` is the lattice vector rho of each pair.
    separation : (p, 3) float, Å
        d_rho, the current separation of each pair.

    Returns
    -------
    (n_sites, 3, 3) float
        Identity on sites with fewer neighbours than a complete stencil.
    """
    whole, inverse = _complete(stencil, n_sites)
    moment = _site_sum(np.einsum("pi,pj->pij", separation, stencil.vector), stencil.first, n_sites)
    gradient = np.broadcast_to(np.eye(3), (n_sites, 3, 3)).copy()
    gradient[whole] = moment[whole] @ inverse
    return gradient


def deformation_forces(stencil: Pairs, stress: np.ndarray) -> np.ndarray:
    """Minus the gradient of sum_l W(F_l) with respect to the positions.

    The adjoint of `deformation_gradients`: a pair (l, l + rho) pulls with P_l M^-1 rho on l and with the opposite
    force on l + rho, so the net force is zero.

    Parameters
    ----------
    stencil : Pairs
    stress : (n_sites, 3, 3) float, eV
        P_l = dW/dF at F_l.

    Returns
    -------
    (n_sites, 3) float, eV/Å
    """
    n_sites = len(stress)
    whole, inverse = _complete(stencil, n_sites)
    active = np.where(whole[:, None, None], stress, 0.0)
    pull = np.einsum("pij,pj->pi", active[stencil.first], stencil.vector @ inverse.T)
    return _site_sum(pull, stencil.first, n_sites) - _site_sum(pull, stencil.second, n_sites)


def _complete(stencil: Pairs, n_sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Sites with a complete stencil, and M^-1 of the complete stencil."""
    count = np.bincount(stencil.first, minlength=n_sites)
    usual = np.bincount(count).argmax()
    example = np.flatnonzero(count == usual)[0]
    vectors = stencil.vector[stencil.first == example]
    return count == usual, np.linalg.inv(vectors.T @ vectors)


def _site_sum(values: np.ndarray, site: np.ndarray, n_sites: int) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    columns = [np.bincount(site, flat[:, c], n_sites) for c in range(flat.shape[1])]
    return np.stack(columns, axis=1).reshape(n_sites, *values.shape[1:])
