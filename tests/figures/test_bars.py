import numpy as np
import pandas as pd

from qmfront.figures.bars import bars_figure, bars_table

N = np.array([44, 90, 170])


def table(**columns) -> pd.DataFrame:
    known = {"eta": 1.0 / N, "eta_mismatch": 0.9 / N, "eta_buffer": 1e-13, "eta_algebra": 0.02 / N}
    return pd.DataFrame({"k": range(3), "n_qm": N} | known | columns)


def drawn(data: pd.DataFrame) -> np.ndarray:
    return np.array([line.get_ydata() for line in bars_figure(data).axes[0].lines])


def test_one_curve_for_each_cause_that_there_is():
    """No reference, hence no error; an exact buffer is rounding and is in the table, not on the logarithmic axis."""
    data = bars_table(table(error=np.nan))
    assert set(data["cause"]) == {"eta", "eta_mismatch", "eta_buffer", "eta_algebra"}
    np.testing.assert_allclose(drawn(data), np.outer([1.0, 0.9, 0.02], 1.0 / N))


def test_the_clamp_is_one_height():
    curves = drawn(bars_table(table(error=1.1 / N), 0.05))
    np.testing.assert_allclose(curves[3:], [np.full(3, 0.05), 1.1 / N])
