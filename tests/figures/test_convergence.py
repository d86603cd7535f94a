"""Curves against N_QM: what is drawn is what was given."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from qmfront.figures.convergence import Series, draw_convergence, draw_convergence_panels
from qmfront.figures.effectivity import draw_effectivity

N_QM = np.array([44, 74, 120, 166, 270, 468, 810])


def series(label: str = "error", slope: float = -1.08, seed: int = 0) -> Series:
    value = 1.6 * N_QM**slope * np.exp(0.06 * np.random.default_rng(seed).standard_normal(len(N_QM)))
    return Series(label, N_QM, value)


def test_curves_and_a_reference_line_below_them():
    curves = [series(), series("estimator", seed=1)]
    axes = Figure().subplots()
    *lines, reference = draw_convergence(axes, curves, reference_slope=-1)
    assert axes.get_xscale() == axes.get_yscale() == "log"
    for line, curve in zip(lines, curves, strict=True):
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([N_QM, curve.value]))
    x, y = reference.get_data()
    assert np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx(-1.0)
    below = np.interp(np.log(N_QM), np.log(x), np.log(y))
    assert np.all(below < np.log([c.value for c in curves]))
    assert axes.get_ylim()[0] < y.min()
    assert len(draw_convergence(axes, curves, reference_slope=None)) == 2


def test_panels_have_one_scale_that_holds_all_curves():
    axes = Figure().subplots(1, 3, sharex=True, sharey=True)
    panels = {str(t): [series(seed=t), series("estimator", slope=-0.8, seed=t + 1)] for t in (2, 4, 8)}
    draw_convergence_panels(axes, panels)
    (limits,) = {panel.get_ylim() for panel in axes}
    for panel, curves in zip(axes, panels.values(), strict=True):
        drawn = [line.get_ydata() for line in panel.lines[:2]]
        np.testing.assert_array_equal(drawn, [curve.value for curve in curves])
        assert limits[0] < np.min(drawn) and np.max(drawn) < limits[1]


def test_effectivities_and_their_band():
    values = np.array([np.linspace(0.93, 0.99, 7), np.geomspace(2, 11, 7), np.linspace(0.67, 0.26, 7)])
    axes = Figure().subplots()
    lines = draw_effectivity(axes, [Series("", N_QM, value) for value in values], band=(0.88, 1.1))
    np.testing.assert_array_equal([line.get_ydata() for line in lines], values)
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.ymin, band.ymax) == pytest.approx((0.88, 1.1))
    low, high = axes.get_ylim()
    assert low < 0.26 and high > 11
