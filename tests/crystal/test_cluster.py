"""Regions, shells around them and the clusters that are cut from them."""

from itertools import product

import numpy as np
import pytest

from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM, qm_cluster
from qmfront.crystal.cluster import cluster_around, surrounded, vacuum_cell


def brute_force_shell(inner, positions, cell, pbc, width: float) -> np.ndarray:
    """Distances to all images within 4 cells."""
    steps = product(*(range(-4, 5) if p else (0,) for p in pbc))
    shifts = np.array(list(steps), float) @ cell
    apart = positions[:, None, None] - (positions[inner][:, None] + shifts)[None]
    return (np.linalg.norm(apart, axis=-1) <= width).any(axis=(1, 2))


@pytest.mark.parametrize("pbc", [(0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 1, 1), (1, 0, 0)])
@pytest.mark.parametrize("width", [0.7, 2.0, 4.5])
def test_surrounded_equals_brute_force(pbc, width):
    """Sheared cells, atoms several cells outside, a width larger than a period."""
    rng = np.random.default_rng(sum(pbc))
    cell = np.array([[7.0, 0.5, 0.0], [1.5, 6.0, -0.8], [0.3, 1.0, 3.1]])
    positions = rng.uniform(-4, 12, (60, 3))
    inner = np.zeros(60, bool)
    inner[[3, 17]] = True
    pbc = np.array(pbc, bool)
    found = surrounded(inner, positions, cell, pbc, width=width)
    expected = brute_force_shell(inner, positions, cell, pbc, width)
    assert found.sum() >= 2 and np.array_equal(found, expected)
    assert width < 4 or expected.sum() > 4


def test_surrounded_sees_through_the_period_of_the_line(mixed):
    """Three layers per period: the third is a neighbour of the first through the period alone."""
    inner = np.zeros(mixed.n_sites, bool)
    inner[np.flatnonzero(mixed.free)[::40]] = True
    y = mixed.body.reference
    shell = surrounded(inner, y, mixed.cell, mixed.pbc, width=1.1 * mixed.r0)
    assert np.array_equal(shell, brute_force_shell(inner, y, mixed.cell, mixed.pbc, 1.1 * mixed.r0))
    without_period = surrounded(inner, y, mixed.cell, np.zeros(3, bool), width=1.1 * mixed.r0)
    assert shell.sum() > without_period.sum() > inner.sum()


def test_shell_of_nothing_is_nothing():
    positions = np.random.default_rng(0).normal(size=(5, 3))
    nothing = surrounded(np.zeros(5, bool), positions, np.eye(3), np.ones(3, bool), width=10.0)
    assert nothing.dtype == bool and not nothing.any()


def test_shell_contains_its_edge():
    """A lattice distance equal to the width counts, whatever the rounding."""
    positions = np.array([[0.0, 0, 0], [0.1 + 0.2, 0, 0], [1.0, 0, 0]])
    inner = np.array([True, False, False])
    assert surrounded(inner, positions, np.eye(3), np.zeros(3, bool), width=0.3).tolist() == [
        True,
        True,
        False,
    ]


def test_qm_cluster_knows_whose_forces_are_wanted():
    region = np.array([MM, QM, BUFFER, FAR_FIELD, QM, BUFFER, MM])
    cluster = qm_cluster(region)
    assert cluster.sites.tolist() == [1, 2, 4, 5]
    assert cluster.sites[cluster.wanted].tolist() == [1, 4]
    around = cluster_around(region == QM, region <= BUFFER)
    assert np.array_equal(around.sites, cluster.sites) and np.array_equal(around.wanted, cluster.wanted)


@pytest.mark.parametrize("others", [[BUFFER, MM], [MM, FAR_FIELD]])
def test_empty_qm_region_is_refused(others):
    with pytest.raises(ValueError, match="QM region is empty"):
        qm_cluster(np.array(others))


@pytest.mark.parametrize("pbc", [(0, 0, 0), (0, 0, 1), (1, 1, 1)])
def test_vacuum_cell_keeps_images_apart(pbc):
    rng = np.random.default_rng(3)
    positions, cell, pbc = rng.uniform(0, 20, (30, 3)), np.diag([50.0, 60.0, 3.2]), np.array(pbc, bool)
    box = vacuum_cell(positions, cell, pbc)
    assert np.array_equal(box[pbc], cell[pbc]) and np.array_equal(cell, np.diag([50.0, 60.0, 3.2]))
    assert np.all(np.diag(box)[~pbc] - np.ptp(positions, axis=0)[~pbc] >= 15.0)
    assert np.linalg.det(box) > 0


def test_cluster_atoms_carry_the_deformed_positions(edge):
    region = np.full(edge.n_sites, MM)
    region[100:104], region[104:120] = QM, BUFFER
    cluster = qm_cluster(region)
    u = np.random.default_rng(1).normal(size=edge.sites.shape)
    atoms = edge.body.cluster(cluster, u)
    assert np.array_equal(atoms.positions, (edge.sites + edge.predictor + u)[100:120])
    assert np.array_equal(atoms.pbc, edge.pbc) and atoms.cell.array[2] == pytest.approx(edge.cell[2])
