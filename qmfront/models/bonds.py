"""Pairs of atoms counted once, for sums over unordered pairs, with a margin that outlives small moves.

Order and vectors of the bonds depend on the positions that are asked about and not on those for which a list was made:
a model gives the same forces, bit by bit, whatever it was asked before.
"""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.neighbours import images_within
from qmfront.models.compiled import compiled


@dataclass(frozen=True)
class Bonds:
    """Each pair of atoms (or of an atom and an image) once, first <= second, in the order of first, second, image.

    first, second : (p,) int
        Indices of the two atoms.
    vector : (p, 3) float, Å
        r_second + image - r_first.
    distance : (p,) float, Å
        Length of `vector`.
    """

    first: np.ndarray
    second: np.ndarray
    vector: np.ndarray
    distance: np.ndarray

    def __len__(self) -> int:
        return len(self.first)


@dataclass(frozen=True)
class BondList:
    """All bonds closer than `reach` at `positions`; knows for which later positions it is still complete.

    positions : (n, 3) float, Å;  cell : (3, 3) float, Å;  pbc : (3,) bool
        The configuration for which the list was made.
    first, second : (p,) int
        Indices of the two atoms of each bond.
    image : (p, 3) float, Å
        What takes r_second to the image that is bound.
    reach : float, Å
    """

    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    first: np.ndarray
    second: np.ndarray
    image: np.ndarray
    reach: float

    def covers(self, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float) -> bool:
        """True if no bond within cutoff (Å) can be missing: no atom moved more than (reach - cutoff) / 2."""
        if positions.shape != self.positions.shape:
            return False
        if not (np.array_equal(cell, self.cell) and np.array_equal(pbc, self.pbc)):
            return False
        moved = np.einsum("ij,ij->i", positions - self.positions, positions - self.positions)
        return bool(moved.max(initial=0.0) <= (0.5 * (self.reach - cutoff)) ** 2)

    def within(self, positions: np.ndarray, cutoff: float) -> Bonds:
        """The bonds closer than cutoff (Å) at the given positions (n, 3), Å, which the list must cover."""
        size = len(self.first)
        kept = (np.empty(size, np.int64), np.empty(size, np.int64), np.empty((size, 3)), np.empty(size))
        count = _bonds_at(positions, self.first, self.second, self.image, cutoff, *kept)
        return Bonds(*(array[:count] for array in kept))


def bond_list(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, reach: float) -> BondList:
    """All bonds closer than reach, periodic images (self images too) included.

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å
        Rows are the cell vectors; only rows of periodic directions matter.
    pbc : (3,) bool
    reach : float, Å
    """
    first, second, cells = images_within(positions, cell, pbc, reach)
    x, y, z = cells.T
    # Of the two directions one is kept; between an atom and its own images that is a half space.
    kept = (first < second) | ((first == second) & ((x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0))))))
    first, second, cells = first[kept], second[kept], cells[kept]
    order = np.argsort(_rank(first, second, cells, len(positions)), kind="stable")
    first, second, cells = first[order], second[order], cells[order]
    return BondList(
        positions.copy(), cell.copy(), pbc.copy(), first, second, cells @ _periodic(cell, pbc), float(reach)
    )


def _rank(first: np.ndarray, second: np.ndarray, cells: np.ndarray, n_atoms: int) -> np.ndarray:
    """One number (p,) per bond that grows with first, then second, then the three numbers of cells."""
    farthest = int(np.abs(cells).max(initial=0))
    base = 2 * farthest + 1
    rank = first * n_atoms + second
    for column in (cells + farthest).T:
        rank = rank * base + column
    return rank


def _periodic(cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """The cell with zeros for the directions that do not repeat."""
    return np.where(np.asarray(pbc, bool)[:, None], cell, 0.0)


@compiled
def _bonds_at(
    positions: np.ndarray, first: np.ndarray, second: np.ndarray, image: np.ndarray, cutoff: float,
    kept_first: np.ndarray, kept_second: np.ndarray, kept_vector: np.ndarray, kept_distance: np.ndarray,
) -> int:  # fmt: skip
    count = 0
    for p in range(len(first)):
        i, j = first[p], second[p]
        x = (positions[j, 0] - positions[i, 0]) + image[p, 0]
        y = (positions[j, 1] - positions[i, 1]) + image[p, 1]
        z = (positions[j, 2] - positions[i, 2]) + image[p, 2]
        square = x * x + y * y + z * z
        if square < cutoff * cutoff:
            kept_first[count], kept_second[count] = i, j
            kept_vector[count, 0], kept_vector[count, 1], kept_vector[count, 2] = x, y, z
            kept_distance[count] = np.sqrt(square)
            count += 1
    return count
