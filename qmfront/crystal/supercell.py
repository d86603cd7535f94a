"""Atoms of a periodic cell on the sites of a perfect crystal: which site each has, and which are left over.

The cell C is a supercell of the crystal if C = M B F^T, with the primitive vectors B, integers M and a deformation
gradient F that is a rotation and a small strain. Sites are then n B F^T + b + t, n modulo M, and every atom has a
nearest one. The shift t is that of the most atoms.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd

import numpy as np
from ase import Atoms

from qmfront.crystal.lattice import Crystal

PERIOD_MISFIT_R0 = 0.25
"""r0; a vector of the cell that is farther from every lattice vector is none."""
SHIFT_MISFIT_R0 = 0.3
"""r0; atoms farther than this from a site say no more against a shift."""
TRIED = 8
"""Atoms that are tried on every sublattice."""
SAMPLE = 60
"""Atoms by which they are judged."""
REFINED = 4
"""Times that the shift is corrected by the mean distance of the atoms from their sites."""
SHARED = 0.5
"""An atom has a site that two are nearest to if it is this much nearer than the other; otherwise neither has it."""


class NoSingleLatticeError(ValueError):
    """The atoms of a periodic cell are not on the sites of one crystal."""


@dataclass(frozen=True, eq=False)
class Supercell:
    """A periodic cell and the crystal that fills it.

    crystal : Crystal
        In the axes of the cell and strained as it is there; its first atom is on a site.
    matrix : (3, 3) int
        M; its rows make the cell of the vectors of the crystal.
    """

    crystal: Crystal
    matrix: np.ndarray

    @property
    def cell(self) -> np.ndarray:
        """(3, 3) Å"""
        return self.matrix @ self.crystal.cell

    @property
    def period(self) -> np.ndarray:
        """Lengths (3,), Å, of the shortest lattice vectors along the cell vectors."""
        shortest = [np.array(row) // gcd(*(int(n) for n in row)) for row in self.matrix]
        return np.linalg.norm(np.array(shortest) @ self.crystal.cell, axis=1)

    @cached_property
    def keys(self) -> np.ndarray:
        """n and the row of Crystal.basis of every site, (s, 4) int, sorted."""
        low = np.minimum(self.matrix, 0).sum(axis=0)
        high = np.maximum(self.matrix, 0).sum(axis=0)
        grid = np.meshgrid(*(np.arange(a, b + 1) for a, b in zip(low, high, strict=True)), indexing="ij")
        points = np.stack([axis.ravel() for axis in grid], axis=1)
        points = points[np.all(self._wrapped(points) == points, axis=1)]
        rows = np.tile(np.arange(len(self.crystal.basis)), len(points))
        return np.unique(np.column_stack([np.repeat(points, len(self.crystal.basis), axis=0), rows]), axis=0)

    def places(self, keys: np.ndarray) -> np.ndarray:
        """Where sites (k, 4) are, (k, 3) Å."""
        return keys[:, :3] @ self.crystal.cell + self.crystal.basis[keys[:, 3]]

    def nearest(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The site nearest to each position (n, 3) Å, as keys (n, 4) modulo the cell, and the way to it (n, 3) Å."""
        keys, offsets = self._nearest_images(positions)
        return np.column_stack([self._wrapped(keys[:, :3]), keys[:, 3]]), offsets

    def shifted(self, shift: np.ndarray) -> "Supercell":
        """The same with all sites moved by (3,) Å."""
        return replace(self, crystal=self.crystal.shifted(np.broadcast_to(shift, self.crystal.basis.shape)))

    def _nearest_images(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        crystal, n = self.crystal, len(positions)
        keys, offsets = np.zeros((n, 4), int), np.full((n, 3), np.inf)
        for row, place in enumerate(crystal.basis):
            steps = crystal.nearest_lattice_vectors(positions - place)
            offset = place + steps @ crystal.cell - positions
            nearer = np.einsum("ni,ni->n", offset, offset) < np.einsum("ni,ni->n", offsets, offsets) - 1e-9
            keys[nearer] = np.column_stack([steps, np.full(n, row)])[nearer]
            offsets[nearer] = offset[nearer]
        return keys, offsets

    def _wrapped(self, points: np.ndarray) -> np.ndarray:
        """Lattice points (n, 3) int modulo the rows of M, in integers."""
        determinant = round(float(np.linalg.det(self.matrix)))
        adjugate = np.rint(np.linalg.inv(self.matrix) * determinant).astype(np.int64)
        return points - np.floor_divide(points @ adjugate, determinant) @ self.matrix


@dataclass(frozen=True, eq=False)
class Assignment:
    """Atoms on the sites of a supercell.

    supercell : Supercell
        Its sites where the atoms have them.
    basis_index : (n,) int
        Row of Crystal.basis of the site of every atom; -1 for atoms without one.
    site : (n, 3) float, Å
        The place of that site, in the image that the atom is nearest to; of others their own position.
    vacant : (v, 3) float, Å
        Sites without an atom.
    """

    supercell: Supercell
    basis_index: np.ndarray
    site: np.ndarray
    vacant: np.ndarray

    @property
    def added(self) -> np.ndarray:
        """Atoms without a site, (n,) bool."""
        return self.basis_index < 0


def supercell_of(cell: np.ndarray, crystal: Crystal, gradient: np.ndarray) -> Supercell:
    """The supercell that a periodic cell is.

    Parameters
    ----------
    cell : (3, 3) float, Å
    crystal : Crystal
        In its own axes.
    gradient : (3, 3) float
        F as the atoms tell it, see `orientation`.

    Raises
    ------
    NoSingleLatticeError
        If a vector of the cell is no lattice vector.
    """
    vectors = crystal.cell @ gradient.T
    matrix = np.rint(cell @ np.linalg.inv(vectors)).astype(int)
    off = np.linalg.norm(matrix @ vectors - cell, axis=1)
    r0 = crystal.nearest_neighbour_distance
    if off.max() > PERIOD_MISFIT_R0 * r0 or round(float(np.linalg.det(matrix))) == 0:
        worst = int(np.argmax(off))
        raise NoSingleLatticeError(
            f"its period {np.round(cell[worst], 3).tolist()} Å is {off[worst]:.2f} Å from the nearest lattice vector "
            f"of the crystal as it lies in the file, and nearest neighbours are {r0:.2f} Å apart"
        )
    F = (np.linalg.inv(matrix @ crystal.cell) @ cell).T
    return Supercell(crystal.strained(F), matrix)


def assigned(atoms: Atoms, supercell: Supercell) -> Assignment:
    """Every atom on its site; the sites are moved to where most atoms are.

    Of two atoms that are nearest to one site, one has it if it is much nearer; otherwise both are atoms without a site,
    and that site is vacant, as that of a dumbbell. A solute far from its site, as hydrogen in a vacancy, has none.

    Parameters
    ----------
    atoms : Atoms
        Their cell is that of the supercell; species may be exchanged.
    supercell : Supercell
    """
    placed = supercell.shifted(_shift(atoms, supercell))
    r0 = placed.crystal.nearest_neighbour_distance
    for _ in range(REFINED):
        keys, way = placed.nearest(atoms.positions)
        near = np.linalg.norm(way, axis=1) < SHIFT_MISFIT_R0 * r0
        placed = placed.shifted(-way[near].mean(axis=0)) if near.any() else placed
    keys, way = placed.nearest(atoms.positions)
    distance = np.linalg.norm(way, axis=1)
    beside = ~np.isin(atoms.numbers, placed.crystal.numbers) & (distance > SHIFT_MISFIT_R0 * r0)
    basis_index = np.where(_owners(keys, distance) & ~beside, keys[:, 3], -1)
    site = np.where(basis_index[:, None] < 0, atoms.positions, atoms.positions + way)
    taken = {tuple(key) for key in keys[basis_index >= 0].tolist()}
    vacant = np.array([tuple(key) not in taken for key in placed.keys.tolist()])
    return Assignment(placed, basis_index, site, placed.places(placed.keys[vacant]))


def _owners(keys: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Atoms (n,) bool that have the site they are nearest to."""
    owners = np.ones(len(keys), bool)
    _, first, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    for shared in np.flatnonzero(count > 1):
        atoms = np.flatnonzero(first.ravel() == shared)
        order = atoms[np.argsort(distance[atoms])]
        owners[atoms] = False
        owners[order[0]] = distance[order[0]] < SHARED * distance[order[1]]
    return owners


def _shift(atoms: Atoms, supercell: Supercell) -> np.ndarray:
    """What moves the crystal so that most atoms are near a site of their species, (3,) Å."""
    crystal = supercell.crystal
    limit = (SHIFT_MISFIT_R0 * crystal.nearest_neighbour_distance) ** 2
    numbers, count = np.unique(crystal.numbers, return_counts=True)
    rare = numbers[np.argmin(np.where(np.isin(numbers, atoms.numbers), count, len(crystal.numbers) + 1))]
    candidates = np.flatnonzero(atoms.numbers == rare)
    candidates = candidates[np.linspace(0, len(candidates) - 1, min(TRIED, len(candidates))).astype(int)]
    judges = np.linspace(0, len(atoms) - 1, min(SAMPLE, len(atoms))).astype(int)
    best, lowest = np.zeros(3), np.inf
    for atom in candidates:
        for row in np.flatnonzero(crystal.numbers == rare):
            shift = atoms.positions[atom] - crystal.basis[row]
            keys, way = supercell.shifted(shift).nearest(atoms.positions[judges])
            squared = np.minimum(np.einsum("ni,ni->n", way, way), limit)
            squared[crystal.numbers[keys[:, 3]] != atoms.numbers[judges]] = limit
            if squared.sum() < lowest - 1e-9:
                best, lowest = shift, float(squared.sum())
    return best
