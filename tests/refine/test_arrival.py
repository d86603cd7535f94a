"""Eikonal solver (4.2) against exact solutions, and its errors."""

import numpy as np
import pytest

from qmfront.refine.arrival import arrival_time, earliest_at_boundary, level_set
from qmfront.refine.grid import covering

RADIUS = 3.0
CENTRE = {2: np.array([0.31, -0.17]), 3: np.array([0.31, -0.17, 0.23])}


def distance(spacing: float, dimension: int = 2, extent: float = 8.0):
    grid = covering(np.array([[-extent] * dimension, [extent] * dimension]), spacing=spacing, margin=0.0)
    return grid, np.linalg.norm(grid.nodes() - CENTRE[dimension], axis=1).reshape(grid.shape)


def order(spacings: tuple[float, ...], errors: list[float]) -> float:
    """Observed order of convergence, fitted, since the first layer of nodes makes single steps uneven."""
    return np.polyfit(np.log(spacings), np.log(errors), 1)[0]


@pytest.mark.parametrize("dimension, spacings", [(2, (0.8, 0.4, 0.2, 0.1)), (3, (0.8, 0.4, 0.2))])
def test_staircase_interface_converges_at_first_order(dimension, spacings):
    """The interface of the algorithm, phi = -1 or +1: T = (r - R) / G up to the mesh width."""
    speed, errors = 1.7, []
    for h in spacings:
        grid, r = distance(h, dimension, extent=6.0)
        time = arrival_time(np.where(r <= RADIUS, -1.0, 1.0), np.full(grid.shape, speed), spacing=h)
        errors.append(np.abs(time - np.maximum(r - RADIUS, 0) / speed)[r > RADIUS + 1].mean())
        assert errors[-1] < 0.35 * h / speed
    assert order(spacings, errors) > 0.7


def test_smooth_interface_converges_faster():
    speed, spacings, errors, stairs = 1.7, (0.8, 0.4, 0.2, 0.1, 0.05), [], []
    for h in spacings:
        grid, r = distance(h)
        outer, exact = r > RADIUS + 1, np.maximum(r - RADIUS, 0) / speed
        for phi, store in ((r - RADIUS, errors), (np.where(r <= RADIUS, -1.0, 1.0), stairs)):
            time = arrival_time(phi, np.full(grid.shape, speed), spacing=h, order=2)
            store.append(np.abs(time - exact)[outer].mean())
    # order 2 in the march, order 1 in scikit-fmm's first layer of nodes
    assert 1.0 < order(spacings, errors) < 2.2
    assert np.all(np.array(errors) < np.array(stairs) / 2.5)


def test_variable_speed():
    """G = r / tau gives T = tau ln(r / R); the front accelerates outwards."""
    tau, spacings, errors = 2.3, (0.8, 0.4, 0.2, 0.1, 0.05), []
    for h in spacings:
        _, r = distance(h)
        time = arrival_time(r - RADIUS, np.maximum(r, 0.5) / tau, spacing=h, order=2)
        exact = tau * np.log(np.maximum(r, RADIUS) / RADIUS)
        errors.append(np.abs(time - exact)[r > RADIUS + 1].mean())
    assert order(spacings, errors) > 1.0
    assert errors[-1] < 2e-3 * tau


def test_anisotropic_speed_breaks_the_circle():
    grid, r = distance(0.2)
    x, y = (grid.nodes() - CENTRE[2]).T.reshape(2, *grid.shape)
    time = arrival_time(r - RADIUS, np.where(np.abs(x) > np.abs(y), 2.0, 1.0), spacing=0.2)
    along, across = grid.at(time, np.array([[6.0, 0.0], [0.0, 6.0]]) + CENTRE[2])
    assert along == pytest.approx(1.5, abs=0.05)
    assert across > 1.25 * along


def test_zero_inside_positive_outside_and_scales_inversely_with_speed():
    grid, r = distance(0.3)
    phi, speed = np.where(r <= RADIUS, -1.0, 1.0), 1 + 0.3 * np.cos(grid.nodes()[:, 0]).reshape(grid.shape)
    time = arrival_time(phi, speed, spacing=0.3)
    assert np.all(time[phi < 0] == 0) and np.all(time[phi > 0] > 0)
    np.testing.assert_allclose(arrival_time(phi, 4 * speed, spacing=np.float64(0.3)), time / 4, rtol=1e-12)


def test_narrow_band_in_3d_equals_the_full_march():
    _, r = distance(0.5, 3, extent=7.0)
    phi, speed = np.where(r <= RADIUS, -1.0, 1.0), 0.5 + 0.1 * r
    full = arrival_time(phi, speed, spacing=0.5)
    band = arrival_time(phi, speed, spacing=0.5, limit=1.5)
    assert np.isinf(band).any()
    # inside the band the front has not yet seen what was left out
    inside = full < 1.5
    np.testing.assert_allclose(band[inside], full[inside], rtol=1e-12)
    assert np.isinf(earliest_at_boundary(band)) and np.isfinite(earliest_at_boundary(full))


def test_level_set_follows_the_nearest_site():
    sites = np.array([[0.0, 0.0], [2.0, 0.0], [4.0, 0.0], [2.0, 0.0]])
    grid = covering(sites, spacing=0.25, margin=1.0)
    phi = level_set(grid, sites, np.array([True, False, False, True]))
    x = grid.nodes()[:, 0].reshape(grid.shape)
    assert np.all(phi[x < 2.9] == -1)  # the second column is QM: one of its two sites is
    assert np.all(phi[x > 3.1] == 1)


def test_errors():
    grid, r = distance(0.5)
    phi, speed = np.where(r <= RADIUS, -1.0, 1.0), np.ones(grid.shape)
    broken = speed.copy()
    broken[3, 4] = np.nan
    with pytest.raises(ValueError, match="NaN or infinite values on the mesh: 0 in the level set, 1"):
        arrival_time(phi, broken, spacing=0.5)
    with pytest.raises(ValueError, match="speed is not positive"):
        arrival_time(phi, speed - 1, spacing=0.5)
    with pytest.raises(ValueError, match="No zero contour: none of the .* QM region is empty"):
        arrival_time(np.abs(phi), speed, spacing=0.5)
    with pytest.raises(ValueError, match="No zero contour: all .* mesh is too small"):
        arrival_time(-np.abs(phi), speed, spacing=0.5)
    with pytest.raises(ValueError, match="different meshes"):
        arrival_time(phi, speed[1:], spacing=0.5)
