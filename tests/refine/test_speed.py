"""Interpolated speed (4.3)."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from qmfront.refine.grid import Grid, covering
from qmfront.refine.speed import nodal_speed


def scattered(dimension: int = 2, n: int = 200, seed: int = 3) -> np.ndarray:
    """Random points at least 0.2 Å apart, so that none merge."""
    points = np.random.default_rng(seed).uniform(-6, 6, (3 * n, dimension))
    close = cKDTree(points).query_pairs(0.2, output_type="ndarray")
    return np.delete(points, close[:, 0], axis=0)[:n]


@pytest.mark.parametrize("dimension", [2, 3])
def test_linear_estimator_is_reproduced_inside_the_hull(dimension):
    points = scattered(dimension)
    slope = np.array([0.3, -0.2, 0.1])[:dimension]
    eta = 5 + points @ slope
    grid = Grid(np.full(dimension, -2.0), 0.5, (9,) * dimension)
    speed = nodal_speed(grid, points, eta)
    expected = (5 + grid.nodes() @ slope).reshape(grid.shape) / eta.mean()
    np.testing.assert_allclose(speed, expected, rtol=1e-10)


def test_normalisation_mean_and_max():
    points = scattered()
    eta = np.exp(-np.linalg.norm(points, axis=1))
    grid = covering(points, spacing=0.4, margin=1.0)
    mean, peak = (nodal_speed(grid, points, eta, normalisation=n) for n in ("mean", "max"))
    np.testing.assert_allclose(mean / peak, eta.max() / eta.mean(), rtol=1e-12)
    assert peak.max() <= 1 + 1e-12 < mean.max()


@pytest.mark.parametrize("scale", [2.0**-40, 1e7])
def test_scale_of_the_estimator_is_irrelevant(scale):
    points = scattered()
    eta = np.random.default_rng(1).uniform(0, 1, len(points)) ** 3
    grid = covering(points, spacing=0.5, margin=2.0)
    np.testing.assert_allclose(
        nodal_speed(grid, points, scale * eta), nodal_speed(grid, points, eta), rtol=1e-12
    )


def test_atoms_per_column_are_irrelevant():
    points = scattered()
    eta = np.random.default_rng(1).uniform(0, 1, len(points))
    grid = covering(points, spacing=0.5, margin=2.0)
    share = np.random.default_rng(2).uniform(0, 1, len(points))
    eta_doubled = np.concatenate([share * eta, (1 - share) * eta])
    doubled = nodal_speed(grid, np.vstack([points, points + 1e-8]), eta_doubled)
    np.testing.assert_allclose(doubled, nodal_speed(grid, points, eta), rtol=1e-5)


def test_outside_the_hull_and_floor():
    points = scattered()
    eta = np.full(len(points), 0.7)
    eta[np.linalg.norm(points, axis=1) < 3] = 0.0
    grid = covering(points, spacing=0.5, margin=5.0)
    nearest = nodal_speed(grid, points, eta, outside="nearest", floor=1e-3)
    zero = nodal_speed(grid, points, eta, outside="zero", floor=1e-3)
    beyond = (np.abs(grid.nodes()) > 7).any(axis=1).reshape(grid.shape)
    np.testing.assert_allclose(zero[beyond], 1e-3)
    np.testing.assert_allclose(nearest[beyond], 0.7 / eta.mean())
    centre = np.linalg.norm(grid.nodes(), axis=1).reshape(grid.shape) < 1.5
    np.testing.assert_allclose(nearest[centre], 1e-3)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda p, e: (p, np.where(np.arange(len(e)) == 5, np.nan, e)), "NaN or infinite on 1 of 200 sites"),
        (lambda p, e: (p, e - 0.5), "negative on .* sites"),
        (lambda p, e: (p, 0 * e), "zero on all sites"),
        (lambda p, e: (p, e[:-1]), "need one per site"),
        (lambda p, e: (p[:2], e[:2]), "2 distinct projected sites that do not span 2"),
        (lambda p, e: (p * [1, 0], e), "do not span 2"),
    ],
)
def test_errors(change, message):
    points = scattered()
    eta = np.random.default_rng(1).uniform(0, 1, len(points))
    grid = covering(points, spacing=0.5, margin=1.0)
    with pytest.raises(ValueError, match=message):
        nodal_speed(grid, *change(points, eta))
