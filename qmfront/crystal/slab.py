"""Slabs of a crystal with two free faces: the smallest surface cell, stacked period by period of its lattice planes."""

import itertools
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce

from qmfront.crystal.lattice import RELATIVE_TOLERANCE, Crystal
from qmfront.crystal.termination import Termination, lattice_plane_spacing, terminations

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


def flat_slab(
    crystal: Crystal,
    plane: tuple[int, int, int],
    *,
    layers: int,
    vacuum: float,
    cut: Termination | None = None,
) -> Slab:
    """The unrelaxed slab with faces parallel to a lattice plane, whole periods of lattice planes from cut to cut.

    Its two faces are the two sides of the cut, and it has the composition of the crystal.

    Parameters
    ----------
    crystal : Crystal
        At rest.
    plane : (3,) int
        Miller indices; only the direction of the normal matters.
    layers : int
        Atomic layers, rounded up to whole periods, of which there are two at least in a crystal with a basis.
    vacuum : float, Å
        Added to the height of the slab along the normal.
    cut : Termination, optional
        Where the crystal parts; may be left out where there is only one place.

    Raises
    ------
    ValueError
        For a plane that is zero or has several terminations of which none is named, fewer than two layers or a vacuum
        that is not positive.
    """
    if not np.any(plane):
        raise ValueError("The plane [0, 0, 0] has no normal. Give Miller indices such as [1, 1, 0].")
    if layers < 2 or not vacuum > 0.0:
        raise ValueError(
            f"{layers} layers and {vacuum} Å of vacuum: give at least 2 layers and a vacuum > 0."
        )
    found = terminations(crystal, crystal.plane_normal(plane))
    if cut is None and len(found) > 1:
        raise ValueError(
            f"The plane {list(plane)} has several terminations: {', or '.join(map(str, found))}. Name one of them."
        )
    first, second, step = _surface_vectors(crystal, plane)
    normal = np.cross(first, second) / np.linalg.norm(np.cross(first, second))
    along = first / np.linalg.norm(first)
    frame = np.array([along, np.cross(normal, along), normal])
    in_plane, step = np.array([first, second]) @ frame.T, frame @ step
    basis = _above(found[0] if cut is None else cut, (crystal.basis - crystal.basis[0]) @ frame.T, step)
    order = np.lexsort(np.round(basis.T, 6))
    basis, numbers = basis[order] - basis[order[0]], crystal.numbers[order]
    positions = (np.arange(_periods(layers, found))[:, None, None] * step + basis).reshape(-1, 3)
    cell = np.array([*in_plane, [0.0, 0.0, positions[:, 2].max() + vacuum]])
    positions -= np.floor(positions @ np.linalg.inv(cell) + 1e-9)[:, :2] @ in_plane
    positions[:, 2] += vacuum / 2
    return Slab(cell, positions, np.tile(numbers, len(positions) // len(numbers)))


def slab_size(crystal: Crystal, plane: tuple[int, int, int], layers: int) -> int:
    """Number of atoms of `flat_slab`."""
    return len(crystal.numbers) * _periods(layers, terminations(crystal, crystal.plane_normal(plane)))


def _periods(layers: int, found: tuple[Termination, ...]) -> int:
    """Periods of lattice planes that hold so many layers; one gap is between two layers."""
    return layers if len(found) == 1 else max(2, -(-layers // len(found)))


def _above(cut: Termination, basis: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The atoms (nb, 3) of one period above a cut; step (3,) leads to the next lattice plane."""
    height = basis[:, 2] / step[2]
    return basis + np.ceil(cut.middle - height)[:, None] * step


def _surface_vectors(
    crystal: Crystal, plane: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The two shortest lattice vectors of the plane, and one that leads to the next layer above."""
    normal = crystal.plane_normal(plane)
    normal = normal / np.linalg.norm(normal)
    reduced, _ = minkowski_reduce(crystal.cell)
    spacing = lattice_plane_spacing(crystal, normal)
    span = SEARCH * int(max(np.abs(plane).max(), np.abs(np.rint(reduced @ normal / spacing)).max()))
    vectors = np.array(list(itertools.product(range(-span, span + 1), repeat=3))) @ reduced
    vectors = vectors[np.argsort(np.round(np.linalg.norm(vectors, axis=1), 9), kind="stable")][1:]
    heights = vectors @ normal
    tolerance = RELATIVE_TOLERANCE * crystal.nearest_neighbour_distance
    flat = vectors[np.abs(heights) < tolerance]
    first = flat[0]
    second = flat[np.linalg.norm(np.cross(flat, first), axis=1) > tolerance * np.linalg.norm(first)][0]
    if np.cross(first, second) @ normal < 0:
        second = -second
    return first, second, vectors[np.abs(heights - spacing) < tolerance][0]
