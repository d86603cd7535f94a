"""Structures that preflight evaluates: unsymmetric, nested, and as large as was wanted."""

import numpy as np
import pytest

from qmfront.crystal.lattice import cubic_crystal
from qmfront.preflight.samples import TENSION, cell_of, directions, rattled, sphere, strained


@pytest.mark.parametrize(("symbol", "structure", "a0"), [("W", "bcc", 3.165), ("Si", "diamond", 5.43)])
@pytest.mark.parametrize("wanted", [1, 8, 24, 60])
def test_cells_are_large_enough_and_not_needles(symbol: str, structure, a0: float, wanted: int) -> None:
    atoms = cell_of(cubic_crystal(symbol, structure, a0), wanted)
    assert wanted <= len(atoms) <= 2 * wanted + 2
    heights = 1 / np.linalg.norm(np.linalg.inv(atoms.cell.array), axis=0)
    assert heights.max() <= 2.01 * heights.min()


def test_spheres_are_parts_of_one_crystal() -> None:
    crystal = cubic_crystal("Si", "diamond", 5.43)
    (small, _), (large, centre) = (sphere(crystal, radius, rattle=0.05) for radius in (5.0, 8.0))
    assert len(small) < len(large)
    assert np.array_equal(small.positions, large.positions[: len(small)])
    assert np.linalg.norm(large.positions[centre]) < 0.3
    assert np.linalg.norm(large.positions, axis=1).max() < 8.4
    assert not large.pbc.any()


def test_no_component_of_the_stress_is_at_rest() -> None:
    assert np.abs(TENSION).min() > 1e-3 and np.array_equal(TENSION, TENSION.T)


def test_moves_are_random_and_of_length_one() -> None:
    atoms = cell_of(cubic_crystal("W", "bcc", 3.165), 8)
    moves = directions(atoms, 3)
    assert np.linalg.norm(moves, axis=2).max(axis=1) == pytest.approx(1.0)
    assert np.linalg.matrix_rank(moves.reshape(3, -1)) == 3
    assert np.abs(rattled(atoms, 0.05).positions - atoms.positions).max() > 0.05
    assert strained(atoms, TENSION).get_volume() > atoms.get_volume()
