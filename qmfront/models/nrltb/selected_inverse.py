"""Blocks on and beside the diagonal of G = (H - z S)^-1, and the logarithm of the determinant, for strips.

With A_i the blocks of H - z S on the diagonal, U_i above and L_i below it, and g_0 = A_0^-1,

    g_i+1 = (A_i+1 - L_i g_i U_i)^-1,    ln det(H - z S) = - sum_i ln det g_i,
    G_i,i+1 = - g_i U_i G_i+1,i+1,    G_i+1,i = - G_i+1,i+1 L_i g_i,    G_i,i = g_i - G_i,i+1 L_i g_i,

from the last strip, where G = g, backwards. If H and S are real, all of this is symmetric.

Where Im z > 0 the part (A - A^+) / 2i of A = H - z S, which is -Im z S, is negative definite, and so it is for every
Schur complement. Elimination without exchange of rows then meets no small pivot, each pivot has a negative imaginary
part, and the sum of the principal logarithms of the pivots is the sum of ln(e - z) over the levels, plus ln det S,
without an ambiguity of 2 pi i.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from qmfront.models.compiled import compiled
from qmfront.models.nrltb.tridiagonal import Pencil

LEAF = 32  # below this size a matrix is inverted element by element


@dataclass(frozen=True)
class Elimination:
    """g_i of s strips; right, g_i U_i, and left, L_i g_i, of s - 1 couplings; log_determinant of H - z S."""

    inverses: list[np.ndarray]
    right: list[np.ndarray]
    left: list[np.ndarray]
    log_determinant: complex


class GreenBlocks(NamedTuple):
    """G of strip i: within, from it to the next, and back; of the last two only what is beside couplings is defined.

    The last strip has none of these two.
    """

    strip: int
    within: np.ndarray
    above: np.ndarray | None
    below: np.ndarray | None


def eliminate(matrices: Pencil, z: complex) -> Elimination:
    """From the first strip to the last, at an energy z in the upper half plane, eV; S is positive definite."""
    symmetric = matrices.symmetric
    inverses, right, left, total, update = [], [], [], 0j, None
    for i, (H, S) in enumerate(matrices.diagonal):
        A = S * -z
        A += H
        if update is not None:
            A -= update
        g, logarithm = inverse(A, symmetric=symmetric)
        inverses.append(g)
        total += logarithm
        if i == len(matrices.coupling):
            break
        size = len(matrices.diagonal[i + 1][0])
        forth, update = np.zeros((len(g), size), complex), np.zeros((size, size), complex)
        back = forth.T if symmetric else np.zeros((size, len(g)), complex)
        for rows, columns, H_piece, S_piece in matrices.coupling[i]:
            forth[:, columns] = g[:, rows] @ (H_piece - z * S_piece)
            if not symmetric:
                back[columns] = (H_piece - np.conj(z) * S_piece).conj().T @ g[rows]
        for rows, columns, H_piece, S_piece in matrices.coupling[i]:
            update[columns] = (H_piece - np.conj(z) * S_piece).conj().T @ forth[rows]
        right.append(forth)
        left.append(back)
    return Elimination(inverses, right, left, total)


def green_blocks(matrices: Pencil, eliminated: Elimination) -> Iterator[GreenBlocks]:
    """From the last strip to the first; each as soon as it is known, so that none need be kept."""
    last = len(eliminated.inverses) - 1
    within = eliminated.inverses[last]
    yield GreenBlocks(last, within, None, None)
    for i in reversed(range(last)):
        right, left = eliminated.right[i], eliminated.left[i]
        above = right @ within
        np.negative(above, out=above)
        if matrices.symmetric:
            below = above.T
        else:
            below = np.empty(left.shape, complex)
            for piece in matrices.coupling[i]:
                below[piece.columns, piece.rows] = -(within[piece.columns] @ left[:, piece.rows])
        within = eliminated.inverses[i] - above @ left
        yield GreenBlocks(i, within, above, below)


def inverse(matrix: np.ndarray, *, symmetric: bool) -> tuple[np.ndarray, complex]:
    """Inverse of a complex matrix A, and ln det A, where (A - A^+) / 2i is negative definite.

    By halves: with the inverse a of the first block, the second, d, becomes d - c a b, and so on down to `LEAF`.
    """
    size = len(matrix)
    if size <= LEAF:
        out = np.array(matrix, order="C")
        return out, _gauss_jordan(out)
    half = size // 2
    a, first = inverse(matrix[:half, :half], symmetric=symmetric)
    ab = a @ matrix[:half, half:]
    lower = matrix[half:, :half]
    d, second = inverse(matrix[half:, half:] - lower @ ab, symmetric=symmetric)
    ca = ab.T if symmetric else lower @ a
    out = np.empty((size, size), complex)
    out[half:, half:] = d
    out[:half, half:] = abd = -(ab @ d)
    out[half:, :half] = abd.T if symmetric else -(d @ ca)
    out[:half, :half] = a - abd @ ca
    return out, first + second


@compiled
def _gauss_jordan(matrix: np.ndarray) -> complex:
    """Put the inverse in place of a matrix; the sum of the logarithms of its pivots."""
    size, total = len(matrix), 0j
    for k in range(size):
        pivot = matrix[k, k]
        total += np.log(pivot)
        matrix[k, k] = 1.0
        inverse_pivot = 1.0 / pivot
        for j in range(size):
            matrix[k, j] *= inverse_pivot
        for i in range(size):
            if i != k:
                factor = matrix[i, k]
                matrix[i, k] = 0.0
                for j in range(size):
                    matrix[i, j] -= factor * matrix[k, j]
    return total
