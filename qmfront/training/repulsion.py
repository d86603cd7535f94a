"""A pair repulsion under the fitted potential, so that atoms cannot fall into each other.

    E = 1/2 sum_ij s (R / r_ij - 1)^4   for r_ij < R = 0.8 r0

with s such that it is the screened Coulomb energy of two nuclei (Ziegler, Biersack and Littmark) at 0.3 r0. It vanishes
with three derivatives at R, where no homogeneous lattice has a neighbour: nothing that is matched feels it. Cells in
which atoms come closer are fitted without it, so that the sum has what the reference model says.
"""

from dataclasses import replace

import numpy as np
from ase import Atoms, units

from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.models.ace.potential import Repulsion
from qmfront.training.observe.rattled import ObservedCells

RADIUS = 0.8
"""R over r0."""
CLOSEST = 0.3
"""Over r0; distance at which two atoms have the energy of two screened nuclei."""
SCREENING = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))
"""Factors and exponents of the universal screening function."""
COULOMB = units.Hartree * units.Bohr
"""e^2 / (4 pi epsilon_0), eV Å."""


def repulsion_of(crystal: Crystal, *, stronger: float = 1.0) -> Repulsion:
    """That of a crystal, its heaviest species for all; stronger: a factor of s."""
    r0 = crystal.nearest_neighbour_distance
    strength = screened_coulomb(CLOSEST * r0, int(crystal.numbers.max()))
    return Repulsion(stronger * strength / (RADIUS / CLOSEST - 1.0) ** 4, RADIUS * r0)


def screened_coulomb(distance: float, number: int) -> float:
    """Energy (eV) of two nuclei of charge `number` at a distance (Å), screened by their electrons."""
    length = 0.88534 * units.Bohr / (2 * number**0.23)
    screening = sum(factor * np.exp(-rate * distance / length) for factor, rate in SCREENING)
    return float(COULOMB * number**2 / distance * screening)


def repulsive_energy_forces(atoms: Atoms, repulsion: Repulsion) -> tuple[float, np.ndarray]:
    """Energy, eV, and forces (n, 3), eV/Å, of the repulsion."""
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, repulsion.radius)
    length = np.linalg.norm(pairs.vector, axis=1)
    inside = repulsion.radius / length - 1.0
    slope = -2.0 * repulsion.strength * inside**3 * repulsion.radius / length**3  # half of the pair
    forces = np.zeros((len(atoms), 3))
    np.add.at(forces, pairs.first, slope[:, None] * pairs.vector)
    np.add.at(forces, pairs.second, -slope[:, None] * pairs.vector)
    return float(0.5 * repulsion.strength * np.sum(inside**4)), forces


def without_repulsion(cells: ObservedCells, repulsion: Repulsion) -> ObservedCells:
    """What is left for the basis to be fitted to."""
    parts = [repulsive_energy_forces(cell, repulsion) for cell in cells.cells]
    return replace(
        cells,
        energy=cells.energy - np.array([energy for energy, _ in parts]),
        forces=tuple(forces - own for forces, (_, own) in zip(cells.forces, parts, strict=True)),
    )
