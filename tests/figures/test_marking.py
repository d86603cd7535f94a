import matplotlib.pyplot as plt
import numpy as np
import pytest

from qmfront.figures.marking import (
    NEW_BUFFER,
    OLD_QM,
    Field,
    draw_estimator,
    draw_fronts,
    draw_speed,
    fit_window,
)
from qmfront.figures.style import styled

SPACING = 2.238  # Å, bcc W along [001]


@pytest.fixture(autouse=True)
def _style():
    with styled():
        yield
    plt.close("all")


def fields(study, *, buffer: bool) -> dict[str, Field]:
    result = study.refinement
    values = {"speed": result.speed, "level_set": result.level_set, "arrival": result.arrival}
    if buffer:
        values["buffer"] = study.new_buffer
    return {name: (*result.grid.axes(), field) for name, field in values.items()}


def test_estimator_and_speed(study):
    known = study.regions[-2] <= 1
    coordinates, eta = study.domain.coordinates[known], study.eta_site[-1][known]
    _, axes = plt.subplots(1, 2, figsize=(7, 3.2))
    sites = draw_estimator(axes[0], coordinates, eta, spacing=SPACING, decades=2.0)
    x, y = study.refinement.grid.axes()
    mesh = draw_speed(axes[1], x, y, study.refinement.speed)
    for panel in axes:
        fit_window(panel, coordinates, margin=3.0)
    np.testing.assert_allclose(sites.get_array(), np.maximum(eta, eta.max() / 100))
    axes[0].figure.draw_without_rendering()
    assert len(np.unique(sites.get_facecolors(), axis=0)) > 20  # the colours are really shown
    assert sites.norm.vmin == pytest.approx(eta.max() / 100)
    # pcolormesh wants (y, x): the speed must not be transposed
    np.testing.assert_array_equal(mesh.get_array().reshape(len(y), len(x)), study.refinement.speed.T)
    assert mesh.norm.vmax == study.refinement.speed.max()
    assert axes[0].get_xlim() == axes[1].get_xlim()
    assert len(axes[0].figure.axes) == 4  # two colour bars


@pytest.mark.parametrize("buffer", [False, True])
def test_fronts(study, buffer):
    _, axes = plt.subplots(figsize=(3.6, 3.9))
    result = study.refinement
    legend = draw_fronts(
        axes,
        fields(study, buffer=buffer),
        levels={"qm": result.threshold, "buffer": result.threshold + 3.0},
        coordinates=study.domain.coordinates,
        spacing=SPACING,
    )
    contours = {c.get_label(): c for c in axes.collections if hasattr(c, "levels")}
    names = ["current QM interface", "new QM interface", "new buffer interface"]
    assert set(names) <= set(contours)
    assert len(contours) == len(legend.get_texts()) == (4 if buffer else 3)
    colours = [contours[n].get_edgecolor()[0] for n in names]
    np.testing.assert_allclose(colours[0], plt.matplotlib.colors.to_rgba(OLD_QM))
    np.testing.assert_allclose(colours[2], plt.matplotlib.colors.to_rgba(NEW_BUFFER))
    assert contours[names[0]].get_linestyle()[0][1] is None  # solid
    assert contours[names[1]].get_linestyle()[0][1] is not None  # dashed

    # the old interface encloses the old QM sites, the new one all new ones
    for name, region in ((names[0], study.regions[-2]), (names[1], study.regions[-1])):
        (path,) = contours[name].get_paths()
        inside = path.contains_points(study.domain.coordinates)
        assert np.mean(inside == (region == 0)) > 0.998, name
