"""Pairs within a cutoff against brute force over images, and the image that a label picks."""

from itertools import product

import numpy as np
import pytest
from ase.build import bulk

from qmfront.crystal.neighbours import Pairs, pairs_in_tiles, pairs_within, separations

CELL = np.array(
    [[4.0, 0.3, 0.0], [1.7, 3.5, -0.6], [-0.9, 1.1, 2.9]]
)  # sheared, shorter than the cutoffs below
PERIODICITIES = [(0, 0, 0), (1, 0, 0), (0, 0, 1), (1, 1, 0), (0, 1, 1), (1, 1, 1)]


def brute_force(positions, cell, pbc, cutoff: float) -> dict[tuple, np.ndarray]:
    """(first, second, image) -> vector, over all images within 6 cells."""
    found = {}
    for image in product(*(range(-6, 7) if p else (0,) for p in pbc)):
        apart = positions[None] - positions[:, None] + np.array(image) @ cell
        distance = np.linalg.norm(apart, axis=-1)
        for i, j in np.argwhere(distance < cutoff):
            if i != j or any(image):
                found[i, j, image] = apart[i, j]
    return found


def rows(first, second, vector) -> np.ndarray:
    """Pairs as rounded rows in a fixed order."""
    table = np.column_stack([first, second, np.round(vector, 8) + 0.0])
    return table[np.lexsort(table.T[::-1])]


@pytest.mark.parametrize("pbc", PERIODICITIES)
@pytest.mark.parametrize("cutoff", [2.1, 6.3])
@pytest.mark.parametrize("wrapped", [True, False])
def test_equals_brute_force(pbc, cutoff, wrapped):
    """Random atoms inside and outside of a sheared cell, several images and self images."""
    rng = np.random.default_rng(sum(pbc))
    positions = rng.uniform(0, 1, (7, 3)) @ CELL if wrapped else rng.uniform(-6, 6, (7, 3))
    found = pairs_within(positions, CELL, np.array(pbc, bool), cutoff)
    expected = brute_force(positions, CELL, pbc, cutoff)
    if cutoff > 6:
        assert len(expected) > 5 and (not any(pbc) or any(i == j for i, j, _ in expected))
    first, second = (np.array([key[k] for key in expected], int).reshape(-1) for k in (0, 1))
    assert np.array_equal(
        rows(found.first, found.second, found.vector),
        rows(first, second, np.array(list(expected.values())).reshape(-1, 3)),
    )


@pytest.mark.parametrize("pbc", PERIODICITIES)
def test_sorted_in_both_directions(pbc):
    positions = np.random.default_rng(3).uniform(-5, 5, (12, 3))
    pairs = pairs_within(positions, CELL, np.array(pbc, bool), 5.0)
    assert np.all(np.diff(pairs.first) >= 0) and pairs.first.dtype == pairs.second.dtype == np.int64
    assert len(pairs) == len(pairs.first) == len(pairs.second) == len(pairs.vector) > 10
    assert np.array_equal(
        rows(pairs.first, pairs.second, pairs.vector), rows(pairs.second, pairs.first, -pairs.vector)
    )


def test_free_directions_of_the_cell_do_not_matter():
    """A cluster far from the origin, with no cell at all, with a tiny one, and translated."""
    positions = 100.0 + np.random.default_rng(5).uniform(-4, 4, (20, 3))
    reference = pairs_within(positions, np.zeros((3, 3)), np.zeros(3, bool), 4.0)
    expected = rows(reference.first, reference.second, reference.vector)
    assert len(expected) > 20
    for cell, shift in ((np.eye(3), 0.0), (CELL, 0.0), (1e3 * np.eye(3), np.array([-300.0, 70.0, 1e3]))):
        other = pairs_within(positions + shift, cell, np.zeros(3, bool), 4.0)
        assert np.array_equal(expected, rows(other.first, other.second, other.vector))


def test_flat_and_single_structures():
    """Atoms in a plane and one atom: free directions have no extent."""
    plane = np.column_stack([np.random.default_rng(0).uniform(0, 6, (10, 2)), np.zeros(10)])
    pairs = pairs_within(plane, np.zeros((3, 3)), np.zeros(3, bool), 3.0)
    assert len(pairs) == len(brute_force(plane, np.zeros((3, 3)), (0, 0, 0), 3.0)) > 0
    assert len(pairs_within(np.zeros((1, 3)), np.zeros((3, 3)), np.zeros(3, bool), 3.0)) == 0
    wire = pairs_within(np.zeros((1, 3)), np.diag([0.0, 0.0, 1.3]), np.array([False, False, True]), 3.0)
    assert sorted(np.round(wire.vector[:, 2], 6)) == [-2.6, -1.3, 1.3, 2.6] and np.all(wire.second == 0)


