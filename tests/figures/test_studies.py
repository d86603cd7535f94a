import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.convergence import curves, effectivities
from qmfront.analysis.efficiency import efficiency_table
from qmfront.figures.studies import (
    convergence_figure,
    effectivity_figure,
    efficiency_figure,
    errors_figure,
    typeset,
)

N = np.array([44, 90, 170, 350, 800])


def table(prefactor: float = 1.0) -> pd.DataFrame:
    error = prefactor * N**-1.0
    estimators = {"eta_exact": 0.95 * error, "eta": 0.98 * error, "eta force_constants/exact": 0.95 * error}
    return pd.DataFrame({"k": range(len(N)), "n_qm": N, "error": error, **estimators})


def texts(axes) -> list[str]:
    return [t.get_text() for t in axes.get_legend().get_texts()]


@pytest.mark.parametrize("count", [1, 3, 5])
def test_one_panel_per_case(count):
    labels = [f"T_new = {t}" for t in range(2, 2 + count)]
    data = curves([table(2.0 + i) for i in range(count)], labels)
    figure = convergence_figure(data, slope=-1.0)
    assert [a.get_title() for a in figure.axes] == [typeset(label) for label in labels]
    assert all(len(a.get_legend().get_texts()) == 3 for a in figure.axes)
    figure.draw_without_rendering()


def test_the_floor_of_the_buffer_has_no_slope():
    data = curves(
        [table().assign(eta_buffer=1e-3)], ["a"], quantities=["error", "eta_exact", "eta", "eta_buffer"]
    )
    labels = texts(convergence_figure(data).axes[0])
    assert len(labels) == 4 and "slope" not in labels[-1] and "buffer" in labels[-1]


def test_slopes_are_fitted_within_the_window():
    data = curves([table()], ["a"], quantities=["error"])
    data.loc[data["n_qm"] < 70, "value"] *= 5  # outside
    (text,) = texts(errors_figure(data).axes[0])
    assert text == r"a: slope $-1.00 \pm 0.00$"
    (text,) = texts(errors_figure(data, window=(100, 400)).axes[0])
    assert text == "a"  # two iterations have no slope


def test_ratio_in_the_legend():
    data = curves([table(), table(1.5)], ["front", "disc"], quantities=["error"])
    front, disc = texts(efficiency_figure(efficiency_table(data, reference="front")).axes[0])
    assert front == "front"
    assert disc.startswith(r"disc: $1.50 \times N")


def test_reference_line_is_whole():
    data = curves([table(), table(300.0)], ["low", "high"], quantities=["error"])
    data.loc[data["label"] == "low", "value"] *= N**-1.5
    axes = errors_figure(data, slope=-0.5).axes[0]
    low, high = axes.get_ylim()
    x, y = axes.lines[-1].get_data()
    assert len(axes.lines) == 3 and np.diff(np.log(y)) / np.diff(np.log(x)) == pytest.approx(-0.5)
    for line in axes.lines:
        assert low < line.get_ydata().min() and line.get_ydata().max() < high


def test_without_a_slope_there_is_no_reference_line():
    data = curves([table()], ["a"])
    assert len(errors_figure(data[data["quantity"] == "error"]).axes[0].lines) == 1
    assert len(convergence_figure(data).axes[0].lines) == 3
    assert len(convergence_figure(data, slope=-1.5).axes[0].lines) == 4
    assert len(efficiency_figure(efficiency_table(data, reference="a")).axes[0].lines) == 1


def test_effectivity():
    figure = effectivity_figure(effectivities(table()), band=(0.8, 1.25))
    (line,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == len(N)]
    np.testing.assert_allclose(line.get_ydata(), 0.95)
    assert "force constants, exact" in texts(figure.axes[0])


def test_titles():
    assert typeset("adaptive, T_new = 4.5") == r"adaptive, $T_{\mathrm{new}} = 4.5$"
    assert typeset("circle 3 r0 off the core") == "circle 3 $r_0$ off the core"
    assert typeset("<110> in 3^3 cells") == r"$\langle 110 \rangle$ in $3^3$ cells"
