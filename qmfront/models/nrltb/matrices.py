"""Hamiltonian and overlap of a Bloch sum, (D.1), and the way back from a density matrix to bonds and atoms.

    H_ia,jb(k) = sum_T exp(2 pi i k.T) h_ab(r_j + T - r_i),    S likewise, plus the on-site levels and the identity.

The phase depends on the cell T alone, so that the derivative of H with respect to a position is that of the blocks.
Matrices are stored as LAPACK wants them: the lower triangle in Fortran order, the rest undefined.
"""

from dataclasses import dataclass

import numpy as np

from qmfront.models.bonds import Bonds
from qmfront.models.compiled import compiled
from qmfront.models.nrltb.parameters import ORBITALS


@dataclass(frozen=True)
class Blocks:
    """What all k-points share.

    bonds : Bonds
    images : (p, 3) float, whole numbers
        Cell T of the second atom of each bond.
    hopping, overlap : (p, 4, 4) float, eV and 1
    levels : (n, 2) float, eV
        On-site levels s and p.
    """

    bonds: Bonds
    images: np.ndarray
    hopping: np.ndarray
    overlap: np.ndarray
    levels: np.ndarray


@dataclass(frozen=True)
class Weights:
    """Derivatives of an energy with respect to the matrix elements, summed over k-points as they come.

    hopping : (p, 4, 4)
        Per element of each hopping block.
    overlap : (p, 4, 4), eV
    levels : (n, 2)
        Per s and p level.
    """

    hopping: np.ndarray
    overlap: np.ndarray
    levels: np.ndarray


def bond_images(bonds: Bonds, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """(p, 3) whole numbers, the cell T of the second atom of each bond; zero along free directions."""
    shift = bonds.vector - (positions[bonds.second] - positions[bonds.first])
    images = np.zeros((len(bonds), 3))
    if np.any(pbc):
        images[:, pbc] = np.rint(shift @ np.linalg.pinv(cell[pbc]))
    return images


def hamiltonian_overlap(blocks: Blocks, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """H in eV and S, (4n, 4n), of the type of the phases (p,): lower triangle, Fortran order."""
    size = ORBITALS * len(blocks.levels)
    h, s = np.zeros((size, size), phase.dtype), np.zeros((size, size), phase.dtype)
    turned = np.conj(phase)  # the transpose below swaps the orbitals, which conjugates
    add_blocks(blocks.bonds.first, blocks.bonds.second, turned, blocks.hopping, True, h)
    add_blocks(blocks.bonds.first, blocks.bonds.second, turned, blocks.overlap, True, s)
    h.reshape(-1)[:: size + 1] += np.repeat(blocks.levels, (1, ORBITALS - 1), axis=1).ravel()
    s.reshape(-1)[:: size + 1] += 1.0
    return h.T, s.T


def no_weights(blocks: Blocks) -> Weights:
    """Zeros, to which `add_weights` adds."""
    return Weights(np.zeros_like(blocks.hopping), np.zeros_like(blocks.overlap), np.zeros_like(blocks.levels))


def add_weights(
    weights: Weights,
    blocks: Blocks,
    phase: np.ndarray,
    densities: tuple[np.ndarray, np.ndarray],
    share: float,
) -> Weights:
    """The weights and `share` times those of tr(P H) - tr(W S) at one more k-point with phases (p,).

    densities : two (4n, 4n) arrays
        P and W (eV), as `hamiltonian_overlap` gives matrices.
    """
    P, W = densities
    first, second, turned = blocks.bonds.first, blocks.bonds.second, np.conj(phase)
    hopping, overlap = weights.hopping.copy(), weights.overlap.copy()
    gather_blocks(first, second, turned, P.T, 2.0 * share, True, hopping)
    gather_blocks(first, second, turned, W.T, -2.0 * share, True, overlap)
    charge = share * np.real(np.diagonal(P)).reshape(-1, ORBITALS)
    levels = weights.levels + np.stack([charge[:, 0], charge[:, 1:].sum(axis=1)], axis=1)
    return Weights(hopping, overlap, levels)


@compiled
def add_blocks(
    first: np.ndarray, second: np.ndarray, phase: np.ndarray, block: np.ndarray, square: bool, matrix: np.ndarray
) -> None:  # fmt: skip
    """Add phase (p,) times block (p, 4, 4) of each bond to the elements of its two atoms in a matrix.

    square : bool
        Whether first and second number the same atoms, so that an atom may meet its own image.
    """
    for p in range(len(first)):
        i, j = 4 * first[p], 4 * second[p]
        for a in range(4):
            for b in range(4):
                matrix[i + a, j + b] += phase[p] * block[p, a, b]
                if square and i == j:  # an atom and its own image: the turned bond falls on the same block
                    matrix[i + b, i + a] += np.conj(phase[p]) * block[p, a, b]


@compiled
def gather_blocks(
    first: np.ndarray,
    second: np.ndarray,
    phase: np.ndarray,
    matrix: np.ndarray,
    factor: complex,
    hermitian: bool,
    out: np.ndarray,
) -> None:
    """Add Re(factor conj(phase) element) to out (p, 4, 4) for the matrix elements of the two atoms of each bond.

    hermitian : bool
        Whether the matrix holds one triangle of a Hermitian one: first <= second, and what lies below the diagonal of
        the block of one atom is not read.
    """
    for p in range(len(first)):
        i, j = 4 * first[p], 4 * second[p]
        turned = factor * np.conj(phase[p])
        for a in range(4):
            for b in range(4):
                element = matrix[i + a, j + b]
                if hermitian and i == j and a > b:
                    element = np.conj(matrix[i + b, j + a])
                out[p, a, b] += (element * turned).real
