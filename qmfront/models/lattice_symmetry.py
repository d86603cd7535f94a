"""Symmetry operations of a crystal, found by mapping its cell and its atoms onto themselves."""

from dataclasses import dataclass
from itertools import product

import numpy as np
from ase import Atoms
from ase.geometry import minkowski_reduce

TOLERANCE = 1e-7  # Å; a lattice strained by more than this has lost the symmetry. ASSUME


@dataclass(frozen=True)
class Operation:
    """r -> rotation @ r + a translation, which takes atom a to atom permutation[a] (up to lattice vectors).

    rotation : (3, 3) float, orthogonal (proper or not)
    permutation : (n_basis,) int
    """

    rotation: np.ndarray
    permutation: np.ndarray


def crystal_operations(crystal: Atoms, *, tolerance: float = TOLERANCE) -> list[Operation]:
    """All operations that map cell and atomic numbers onto themselves; the identity is the first.

    A cell that is not primitive yields the operations that keep its own (coarser) lattice, with the pure translations
    among its atoms.

    Parameters
    ----------
    crystal : ase.Atoms
        Periodic in three directions; n_basis atoms.
    tolerance : float, Å
    """
    numbers, counts = np.unique(crystal.numbers, return_counts=True)
    rare = np.flatnonzero(crystal.numbers == numbers[np.argmin(counts)])
    operations = []
    for rotation in lattice_rotations(crystal.cell.array, tolerance=tolerance):
        turned = crystal.positions @ rotation.T
        for target in rare:
            shifted = turned + (crystal.positions[target] - turned[rare[0]])
            permutation = _permutation(crystal, shifted, tolerance)
            if permutation is not None:
                operations.append(Operation(rotation, permutation))
    return sorted(operations, key=_distance_from_identity)


def lattice_rotations(cell: np.ndarray, *, tolerance: float = TOLERANCE) -> list[np.ndarray]:
    """All orthogonal (3, 3) matrices that map the lattice with the cell vectors (rows, Å) onto itself."""
    reduced, _ = minkowski_reduce(np.asarray(cell, float))
    lattice = np.array(list(product(range(-2, 3), repeat=3))) @ reduced
    lengths, wanted = np.linalg.norm(lattice, axis=1), np.linalg.norm(reduced, axis=1)
    first, second, third = (lattice[np.abs(lengths - length) < tolerance] for length in wanted)
    metric = reduced @ reduced.T
    allowed = tolerance * wanted.max()
    rotations = []
    for u, v in product(first, second):
        if abs(u @ v - metric[0, 1]) > allowed:
            continue
        for w in third[np.abs(third @ u - metric[0, 2]) + np.abs(third @ v - metric[1, 2]) < allowed]:
            left, _, right = np.linalg.svd(np.linalg.solve(reduced, np.array([u, v, w])).T)
            rotations.append(left @ right)
    return rotations


def _permutation(crystal: Atoms, shifted: np.ndarray, tolerance: float) -> np.ndarray | None:
    """The atom that each shifted position falls on, or None if the crystal is not mapped onto itself."""
    difference = shifted[:, None] - crystal.positions[None]
    fractional = difference @ np.linalg.inv(crystal.cell.array)
    nearest = (fractional - np.round(fractional)) @ crystal.cell.array
    same = crystal.numbers[:, None] == crystal.numbers[None]
    hit = (np.linalg.norm(nearest, axis=2) < 10 * tolerance) & same
    if not np.all(hit.sum(axis=1) == 1):
        return None
    return np.argmax(hit, axis=1)


def _distance_from_identity(operation: Operation) -> float:
    moved = np.any(operation.permutation != np.arange(len(operation.permutation)))
    return float(np.abs(operation.rotation - np.eye(3)).sum() + moved)