def test_shells_of_bcc():
    atoms = bulk("W", a=3.16)
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 4.6)
    distance, count = np.unique(np.round(np.linalg.norm(pairs.vector, axis=1), 6), return_counts=True)
    assert count.tolist() == [8, 6, 12] and distance / 3.16 == pytest.approx(
        [np.sqrt(3) / 2, 1.0, np.sqrt(2)]
    )


def test_input_is_not_modified():
    positions, cell = np.random.default_rng(1).uniform(-9, 9, (5, 3)), CELL.copy()
    before = positions.copy()
    pairs_within(positions, cell, np.array([True, False, True]), 5.0)
    assert np.array_equal(positions, before) and np.array_equal(cell, CELL)


def test_chosen_keeps_rows_together():
    positions = np.random.default_rng(2).uniform(0, 6, (9, 3))
    pairs = pairs_within(positions, CELL, np.ones(3, bool), 4.0)
    mask = pairs.first % 2 == 0
    some = pairs.chosen(mask)
    assert 0 < len(some) < len(pairs) and np.all(some.first % 2 == 0)
    assert np.array_equal(some.second, pairs.second[mask]) and np.array_equal(some.vector, pairs.vector[mask])


@pytest.mark.parametrize("pbc", PERIODICITIES)
def test_separations_without_displacement_are_the_vectors(pbc):
    """Every image, several per pair of atoms."""
    positions = np.random.default_rng(7).uniform(-5, 5, (10, 3))
    pairs = pairs_within(positions, CELL, np.array(pbc, bool), 6.0)
    assert np.abs(separations(positions, CELL, np.array(pbc, bool), pairs) - pairs.vector).max() < 1e-12


@pytest.mark.parametrize("pbc", [(0, 0, 1), (1, 0, 1)])
def test_separations_follow_the_displacement(pbc):
    """In the image of the label, also when atoms are wrapped back into the cell; orthogonal periods."""
    rng, cell, pbc = np.random.default_rng(8), np.diag([4.0, 30.0, 3.0]), np.array(pbc, bool)
    positions = rng.uniform(0, 8, (12, 3))
    pairs = pairs_within(positions, cell, pbc, 6.5)
    u = rng.uniform(-0.4, 0.4, (12, 3))
    expected = pairs.vector + u[pairs.second] - u[pairs.first]
    assert np.abs(separations(positions + u, cell, pbc, pairs) - expected).max() < 1e-12
    turns = rng.integers(-3, 4, (12, 3)) * pbc
    assert np.abs(separations(positions + u + turns @ cell, cell, pbc, pairs) - expected).max() < 1e-12


def test_separations_label_picks_the_image():
    """The same two atoms with labels one period apart: each gets its own image."""
    cell, pbc = np.diag([0.0, 0.0, 3.0]), np.array([False, False, True])
    labels = Pairs(np.zeros(3, int), np.ones(3, int), np.array([[2.0, 0, 0], [2.0, 0, 3.0], [2.0, 0, -6.0]]))
    found = separations(np.array([[0.0, 0, 0], [2.1, 0, 0.2]]), cell, pbc, labels)
    assert found == pytest.approx(np.array([[2.1, 0, 0.2], [2.1, 0, 3.2], [2.1, 0, -5.8]]))


def test_separations_of_a_sheared_cell():
    """Rows of the cell that are not orthogonal: the image is that of the label for small displacements."""
    rng = np.random.default_rng(9)
    atoms = bulk("W", a=3.16) * (2, 1, 1)  # primitive cell, 109 degrees
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, 6.0)
    u = rng.uniform(-0.3, 0.3, (2, 3))
    expected = pairs.vector + u[pairs.second] - u[pairs.first]
    found = separations(atoms.positions + u, atoms.cell.array, atoms.pbc, pairs)
    assert np.abs(found - expected).max() < 1e-12


@pytest.mark.parametrize("pbc", PERIODICITIES)
def test_tiles_together_are_the_whole_list(pbc):
    """Every atom is in one tile, with all its pairs; halos add none and lose none."""
    rng, pbc = np.random.default_rng(7), np.array(pbc, bool)
    positions = rng.uniform(-9.0, 9.0, (140, 3))
    whole = pairs_within(positions, CELL, pbc, 3.1)
    parts = list(pairs_in_tiles(positions, CELL, pbc, 3.1, tile=30))
    assert len(parts) == (1 if pbc.all() else 5)
    assert np.array_equal(np.sort(np.concatenate([own for own, _ in parts])), np.arange(140))
    for own, pairs in parts:
        assert np.isin(pairs.first, own).all()
    rows = [np.column_stack([p.first, p.second, p.vector]) for p in (whole, *(pairs for _, pairs in parts))]
    together, expected = np.concatenate(rows[1:]), rows[0]
    assert len(expected) > 100 and together.shape == expected.shape
    together, expected = (table[np.lexsort(np.round(table.T, 8))] for table in (together, expected))
    assert together == pytest.approx(expected, abs=1e-12)
