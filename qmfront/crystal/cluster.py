"""Clusters of sites for the QM model: which sites lie around a region, and vacuum in free directions."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from scipy.spatial import cKDTree


@dataclass(frozen=True)
class Cluster:
    """Atoms handed to the QM model and the positions among them whose forces are wanted.

    sites : (c,) int
        Sites of the cluster, ascending.
    wanted : (w,) int
        Places in `sites` of the atoms whose forces are used.
    """

    sites: np.ndarray
    wanted: np.ndarray

    def atoms(self, positions: np.ndarray, numbers: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> Atoms:
        """The cluster as ASE atoms; free directions get vacuum from `vacuum_cell`."""
        chosen = positions[self.sites]
        box = vacuum_cell(chosen, cell, pbc)
        return Atoms(numbers=numbers[self.sites], positions=chosen, cell=box, pbc=pbc)


def surrounded(
    inner: np.ndarray, positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, *, width: float
) -> np.ndarray:
    """Sites within `width` of the inner sites, the inner ones included, (n,) bool.

    Parameters
    ----------
    inner : (n,) bool
    positions : (n, 3) float, Å
    cell, pbc : (3, 3) float, Å, and (3,) bool
    width : float, Å
    """
    if not inner.any():
        return np.zeros(len(positions), bool)
    folded, shifts = _folded(positions, cell, pbc, width)
    centres = (folded[inner] + shifts[:, None, :]).reshape(-1, 3)
    distance, _ = cKDTree(centres).query(folded, distance_upper_bound=width * (1 + 1e-12) + 1e-12)
    return inner | np.isfinite(distance)


def cluster_around(inner: np.ndarray, included: np.ndarray) -> Cluster:
    """The cluster of all `included` sites (n,) bool with forces wanted on the `inner` ones."""
    sites = np.flatnonzero(included)
    return Cluster(sites, np.flatnonzero(inner[sites]))


def vacuum_cell(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, *, vacuum: float = 15.0
) -> np.ndarray:
    """The cell with free directions stretched around the atoms, so that no image comes closer than `vacuum` Å.

    # ASSUME the frame is Cartesian: free directions are coordinate axes.
    """
    box = np.array(cell, float)
    for axis in np.flatnonzero(~np.asarray(pbc, bool)):
        box[axis] = 0.0
        box[axis, axis] = np.ceil(np.ptp(positions[:, axis])) + vacuum
    return box


def _folded(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, width: float
) -> tuple[np.ndarray, np.ndarray]:
    """Positions folded into the cell along periodic directions, and the image shifts within width."""
    periodic = np.asarray(cell, float)[np.asarray(pbc, bool)]
    if len(periodic) == 0:
        return positions, np.zeros((1, 3))
    reciprocal = np.linalg.pinv(periodic)
    folded = positions - np.floor(positions @ reciprocal) @ periodic
    count = np.ceil(width * np.linalg.norm(reciprocal, axis=0)).astype(int)
    steps = product(*(range(-m, m + 1) for m in count))
    return folded, np.array(list(steps), float) @ periodic
