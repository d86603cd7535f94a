"""The small structures on which a reference model is examined."""

import numpy as np
from ase import Atoms

from qmfront.crystal.cluster import vacuum_cell
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import pairs_within

SEED = 20240229
TENSION = np.array([[0.025, 0.006, -0.004], [0.006, 0.018, 0.005], [-0.004, 0.005, 0.022]])
"""Strain of the cells on which stress is compared: no component is left at rest by symmetry."""


def cell_of(crystal: Crystal, n_atoms: int) -> Atoms:
    """A periodic repetition with at least n_atoms, as cubic as doublings and single steps make it."""
    repeats = np.ones(3, int)
    heights = 1.0 / np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)
    while len(crystal.numbers) * repeats.prod() < n_atoms:
        repeats[np.argmin(repeats * heights)] += 1
    return crystal.to_atoms().repeat(tuple(int(count) for count in repeats))


def rattled(atoms: Atoms, amplitude: float, *, seed: int = SEED) -> Atoms:
    """Normally distributed displacements of standard deviation amplitude, Å, that do not move the whole."""
    moved = atoms.copy()
    shift = np.random.default_rng(seed).normal(scale=amplitude, size=moved.positions.shape)
    moved.positions += shift - shift.mean(axis=0)
    return moved


def strained(atoms: Atoms, strain: np.ndarray) -> Atoms:
    """Cell and atoms under I + strain."""
    moved = atoms.copy()
    moved.set_cell(atoms.cell.array @ (np.eye(3) + strain).T, scale_atoms=True)
    return moved


def directions(atoms: Atoms, count: int) -> np.ndarray:
    """Random displacements (count, n, 3) whose longest arrow is 1."""
    drawn = np.random.default_rng(SEED + 1).normal(size=(count, len(atoms), 3))
    return drawn / np.linalg.norm(drawn, axis=2).max(axis=1)[:, None, None]


def sphere(crystal: Crystal, radius: float, *, rattle: float) -> tuple[Atoms, int]:
    """All sites within a radius (Å) of a site, in vacuum, and the place of that site.

    The displacement of an atom depends on its site alone, so that spheres of different radii are parts of one crystal.
    """
    reach = np.ones(3, bool)
    pairs = pairs_within(crystal.basis, crystal.cell, reach, radius + 1e-6)
    own = pairs.first == 0
    vectors = np.vstack([np.zeros(3), pairs.vector[own]])
    numbers = np.concatenate([crystal.numbers[:1], crystal.numbers[pairs.second[own]]])
    order = np.lexsort([*np.round(vectors.T, 6), np.round(np.linalg.norm(vectors, axis=1), 6)])
    vectors, numbers = vectors[order], numbers[order]
    shift = np.random.default_rng(SEED + 2).normal(scale=rattle, size=vectors.shape)
    positions = vectors + shift
    free = np.zeros(3, bool)
    return Atoms(numbers, positions, cell=vacuum_cell(positions, np.zeros((3, 3)), free), pbc=False), 0
