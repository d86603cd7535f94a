"""Symmetry operations of known crystals."""

import numpy as np
import pytest
from ase.build import bulk

from qmfront.models.lattice_symmetry import crystal_operations, lattice_rotations


@pytest.mark.parametrize(
    ("crystal", "count"),
    [
        (bulk("W", a=3.16), 48),
        (bulk("W", a=3.16, cubic=True), 96),
        (bulk("Al", a=4.05, cubic=True), 192),
        (bulk("Si", a=5.43), 48),
        (bulk("ZnS", "zincblende", a=5.4), 24),
        (bulk("Mg", "hcp", a=3.2, c=5.2), 24),
    ],
)
def test_number_of_operations(crystal, count):
    operations = crystal_operations(crystal)
    assert len(operations) == count
    np.testing.assert_allclose(operations[0].rotation, np.eye(3), atol=1e-12)
    np.testing.assert_array_equal(operations[0].permutation, range(len(crystal)))


def test_rotations_do_not_depend_on_the_choice_of_the_cell():
    cell = bulk("W", a=3.16).cell.array
    skewed = np.array([[1, 2, 0], [0, 1, -3], [0, 0, 1]]) @ cell
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for other in (skewed, cell @ turn.T):
        assert len(lattice_rotations(other)) == 48


def test_operations_map_the_lattice_onto_itself():
    cell = bulk("Mg", "hcp", a=3.2, c=5.2).cell.array
    for rotation in lattice_rotations(cell):
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        fractional = cell @ rotation.T @ np.linalg.inv(cell)
        np.testing.assert_allclose(fractional, np.round(fractional), atol=1e-10)


def test_a_small_strain_removes_operations():
    crystal = bulk("W", a=3.16, cubic=True)
    crystal.set_cell(crystal.cell.array @ np.diag([1.0, 1.0, 1.0 + 1e-5]), scale_atoms=True)
    assert len(crystal_operations(crystal)) == 32
