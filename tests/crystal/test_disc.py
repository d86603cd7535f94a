"""Discs of sites around straight lines: completeness, frames, periods and the position of the core."""

import numpy as np
import pytest

from qmfront.crystal.disc import default_origin, disc, plane_spacing, projected_lattice, straight_line_cell
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.neighbours import pairs_within

A0 = 3.1649
LINES = [  # structure, line, plane normal, period / a
    ("bcc", (0, 1, 0), (0, 0, 1), 1.0),
    ("bcc", (1, 1, 1), (1, -1, 0), np.sqrt(3) / 2),
    ("bcc", (1, 1, -2), (1, -1, 0), np.sqrt(6)),
    ("fcc", (1, 1, -2), (1, 1, 1), np.sqrt(6) / 2),
    ("fcc", (1, -1, 0), (1, 1, 1), np.sqrt(2) / 2),
    ("diamond", (1, 1, 0), (1, -1, 1), np.sqrt(2) / 2),
    ("diamond", (0, 0, 1), (1, 1, 0), 1.0),
]


@pytest.mark.parametrize("structure, line, normal, period", LINES)
def test_frame_period_and_projected_area(structure, line, normal, period):
    crystal = cubic_crystal("W", structure, A0)
    cell = straight_line_cell(crystal, line, normal)
    assert np.allclose(cell.frame @ cell.frame.T, np.eye(3)) and np.linalg.det(cell.frame) > 0
    assert np.allclose(cell.frame[2], np.array(line) / np.linalg.norm(line))
    assert np.allclose(cell.frame[1], np.array(normal) / np.linalg.norm(normal))
    assert cell.period == pytest.approx(period * A0, rel=1e-12)
    area = abs(np.linalg.det(projected_lattice(cell)[:, :2]))
    assert area * cell.period == pytest.approx(crystal.volume, rel=1e-10)


@pytest.mark.parametrize("structure, line, normal, period", LINES)
def test_disc_is_the_perfect_crystal(structure, line, normal, period):
    """Every interior site has all its neighbours, every site is a site, none occurs twice."""
    cell = straight_line_cell(cubic_crystal("W", structure, A0), line, normal)
    r0 = cell.crystal.nearest_neighbour_distance
    sites = disc(cell, 4 * r0, clamp_width=2 * r0)
    pairs = pairs_within(sites.positions, sites.cell, sites.pbc, 1.05 * r0)
    count = np.bincount(pairs.first, minlength=len(sites))
    assert np.all(count[sites.free] == {"bcc": 8, "fcc": 12, "diamond": 4}[structure])
    assert np.linalg.norm(pairs.vector, axis=1).min() == pytest.approx(r0, rel=1e-9)
    lattice = sites.positions - cell.crystal.basis[sites.basis_index] + np.append(default_origin(cell), 0.0)
    fractional = lattice @ np.linalg.inv(cell.crystal.cell)
    assert np.abs(fractional - np.rint(fractional)).max() < 1e-9
    assert sites.positions[:, 2].min() >= 0 and sites.positions[:, 2].max() < cell.period
    distance = np.linalg.norm(sites.positions[:, :2], axis=1)
    assert np.array_equal(sites.free, distance < 4 * r0) and distance.max() < 6 * r0


@pytest.mark.parametrize("structure, line, normal, period", LINES)
def test_cut_keeps_its_distance_from_sites(structure, line, normal, period):
    cell = straight_line_cell(cubic_crystal("W", structure, A0), line, normal)
    r0 = cell.crystal.nearest_neighbour_distance
    sites = disc(cell, 5 * r0, clamp_width=r0)
    heights = np.unique(np.round(sites.positions[:, 1], 6))
    above, below = heights[heights > 0].min(), -heights[heights < 0].max()
    assert above == pytest.approx(below, abs=2e-6)  # the cut is midway between two planes
    assert above + below == pytest.approx(np.diff(heights).max(), abs=3e-6)  # in the widest gap
    assert above + below <= plane_spacing(cell) + 3e-6


def test_tungsten_disc_of_50_r0():
    cell = straight_line_cell(cubic_crystal("W", "bcc", A0), (0, 1, 0), (0, 0, 1))
    assert np.allclose(default_origin(cell), A0 / 4)  # midway between planes and between rows
    r0 = cell.crystal.nearest_neighbour_distance
    sites = disc(cell, 50 * r0, clamp_width=4 * r0)
    assert sites.free.sum() == 11782  # facts/algorithm.md; pi (50 r0)^2 / (a^2 / 2) = 11781
    # The point in the middle of four rows is a two-fold axis of the projected crystal.
    turned = -sites.positions[:, :2]
    apart = np.linalg.norm(turned[:40, None] - sites.positions[None, :, :2], axis=2).min(axis=1)
    assert apart.max() < 1e-9


def test_origin_is_configurable():
    cell = straight_line_cell(cubic_crystal("W", "bcc", A0), (0, 1, 0), (0, 0, 1))
    sites = disc(cell, 20.0, clamp_width=3.0, origin=np.array([0.0, A0 / 4]))
    mirrored = sites.positions[:, :2] * [-1, 1]
    apart = np.linalg.norm(mirrored[:40, None] - sites.positions[None, :, :2], axis=2).min(axis=1)
    assert apart.max() < 1e-9


def test_bad_input_says_what_to_do():
    crystal = cubic_crystal("W", "bcc", A0)
    with pytest.raises(ValueError, match="perpendicular to the line"):
        straight_line_cell(crystal, (0, 1, 0), (0, 1, 1))
    with pytest.raises(ValueError, match="integer Miller indices"):
        straight_line_cell(crystal, (1, np.sqrt(2), 0), (0, 0, 1))
    with pytest.raises(ValueError, match="must not vanish"):
        straight_line_cell(crystal, (0, 0, 0), (0, 0, 1))
    cell = straight_line_cell(crystal, (0, 1, 0), (0, 0, 1))
    with pytest.raises(ValueError, match="sites lie on the cut"):
        disc(cell, 20.0, clamp_width=3.0, origin=np.zeros(2))
    with pytest.raises(ValueError, match="must be positive"):
        disc(cell, -1.0, clamp_width=3.0)
