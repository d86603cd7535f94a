"""From the blocks of all bonds to eigenvalues, chemical potential and density matrices, k-point by k-point.

P = 2 sum_k w_k sum_s f_s C_s C_s^+,    W = 2 sum_k w_k sum_s f_s e_s C_s C_s^+
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import get_blas_funcs

from qmfront.models.nrltb.eigen import Eigenstates, solve
from qmfront.models.nrltb.kpoints import KPoints, phases
from qmfront.models.nrltb.matrices import Blocks, Weights, add_weights, hamiltonian_overlap, no_weights
from qmfront.models.nrltb.occupation import EMPTY, SPIN, chemical_potential, fermi


@dataclass(frozen=True)
class Electrons:
    """What is asked of the electrons.

    kpoints : KPoints
    kT : float, eV
    mu : float or None, eV
        Chemical potential; None keeps the atoms neutral.
    """

    kpoints: KPoints
    kT: float = 0.1
    mu: float | None = 5.80

    def __post_init__(self) -> None:
        if not 0.0 < self.kT < np.inf:
            raise ValueError(f"kT = {self.kT} eV is not a positive temperature. Give for example 0.1.")
        if self.mu is not None and not np.isfinite(self.mu):
            raise ValueError(f"mu = {self.mu} eV is not finite. Give a number, or None for neutral atoms.")


@dataclass(frozen=True)
class Spectrum:
    """eigenvalues (m, 4n), eV, ascending at each of m k-points; mu, eV; weights, if the gradient was asked for."""

    eigenvalues: np.ndarray
    mu: float
    weights: Weights | None


def spectrum(blocks: Blocks, electrons: Electrons, *, neutral: float, gradient: bool) -> Spectrum:
    """Solve all k-points.

    At fixed mu the k-points pass one after another; for neutral atoms all are kept until mu is known.

    Parameters
    ----------
    neutral : float
        Number of electrons of the neutral atoms.
    gradient : bool
        Whether the weights are wanted. Without them half of the time is saved.
    """
    grid, mu = electrons.kpoints, electrons.mu
    solved: Iterable[Eigenstates] = (
        solve(*hamiltonian_overlap(blocks, phases(point, blocks.images)), vectors=gradient)
        for point in grid.points
    )
    if mu is None:
        solved = list(solved)
        values = np.array([states.values for states in solved])
        mu = chemical_potential(values, grid.weights, neutral, electrons.kT)
    weights, rows = no_weights(blocks) if gradient else None, []
    for states, point, weight in zip(solved, grid.points, grid.weights, strict=True):
        rows.append(states.values)
        if weights is not None:
            phase, densities = phases(point, blocks.images), density_matrices(states, mu, electrons.kT)
            weights = add_weights(weights, blocks, phase, densities, weight)
    return Spectrum(np.array(rows), mu, weights)


def density_matrices(states: Eigenstates, mu: float, kT: float) -> tuple[np.ndarray, np.ndarray]:
    """P and W (eV) of one k-point with weight 1: lower triangles, Fortran order."""
    count = int(np.searchsorted(states.values, mu + EMPTY * kT))
    values, vectors = states.values[:count], states.lowest(count)
    size = len(states.values)
    if count == 0:
        return np.zeros((size, size), vectors.dtype), np.zeros((size, size), vectors.dtype)
    (update,) = get_blas_funcs(("herk" if np.iscomplexobj(vectors) else "syrk",), (vectors,))
    vectors *= np.sqrt(SPIN * fermi(values, mu, kT))
    P = update(1.0, vectors, lower=True)
    # Energies are counted from the lowest, so that their roots are real; the rest is a multiple of P.
    vectors *= np.sqrt(values - values[0])
    return P, update(1.0, vectors, beta=values[0], c=P, lower=True)
