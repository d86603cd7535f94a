"""Figures 2 and 3: the colours are those of the numbers, and interfaces enclose the sites that they should."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from qmfront.figures.marking import draw_estimator, draw_fronts, draw_speed

SPACING = 2.238  # Å, bcc W along [001]


def test_estimator_and_speed(study):
    known = study.regions[-2] <= 1
    coordinates, eta = study.domain.coordinates[known], study.eta_site[-1][known]
    axes = Figure().subplots(1, 2)
    sites = draw_estimator(axes[0], coordinates, eta, spacing=SPACING, decades=2.0)
    grid, speed = study.refinement.grid, study.refinement.speed
    mesh = draw_speed(axes[1], grid, speed)
    np.testing.assert_allclose(sites.get_array(), np.maximum(eta, eta.max() / 100))
    axes[0].figure.draw_without_rendering()
    assert len(np.unique(sites.get_facecolors(), axis=0)) > 20  # the colours are really shown
    assert sites.norm.vmin == pytest.approx(eta.max() / 100)
    # pcolormesh wants (y, x): the speed must not be transposed
    np.testing.assert_array_equal(mesh.get_array().reshape(grid.shape[::-1]), speed.T)
    assert mesh.norm.vmax == speed.max()


def test_fronts(study):
    axes, coordinates = Figure().subplots(), study.domain.coordinates
    draw_fronts(axes, study.refinement, coordinates, t_buf=3.0, spacing=SPACING)
    old, new, by_time, whole = (c.get_paths()[0] for c in axes.collections if hasattr(c, "levels"))
    for path, inside in ((old, study.regions[-2] == 0), (new, study.regions[-1] == 0)):
        assert np.mean(path.contains_points(coordinates) == inside) > 0.998
    # the buffer is what (4.4) reaches, and a shell around the QM region
    buffer = study.regions[-1] <= 1
    assert np.mean(whole.contains_points(coordinates) == buffer) > 0.998
    assert np.mean(buffer[by_time.contains_points(coordinates)]) > 0.99
