"""Slabs: area, spacing and sites against the crystal, stacking against ASE, operations on slabs."""

import numpy as np
import pytest
from ase.build import bcc110, fcc111

from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import pairs_within
from qmfront.crystal.slab import Slab, flat_slab

A0 = 3.17
PLANES = [(1, 1, 0), (1, -1, 0), (1, 0, 0), (0, -1, 0), (1, 1, 1), (2, 1, 1), (3, -1, 2), (2, 2, 0)]


def distances(slab: Slab, cutoff: float) -> np.ndarray:
    pairs = pairs_within(slab.positions, slab.cell, np.array([True, True, False]), cutoff)
    return np.sort(np.linalg.norm(pairs.vector, axis=1))


@pytest.mark.parametrize("structure", ["bcc", "fcc", "sc"])
@pytest.mark.parametrize("plane", PLANES)
def test_layers_fill_space_as_the_crystal_does(structure, plane):
    """Area times spacing is the volume of a site; equal spacings; the smallest cell that the plane allows."""
    crystal = cubic_crystal("W", structure, A0)
    slab = flat_slab(crystal, plane, layers=5, vacuum=7.0)
    spacing = np.diff(slab.positions[:, 2])
    np.testing.assert_allclose(spacing, spacing[0], rtol=1e-12)
    assert slab.area * spacing[0] == pytest.approx(crystal.volume, rel=1e-12)
    assert slab.cell[2] == pytest.approx([0.0, 0.0, 4 * spacing[0] + 7.0])
    np.testing.assert_allclose(slab.cell[:2, 2], 0.0, atol=1e-12)
    assert slab.cell[0, 1] == pytest.approx(0.0, abs=1e-12) and np.linalg.det(slab.cell) > 0


@pytest.mark.parametrize("plane", PLANES)
def test_middle_of_a_thick_slab_is_the_crystal(plane):
    """The environment of a site in the middle, all vectors to 4.6 Å, has the lengths of the crystal's."""
    crystal = cubic_crystal("W", "bcc", A0)
    slab = flat_slab(crystal, plane, layers=41, vacuum=6.0)
    pairs = pairs_within(slab.positions, slab.cell, np.array([True, True, False]), 4.6)
    found = np.sort(np.linalg.norm(pairs.vector[pairs.first == 20], axis=1))
    whole = pairs_within(crystal.basis, crystal.cell, np.ones(3, bool), 4.6)
    np.testing.assert_allclose(found, np.sort(np.linalg.norm(whole.vector, axis=1)), rtol=1e-12)


@pytest.mark.parametrize("structure, plane, build", [("bcc", (1, 1, 0), bcc110), ("fcc", (1, 1, 1), fcc111)])
def test_same_slab_as_ase(structure, plane, build):
    """All distances up to 7 Å, atoms at both faces included."""
    slab = flat_slab(cubic_crystal("W", structure, A0), plane, layers=6, vacuum=10.0)
    other = build("W", (1, 1, 6), a=A0, vacuum=5.0)
    theirs = Slab(other.cell.array, other.positions, other.numbers)
    assert slab.area == pytest.approx(theirs.area, rel=1e-12)
    np.testing.assert_allclose(distances(slab, 7.0), distances(theirs, 7.0), rtol=1e-10)


def test_sites_belong_to_the_rotated_crystal():
    crystal = cubic_crystal("W", "bcc", A0)
    slab = flat_slab(crystal, (3, -1, 2), layers=9, vacuum=5.0)
    normal = np.array([3, -1, 2]) / np.sqrt(14)
    lengths = np.linalg.norm(slab.positions[:, None] - slab.positions, axis=2)
    heights = np.arange(9) * crystal.volume / slab.area
    for n, height in zip(range(9), heights, strict=True):
        # some lattice vector with this length has this height above the plane
        grid = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3), axis=-1).reshape(-1, 3) @ crystal.cell
        fits = np.abs(np.linalg.norm(grid, axis=1) - lengths[0, n]) < 1e-9
        assert np.any(np.abs(grid[fits] @ normal - height) < 1e-9)


def test_repeated_keeps_the_surroundings():
    slab = flat_slab(cubic_crystal("W", "bcc", A0), (1, 1, 0), layers=4, vacuum=5.0)
    large = slab.repeated(3, 2)
    assert large.area == pytest.approx(6 * slab.area) and len(large.numbers) == 24
    np.testing.assert_allclose(distances(large, 5.0), np.repeat(distances(slab, 5.0), 6), rtol=1e-12)
    np.testing.assert_array_equal(large.cell[2], slab.cell[2])


def test_moved_and_strained_are_copies():
    slab = flat_slab(cubic_crystal("W", "bcc", A0), (1, 1, 0), layers=4, vacuum=5.0)
    before = slab.positions.copy()
    shift = np.random.default_rng(0).normal(size=(4, 3))
    np.testing.assert_allclose(slab.moved(shift).positions, before + shift)
    F = np.eye(3) + 0.1 * np.random.default_rng(1).normal(size=(3, 3))
    strained = slab.strained(F)
    np.testing.assert_allclose(
        strained.positions[3] - strained.positions[1], F @ (before[3] - before[1]), rtol=1e-12
    )
    np.testing.assert_allclose(strained.cell[1], F @ slab.cell[1], rtol=1e-12)
    np.testing.assert_array_equal(slab.positions, before)


@pytest.mark.parametrize(
    "structure, plane, layers, vacuum, words",
    [
        ("diamond", (1, 1, 1), 4, 5.0, "several terminations"),
        ("bcc", (0, 0, 0), 4, 5.0, "no normal"),
        ("bcc", (1, 1, 0), 1, 5.0, "at least 2 layers"),
        ("bcc", (1, 1, 0), 4, 0.0, "vacuum > 0"),
    ],
)
def test_what_cannot_be_built_is_refused(structure, plane, layers, vacuum, words):
    with pytest.raises(ValueError, match=words):
        flat_slab(cubic_crystal("Si", structure, 5.4), plane, layers=layers, vacuum=vacuum)
