"""The error estimator (3.9), its site contributions (4.1) and the stencil norm (2.2)."""

import numpy as np

from qmfront.crystal.neighbours import Pairs


def stencil_norm(field: np.ndarray, stencil: Pairs) -> float:
    """||D u|| = ( sum_l sum_{rho in N(l)} |u(l + rho) - u(l)|^2 )^(1/2), Eq. (2.2).

    Parameters
    ----------
    field : (n, 3) float, Å
    stencil : Pairs
        N(l) of (2.3), each pair in both directions.

    Returns
    -------
    float, Å
    """
    return float(np.linalg.norm(field[stencil.second] - field[stencil.first]))


def true_error(displacement: np.ndarray, reference: np.ndarray, stencil: Pairs) -> float:
    """||D u^H - D u_bar||, the error that (3.9) estimates, Å, for correctors (n, 3) Å of (2.10) and (2.7)."""
    return stencil_norm(displacement - reference, stencil)


def estimator(phi: np.ndarray, stencil: Pairs) -> float:
    """eta = ||D phi||, Eq. (3.9), Å, for phi (n, 3) Å of (3.8)."""
    return stencil_norm(phi, stencil)


def site_estimator(phi: np.ndarray, stencil: Pairs) -> np.ndarray:
    """Site contributions to the error estimator, Eq. (4.1).

        eta_l = |D phi(l)|_N^2 / eta

    Parameters
    ----------
    phi : (n, 3) float, Å
    stencil : Pairs

    Returns
    -------
    (n,) float, Å
        Non-negative, sums to eta; zero everywhere if phi is zero.
    """
    difference = phi[stencil.second] - phi[stencil.first]
    square = np.bincount(stencil.first, np.einsum("pi,pi->p", difference, difference), len(phi))
    eta = np.sqrt(square.sum())
    return square / eta if eta > 0 else square
