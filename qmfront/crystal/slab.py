"""Slabs of a Bravais crystal with two free faces: the smallest surface cell, stacked layer by layer."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce

from qmfront.crystal.lattice import RELATIVE_TOLERANCE, Crystal

SEARCH = 2
"""Integer coordinates, in units of the largest Miller index, among which the vectors of the surface cell are sought."""


@dataclass(frozen=True, eq=False)
class Slab:
    """Atoms between two free faces, periodic along the first two cell vectors; the normal is the third axis.

    cell : (3, 3) float, Å
        Rows; the first lies along the first axis, the third along the normal, as long as the slab and its vacuum.
    positions : (n, 3) float, Å
        Layer by layer from the lower face to the upper one.
    numbers : (n,) int
        Atomic numbers.
    """

    cell: np.ndarray
    positions: np.ndarray
    numbers: np.ndarray

    @property
    def area(self) -> float:
        """Area of one face, Å^2."""
        return float(np.linalg.norm(np.cross(self.cell[0], self.cell[1])))

    def to_atoms(self) -> Atoms:
        """ASE atoms, periodic in the plane only."""
        return Atoms(numbers=self.numbers, positions=self.positions, cell=self.cell, pbc=(True, True, False))

    def moved(self, displacement: np.ndarray) -> "Slab":
        """The slab with its atoms displaced by (n, 3) Å."""
        return replace(self, positions=self.positions + displacement)

    def strained(self, deformation: np.ndarray) -> "Slab":
        """The slab under the homogeneous deformation x -> F x, F (3, 3)."""
        F = np.asarray(deformation, float)
        return replace(self, cell=self.cell @ F.T, positions=self.positions @ F.T)

    def repeated(self, first: int, second: int) -> "Slab":
        """first x second surface cells, each as a whole after the other."""
        shifts = [i * self.cell[0] + j * self.cell[1] for i in range(first) for j in range(second)]
        return Slab(
            self.cell * np.array([first, second, 1])[:, None],
            np.concatenate([self.positions + shift for shift in shifts]),
            np.tile(self.numbers, len(shifts)),
        )


def flat_slab(crystal: Crystal, plane: tuple[int, int, int], *, layers: int, vacuum: float) -> Slab:
    """The unrelaxed slab with faces parallel to a lattice plane, one atom per layer.

    Parameters
    ----------
    crystal : Crystal
        One atom per primitive cell, in cubic axes.
    plane : (3,) int
        Normal in cubic axes; only its direction matters.
    layers : int
    vacuum : float, Å
        Added to the height of the slab along the normal.

    Raises
    ------
    ValueError
        For a crystal with a basis, a plane that is zero, fewer than two layers or a vacuum that is not positive.
    """
    if len(crystal.numbers) > 1:
        raise ValueError(
            f"The crystal has {len(crystal.numbers)} atoms per cell, so that a plane has several terminations. "
            "Slabs are built of crystals with one atom per cell."
        )
    if not np.any(plane):
        raise ValueError("The plane [0, 0, 0] has no normal. Give Miller indices such as [1, 1, 0].")
    if layers < 2 or not vacuum > 0.0:
        raise ValueError(
            f"{layers} layers and {vacuum} Å of vacuum: give at least 2 layers and a vacuum > 0."
        )
    first, second, step = _surface_vectors(crystal, np.asarray(plane, float))
    normal = np.cross(first, second) / np.linalg.norm(np.cross(first, second))
    along = first / np.linalg.norm(first)
    frame = np.array([along, np.cross(normal, along), normal])
    in_plane, step = np.array([first, second]) @ frame.T, frame @ step
    height = (layers - 1) * step[2] + vacuum
    cell = np.array([*in_plane, [0.0, 0.0, height]])
    positions = np.arange(layers)[:, None] * step
    positions -= np.floor(positions @ np.linalg.inv(cell) + 1e-9)[:, :2] @ in_plane
    positions[:, 2] += vacuum / 2
    return Slab(cell, positions, np.repeat(crystal.numbers, layers))


def _surface_vectors(crystal: Crystal, plane: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two shortest lattice vectors of the plane, and one that leads to the next layer above."""
    normal = plane / np.linalg.norm(plane)
    reduced, _ = minkowski_reduce(crystal.cell)
    span = SEARCH * int(np.abs(plane).max())
    vectors = np.array(list(itertools.product(range(-span, span + 1), repeat=3))) @ reduced
    vectors = vectors[np.argsort(np.round(np.linalg.norm(vectors, axis=1), 9), kind="stable")][1:]
    heights = vectors @ normal
    tolerance = RELATIVE_TOLERANCE * crystal.nearest_neighbour_distance
    flat = vectors[np.abs(heights) < tolerance]
    first = flat[0]
    second = flat[np.linalg.norm(np.cross(flat, first), axis=1) > tolerance * np.linalg.norm(first)][0]
    if np.cross(first, second) @ normal < 0:
        second = -second
    spacing = heights[heights > tolerance].min()
    step = vectors[np.abs(heights - spacing) < tolerance][0]
    return first, second, step
