"""Pairs of atoms counted once, for sums over unordered pairs, with a margin that outlives small moves."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.neighbours import pairs_within
from qmfront.models.compiled import compiled


@dataclass(frozen=True)
class Bonds:
    """Each pair of atoms (or of an atom and an image) once; of the two directions first <= second is kept.

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
    bonds : Bonds
    reach : float, Å
    """

    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    bonds: Bonds
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
        bonds = self.bonds
        kept = Bonds(
            np.empty(len(bonds), np.int64),
            np.empty(len(bonds), np.int64),
            np.empty((len(bonds), 3)),
            np.empty(len(bonds)),
        )
        moved = positions - self.positions
        count = _moved_bonds(
            bonds.first, bonds.second, bonds.vector, moved, cutoff, kept.first, kept.second, kept.vector,
            kept.distance,
        )  # fmt: skip
        return Bonds(kept.first[:count], kept.second[:count], kept.vector[:count], kept.distance[:count])


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
    pairs = pairs_within(positions, cell, pbc, reach)
    count = len(pairs) // 2
    first, second = np.empty(count, np.int64), np.empty(count, np.int64)
    vector, distance = np.empty((count, 3)), np.empty(count)
    found = _one_direction(pairs.first, pairs.second, pairs.vector, first, second, vector, distance)
    assert found == count, f"{found} of {len(pairs)} directed pairs kept, {count} expected"
    return BondList(
        positions.copy(), cell.copy(), pbc.copy(), Bonds(first, second, vector, distance), float(reach)
    )


@compiled
def _one_direction(
    first: np.ndarray, second: np.ndarray, vector: np.ndarray,
    kept_first: np.ndarray, kept_second: np.ndarray, kept_vector: np.ndarray, kept_distance: np.ndarray,
) -> int:  # fmt: skip
    count = 0
    for p in range(len(first)):
        x, y, z = vector[p, 0], vector[p, 1], vector[p, 2]
        forward = first[p] < second[p]
        if first[p] == second[p]:  # an atom and its own image: keep the half space
            forward = z > 0 or (z == 0 and (y > 0 or (y == 0 and x > 0)))
        if forward:
            if count == len(kept_first):
                return count + 1
            kept_first[count], kept_second[count] = first[p], second[p]
            kept_vector[count, 0], kept_vector[count, 1], kept_vector[count, 2] = x, y, z
            kept_distance[count] = np.sqrt(x * x + y * y + z * z)
            count += 1
    return count


@compiled
def _moved_bonds(
    first: np.ndarray, second: np.ndarray, vector: np.ndarray, moved: np.ndarray, cutoff: float,
    kept_first: np.ndarray, kept_second: np.ndarray, kept_vector: np.ndarray, kept_distance: np.ndarray,
) -> int:  # fmt: skip
    count = 0
    for p in range(len(first)):
        i, j = first[p], second[p]
        x = vector[p, 0] + (moved[j, 0] - moved[i, 0])
        y = vector[p, 1] + (moved[j, 1] - moved[i, 1])
        z = vector[p, 2] + (moved[j, 2] - moved[i, 2])
        square = x * x + y * y + z * z
        if square < cutoff * cutoff:
            kept_first[count], kept_second[count] = i, j
            kept_vector[count, 0], kept_vector[count, 1], kept_vector[count, 2] = x, y, z
            kept_distance[count] = np.sqrt(square)
            count += 1
    return count
