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


def test_the_figure_tells_slope_confidence_and_atoms():
    data = estimates_table([table(), table(N[:2])], ["plane waves", "short"], window=[5, 100])
    (axes,) = estimates_figure(data, slope=-0.8).axes
    first, second = (text.get_text() for text in axes.get_legend().get_texts())
    assert "slope" in first and r"\pm" in first and "slope" not in second
    assert len(axes.collections) == 1, "one fan"
    fan = axes.collections[0].get_paths()[0].vertices
    middle = np.abs(np.log(fan[:, 0]) - np.log(N).mean()).argmin()
    assert np.ptp(fan[np.isclose(fan[:, 0], fan[middle, 0]), 1]) < 0.05 * fan[middle, 1], (
        "narrow at the centre"
    )
    assert [text.get_text() for text in axes.texts].count("66") == 6
    assert sum("-0.8" in text.get_text() for text in axes.texts) == 1
    axes.figure.draw_without_rendering()
