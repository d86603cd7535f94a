"""Figures that compare cases draw the numbers of their tables."""

import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.convergence import curves, effectivities
from qmfront.analysis.efficiency import efficiency_table
from qmfront.figures.studies import convergence_figure, effectivity_figure, efficiency_figure, errors_figure

N = np.array([44, 90, 170, 350, 800])


def table(prefactor: float = 1.0) -> pd.DataFrame:
    error = prefactor * N**-1.0
    estimators = {"eta_exact": 0.95 * error, "eta": 0.98 * error, "eta force_constants/exact": 0.95 * error}
    return pd.DataFrame({"k": range(len(N)), "n_qm": N, "error": error, **estimators})


def drawn(axes) -> list[list[float]]:
    return [line.get_ydata().tolist() for line in axes.lines]


@pytest.mark.parametrize("count", [1, 5])
def test_one_panel_per_case(count):
    tables = [table(2.0 + i) for i in range(count)]
    figure = convergence_figure(curves(tables, [str(i) for i in range(count)]))
    for axes, known in zip(figure.axes, tables, strict=True):
        assert drawn(axes) == [known[name].tolist() for name in ("error", "eta_exact", "eta")]


def test_the_floor_of_the_buffer():
    quantities = ["error", "eta_exact", "eta", "eta_buffer"]
    data = curves([table().assign(eta_buffer=1e-3)], ["a"], quantities=quantities)
    assert drawn(convergence_figure(data).axes[0])[3] == [1e-3] * len(N)


def test_errors_beside_each_other():
    data = curves([table(), table(1.5)], ["front", "disc"], quantities=["error"])
    wanted = [table()["error"].tolist(), table(1.5)["error"].tolist()]
    assert drawn(errors_figure(data).axes[0]) == wanted
    assert drawn(efficiency_figure(efficiency_table(data, reference="front")).axes[0]) == wanted


def test_the_reference_line_is_whole():
    data = curves([table(), table(300.0)], ["low", "high"], quantities=["error"])
    data.loc[data["label"] == "low", "value"] *= N**-1.5
    axes = errors_figure(data, slope=-0.5).axes[0]
    low, high = axes.get_ylim()
    x, y = axes.lines[-1].get_data()
    assert len(axes.lines) == 3 and np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx(-0.5)
    assert low < min(map(min, drawn(axes))) and max(map(max, drawn(axes))) < high


def test_effectivity():
    figure = effectivity_figure(effectivities(table()), band=(0.8, 1.25))
    (line,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == len(N)]
    np.testing.assert_allclose(line.get_ydata(), 0.95)
