"""H - z S of atoms in strips: block tridiagonal, and banded within the blocks beside the diagonal.

Atoms are numbered strip after strip and along each strip, so that columns close together couple to rows close together:
a coupling block is kept as a few dense pieces. Nothing of the size of the whole matrix is ever made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy.linalg import LinAlgError, cholesky, solve_triangular

from qmfront.models.bonds import Bonds
from qmfront.models.nrltb.matrices import Blocks, Weights, add_blocks
from qmfront.models.nrltb.parameters import ORBITALS
from qmfront.models.nrltb.strips import Strips

PIECE = 16  # atoms per piece of a coupling block


@dataclass(frozen=True)
class Layout:
    """Bonds in the numbering of the strips.

    blocks : Blocks
        Bonds sorted by their strips, first <= second in the new numbering; levels in the new order.
    strips : Strips
    inner : list of s slices
        Bonds within each strip.
    outer : list of s - 1 slices
        Bonds from each strip to the next.
    local : (n,) int
        Number of each atom, in the new order, within its strip.
    origin : (p,) int
        Where each bond was before.
    flipped : (p,) bool
        Whether its two atoms changed places.
    """

    blocks: Blocks
    strips: Strips
    inner: list[slice]
    outer: list[slice]
    local: np.ndarray
    origin: np.ndarray
    flipped: np.ndarray

    def ends(self, part: slice) -> tuple[np.ndarray, np.ndarray]:
        """Numbers within their strips of the first and second atoms of some bonds."""
        bonds = self.blocks.bonds
        return self.local[bonds.first[part]], self.local[bonds.second[part]]


class Piece(NamedTuple):
    """Elements of H and S between some rows of a strip and some columns of the next."""

    rows: slice
    columns: slice
    H: np.ndarray
    S: np.ndarray


@dataclass(frozen=True)
class Pencil:
    """H and S at one k-point: (H, S) within each of s strips, and the pieces of each of s - 1 couplings."""

    diagonal: list[tuple[np.ndarray, np.ndarray]]
    coupling: list[list[Piece]]

    @property
    def symmetric(self) -> bool:
        """Real H and S, whose H - z S is symmetric."""
        return not np.iscomplexobj(self.diagonal[0][0])


def lay_out(blocks: Blocks, strips: Strips) -> Layout:
    """Renumber the atoms of all bonds.

    Raises
    ------
    ValueError
        If a bond reaches beyond the next strip.
    """
    n_atoms, n_strips = len(strips.order), len(strips.sizes)
    number = np.empty(n_atoms, int)
    number[strips.order] = np.arange(n_atoms)
    one, two = number[blocks.bonds.first], number[blocks.bonds.second]
    strip = np.repeat(np.arange(n_strips), np.diff(strips.starts))
    left, right = strip[np.minimum(one, two)], strip[np.maximum(one, two)]
    if len(left) and np.max(right - left) > 1:
        raise ValueError(
            f"{np.sum(right - left > 1)} bonds reach beyond the next strip. Cut strips as wide as the longest bond."
        )
    group = left + right  # 2 i within strip i, 2 i + 1 from there to the next
    origin = np.lexsort((np.maximum(one, two), group))
    flipped = (one > two)[origin]
    edges = np.searchsorted(group[origin], np.arange(2 * n_strips))
    parts = [slice(start, stop) for start, stop in pairwise(edges)]
    sign = np.where(flipped, -1.0, 1.0)[:, None]
    bonds = Bonds(
        np.minimum(one, two)[origin],
        np.maximum(one, two)[origin],
        sign * blocks.bonds.vector[origin],
        blocks.bonds.distance[origin],
    )
    hopping, overlap = (_turned(b[origin], flipped) for b in (blocks.hopping, blocks.overlap))
    turned = Blocks(bonds, sign * blocks.images[origin], hopping, overlap, blocks.levels[strips.order])
    local = np.arange(n_atoms) - strips.starts[strip]
    return Layout(turned, strips, parts[0::2], parts[1::2], local, origin, flipped)


def original(weights: Weights, layout: Layout) -> Weights:
    """Weights of the bonds and atoms of a layout in the numbering from which it was made."""
    hopping, overlap = np.empty_like(weights.hopping), np.empty_like(weights.overlap)
    hopping[layout.origin] = _turned(weights.hopping, layout.flipped)
    overlap[layout.origin] = _turned(weights.overlap, layout.flipped)
    levels = np.empty_like(weights.levels)
    levels[layout.strips.order] = weights.levels
    return Weights(hopping, overlap, levels)


def pencil(layout: Layout, phase: np.ndarray) -> Pencil:
    """H (eV) and S of the type of the phases (p,) of the bonds of the layout."""
    starts, diagonal, coupling = layout.strips.starts, [], []
    for i in range(len(layout.inner)):
        H, S = _bloch_sums(layout, i, i, phase)
        levels = layout.blocks.levels[starts[i] : starts[i + 1]]
        on_site = np.repeat(levels, (1, ORBITALS - 1), axis=1).ravel()
        diagonal.append((_whole(H, on_site), _whole(S, np.ones(len(S)))))
    for i, part in enumerate(layout.outer):
        H, S = _bloch_sums(layout, i, i + 1, phase)
        coupling.append([Piece(r, c, H[r, c].copy(), S[r, c].copy()) for r, c in _pieces(layout, part)])
    return Pencil(diagonal, coupling)


def is_positive_definite(matrices: Pencil, factor: float, energy: float) -> bool:
    """Whether factor (H - energy S) is positive definite, by a Cholesky factorisation strip after strip."""
    update = 0.0
    for i, (H, S) in enumerate(matrices.diagonal):
        try:
            lower = cholesky(
                factor * (H - energy * S) - update, lower=True, overwrite_a=True, check_finite=False
            )
        except LinAlgError:
            return False
        if i < len(matrices.coupling):
            beside = np.zeros((len(H), len(matrices.diagonal[i + 1][0])), H.dtype)
            for piece in matrices.coupling[i]:
                beside[piece.rows, piece.columns] = factor * (piece.H - energy * piece.S)
            solved = solve_triangular(lower, beside, lower=True, overwrite_b=True, check_finite=False)
            update = solved.conj().T @ solved  # type: ignore[assignment]
    return True


def _turned(block: np.ndarray, flipped: np.ndarray) -> np.ndarray:
    """(p, 4, 4), transposed where flipped (p,)."""
    return np.where(flipped[:, None, None], block.transpose(0, 2, 1), block)


def _bloch_sums(layout: Layout, i: int, j: int, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the bonds from strip i to strip j, the same or the next, for H and S."""
    part = layout.inner[i] if i == j else layout.outer[i]
    sums = []
    for block in (layout.blocks.hopping, layout.blocks.overlap):
        matrix = np.zeros(layout.strips.sizes[[i, j]], phase.dtype)
        add_blocks(*layout.ends(part), phase[part], block[part], i == j, matrix)
        sums.append(matrix)
    return sums[0], sums[1]


def _whole(upper: np.ndarray, diagonal: np.ndarray) -> np.ndarray:
    """The Hermitian matrix of which the blocks of different atoms stand above the diagonal, those of one on it."""
    n = len(upper) // ORBITALS
    own = upper.reshape(n, ORBITALS, n, ORBITALS)
    atoms = np.arange(n)
    within = own[atoms, :, atoms, :]
    whole = upper + upper.conj().T
    whole.reshape(n, ORBITALS, n, ORBITALS)[atoms, :, atoms, :] = within
    whole.reshape(-1)[:: len(whole) + 1] += diagonal
    return whole


def _pieces(layout: Layout, part: slice) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of the elements of a coupling, in runs of columns; bonds are sorted by column."""
    first, second = layout.ends(part)
    run = second // PIECE
    for number in np.unique(run):
        start, stop = np.searchsorted(run, [number, number + 1])
        rows, columns = first[start:stop], second[start:stop]
        yield (
            slice(ORBITALS * int(rows.min()), ORBITALS * (int(rows.max()) + 1)),
            slice(ORBITALS * int(columns.min()), ORBITALS * (int(columns.max()) + 1)),
        )
