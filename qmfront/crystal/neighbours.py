"""Neighbour pairs of a set of atoms, periodic or not, from matscipy's cell list."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Pairs:
    """Directed pairs, each in both directions, sorted by `first`.

    first, second : (p,) int
        Indices of the two atoms.
    vector : (p, 3) float, Å
        r_second + image - r_first.
    """

    first: np.ndarray
    second: np.ndarray
    vector: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def chosen(self, mask: np.ndarray) -> "Pairs":
        """The pairs for which mask (p,) bool is true."""
        return Pairs(self.first[mask], self.second[mask], self.vector[mask])


def pairs_within(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float) -> Pairs:
    """All pairs closer than cutoff, periodic images (self images too) included.

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å
        Rows are the cell vectors; only rows of periodic directions matter.
    pbc : (3,) bool
    cutoff : float, Å
    """
    first, second, vector = _listed("ijD", positions, cell, pbc, cutoff)
    return Pairs(first.astype(np.int64), second.astype(np.int64), vector)


def images_within(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The pairs of `pairs_within` by numbers alone: first, second (p,), and cells (p, 3) int between them.

    r_second + cells @ cell - r_first is the vector of a pair.
    """
    first, second, cells = _listed("ijS", positions, cell, pbc, cutoff)
    return first.astype(np.int64), second.astype(np.int64), cells.astype(np.int64)


def _listed(
    quantities: str, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What matscipy's list says of the pairs closer than cutoff."""
    from matscipy.neighbours import (
        neighbour_list,  # 0.5 s that jobs without a neighbour search can do without
    )

    positions = np.ascontiguousarray(positions, float)
    box, origin = _box(positions, np.asarray(cell, float), np.asarray(pbc, bool), cutoff)
    return neighbour_list(
        quantities, positions=positions - origin, cell=box, pbc=np.asarray(pbc, bool), cutoff=float(cutoff)
    )


def pairs_in_tiles(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float, *, tile: int = 8000
) -> Iterator[tuple[np.ndarray, Pairs]]:
    """The pairs of `pairs_within` in portions, so that tens of millions of them never exist at once.

    Parameters
    ----------
    tile : int
        Number of atoms per portion. One portion if all directions are periodic.

    Yields
    ------
    (t,) int
        Atoms of the tile; every atom is in one tile.
    Pairs
        The pairs whose `first` is in the tile, numbered like the atoms.
    """
    free = np.flatnonzero(~np.asarray(pbc, bool))
    if len(free) == 0 or len(positions) <= tile:
        yield np.arange(len(positions)), pairs_within(positions, cell, pbc, cutoff)
        return
    height = positions @ _free_directions(np.asarray(cell, float), np.asarray(pbc, bool))[0]
    order = np.argsort(height, kind="stable")
    for own in np.array_split(order, np.ceil(len(positions) / tile)):
        low, high = height[own].min() - cutoff, height[own].max() + cutoff
        around = np.flatnonzero((height >= low) & (height <= high))
        pairs = pairs_within(positions[around], cell, pbc, cutoff)
        wanted = np.isin(around, own)[pairs.first]
        yield own, Pairs(around[pairs.first[wanted]], around[pairs.second[wanted]], pairs.vector[wanted])


def _box(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, cutoff: float
) -> tuple[np.ndarray, np.ndarray]:
    """A cell whose free directions enclose all atoms with a margin, and its origin."""
    box, origin = cell.copy(), np.zeros(3)
    free = np.flatnonzero(~pbc)
    if len(free) == 0:
        return box, origin
    normals = _free_directions(cell, pbc)
    for axis, normal in zip(free, normals, strict=True):
        height = positions @ normal
        box[axis] = normal * (np.ptp(height) + 2 * cutoff)
        origin += normal * (height.min() - cutoff)
    return box, origin


def _free_directions(cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """Orthonormal directions that complete the periodic cell vectors."""
    periodic = cell[pbc]
    if len(periodic) == 0:
        return np.eye(3)
    return np.linalg.svd(periodic)[2][len(periodic) :]


def separations(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Current separations of labelled pairs, each in the periodic image nearest to its label.

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell, pbc : (3, 3) float, Å, and (3,) bool
    pairs : Pairs
        `vector` is the label, within less than half a height of the periodic cell of the separation.

    Returns
    -------
    (p, 3) float, Å
        positions[second] - positions[first] + image.
    """
    vector = positions[pairs.second] - positions[pairs.first]
    periodic = np.asarray(cell, float)[np.asarray(pbc, bool)]
    turns = np.rint((pairs.vector - vector) @ np.linalg.pinv(periodic))  # rows need not be orthogonal
    return vector + turns @ periodic
