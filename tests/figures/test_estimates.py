"""Figure 16: the fit and its confidence are those of the table, and a case with two points has none."""

import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.convergence import estimates_table
from qmfront.analysis.rate import fit_slope
from qmfront.figures.estimates import estimates_figure

N = np.array([7, 12, 20, 33])
NOISE = np.array([1.0, 1.1, 0.95, 1.02])


def table(n: np.ndarray = N) -> pd.DataFrame:
    eta = 3.0 * n**-0.8 * NOISE[: len(n)]
    columns = {"k": range(len(n)), "n_qm": n, "n_buf": 66 - n, "eta": eta, "algebraic": 0.1 * eta}
    return pd.DataFrame(columns | {"qm_calls": 9, "cpu_solve": 400.0, "error": np.nan})


def test_the_table_holds_fit_and_size_of_a_call():
    data = estimates_table([table()], ["plane waves"], window=[5, 100])
    rate = fit_slope(N, table()["eta"].to_numpy())
    assert data["n_atoms"].tolist() == [66] * 4
    assert data["slope"].to_numpy() == pytest.approx(rate.slope) and rate.slope == pytest.approx(
        -0.8, abs=0.1
    )
    assert data["half_width"].to_numpy() == pytest.approx(rate.half_width) and rate.half_width > 0.05


def test_what_lies_outside_the_window_has_no_fit():
    data = estimates_table([table()], ["a"], window=[10, 100])
    assert data["slope"].isna().tolist() == [True, False, False, False]
    with pytest.raises(ValueError, match="different titles"):
        estimates_table([table(), table()], ["a", "a"])


def test_the_fan_are_the_slopes_of_the_interval_through_the_centre():
    data = estimates_table([table(), table(N[:2])], ["plane waves", "short"], window=[5, 100])
    (axes,) = estimates_figure(data).axes
    np.testing.assert_allclose(axes.lines[0].get_ydata(), table()["eta"])
    np.testing.assert_allclose(axes.lines[1].get_ydata(), table(N[:2])["eta"])
    (fan,) = axes.collections  # two points have no fit
    rate = fit_slope(N, table()["eta"])
    x, y = fan.get_paths()[0].vertices.T
    lever = np.abs(np.log(x) - np.log(N).mean())
    away = np.abs(np.log(y / (rate.prefactor * x**rate.slope)))
    np.testing.assert_allclose(away, rate.half_width * lever, atol=1e-12)
