import matplotlib.pyplot as plt
import numpy as np
import pytest

from qmfront.analysis.rate import Rate, fit_slope
from qmfront.figures.certificate import draw_force_constants, draw_moduli, draw_phonons
from qmfront.figures.convergence import Series, draw_convergence, draw_convergence_panels, slope_text
from qmfront.figures.effectivity import draw_effectivity
from qmfront.figures.style import BLACK, SeriesStyle, styled

N_QM = np.array([44, 74, 120, 166, 270, 468, 810])


@pytest.fixture(autouse=True)
def _style():
    with styled():
        yield
    plt.close("all")


def series(label: str = "error", slope: float = -1.08, seed: int = 0, **options) -> Series:
    value = 1.6 * N_QM**slope * np.exp(0.06 * np.random.default_rng(seed).standard_normal(len(N_QM)))
    return Series(label, N_QM, value, rate=fit_slope(N_QM, value), **options)


def test_convergence():
    curves = [series(), series("estimator", seed=1, style=SeriesStyle(BLACK, "x"))]
    _, axes = plt.subplots()
    *lines, reference = draw_convergence(axes, curves, reference_slope=-1)
    assert axes.get_xscale() == axes.get_yscale() == "log"
    for line, curve in zip(lines, curves, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), curve.value)
    assert lines[1].get_color() == BLACK
    texts = [t.get_text() for t in axes.get_legend().get_texts()]
    assert texts == [f"error: {slope_text(curves[0].rate)}", f"estimator: {slope_text(curves[1].rate)}"]
    x, y = reference.get_data()
    assert np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx(-1.0)
    below = np.interp(np.log(N_QM), np.log(x), np.log(y))
    assert np.all(below < np.log([c.value for c in curves]))

    # nothing is hidden: the legend lies above all points, the reference line inside the axes
    axes.figure.draw_without_rendering()
    legend = axes.get_legend().get_window_extent()
    points = axes.transData.transform([p for line in lines for p in zip(*line.get_data(), strict=True)])
    assert not any(legend.contains(*p) for p in points)
    assert axes.get_ylim()[0] < y.min()


def test_slope_is_written_with_its_interval():
    assert slope_text(Rate(-1.0843, 0.0461, 2.0)) == r"slope $-1.08 \pm 0.05$"
    assert Series("error", N_QM, 1.0 / N_QM).legend_label() == "error"


def test_axis_of_counts_shows_plain_numbers():
    _, axes = plt.subplots()
    draw_convergence(axes, [series()], reference_slope=None)
    axes.figure.draw_without_rendering()
    labels = [t.get_text() for t in axes.get_xticklabels()]
    assert labels == ["50", "100", "200", "500"]
    assert len(axes.lines) == 1


def test_panels_share_axes():
    _, axes = plt.subplots(1, 3, figsize=(7, 2.6), sharex=True, sharey=True)
    panels = {
        rf"$T_{{\mathrm{{new}}}} = {t}$": [series(seed=t), series("estimator", seed=t + 1)] for t in (2, 4, 8)
    }
    draw_convergence_panels(axes, panels)
    assert [a.get_title() for a in axes] == list(panels)
    assert len({a.get_ylim() for a in axes}) == 1
    axes[0].figure.draw_without_rendering()
    for panel in axes:  # no curve runs under a legend
        highest = max(panel.transData.transform((1, line.get_ydata().max()))[1] for line in panel.lines)
        assert panel.get_legend().get_window_extent().y0 > highest
    assert [bool(a.get_ylabel()) for a in axes] == [True, False, False]
    with pytest.raises(ValueError, match="shorter|longer"):
        draw_convergence_panels(axes[:2], panels)


def test_effectivity():
    curves = [
        Series("force constants, exact", N_QM, np.linspace(0.93, 0.99, 7)),
        Series("paper", N_QM, np.geomspace(2, 11, 7)),
        Series("Laplacian, $C = 0.1$", N_QM, np.linspace(0.67, 0.26, 7)),
    ]
    _, axes = plt.subplots(figsize=(5, 2.8))
    lines = draw_effectivity(axes, curves, band=(0.88, 1.1))
    assert len(lines) == 3
    band = axes.patches[0].get_extents().transformed(axes.transData.inverted())
    assert (band.ymin, band.ymax) == pytest.approx((0.88, 1.1))
    low, high = axes.get_ylim()
    assert low < 0.26
    assert high > 11
    assert "[0.88, 1.1]" in [t.get_text() for t in axes.get_legend().get_texts()]


def test_certificate():
    _, axes = plt.subplots(1, 3, figsize=(7, 2.5))
    distance = np.linspace(2.7, 9, 20)
    reference = np.exp(-distance)
    difference = np.where(np.arange(20) == 4, 0.0, 1e-5 * reference)
    whole, small = draw_force_constants(axes[0], distance, reference, difference)
    assert len(whole.get_xdata()) == 20
    assert len(small.get_xdata()) == 19  # an exact zero has no place on a logarithmic axis

    path = np.linspace(0, 3, 50)
    qm = 5 * np.abs(np.sin(np.outer(path, [1.0, 0.8, 1.1])))
    branches = draw_phonons(axes[1], path, qm, qm - 0.2, ticks=[0, 1.5, 3], labels=["G", "H", "P"])
    assert len(branches) == 6
    assert [t.get_text() for t in axes[1].get_xticklabels()] == ["G", "H", "P"]
    assert axes[1].get_ylim()[0] < -0.2  # an unstable branch is not cut off

    qm, ace = np.array([522.5, 204.2, 160.8]), np.array([522.501, 204.2, 160.79])
    (points,) = draw_moduli(axes[2], ["$C_{11}$", "$C_{12}$", "$C_{44}$"], qm, ace)
    np.testing.assert_allclose(points.get_xdata()[[0, 2]], np.abs(ace - qm)[[0, 2]] / qm[[0, 2]])
    assert "QM 522.50   ACE 522.50" in [t.get_text() for t in axes[2].texts]
    low, high = axes[2].get_xlim()
    assert low < points.get_xdata().min()
    assert high > points.get_xdata().max()
