"""The figure of divide and conquer says what its forces can claim, and how their cost grows."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from qmfront.figures.convergence import counts
from qmfront.figures.scaling import scaling_figure

ATOMS = np.array([1002, 1730, 8002])


def table(errors: list[float]) -> pd.DataFrame:
    """Cost in proportion to n^1.1; errors and a dense call where they are numbers."""
    known = np.isfinite(errors)
    return pd.DataFrame(
        {
            "n_atoms": ATOMS,
            "cpu_seconds": 0.02 * ATOMS**1.1,
            "longest_job": 5.0,
            "dense_cpu_seconds": np.where(known, 1e-8 * ATOMS**3, np.nan),
            "largest_error": errors,
            "rms_error": np.array(errors) / 6,
        }
    )


def test_level_and_exponent() -> None:
    cost, error = scaling_figure(table([1.7e-2, 1.2e-2, np.nan])).axes
    assert cost.get_title() == "tiles: $n^{1.10}$"
    assert error.get_title() == "level: 1.7e-02 eV/Å"
    assert cost.get_xlim() == pytest.approx(error.get_xlim())
    drawn = {line.get_label(): line.get_xdata() for line in cost.lines + error.lines}
    assert {name: len(sizes) for name, sizes in drawn.items()} == {
        "tiles, all jobs": 3,
        "longest job": 3,
        "one dense call": 2,
        "largest": 2,
        "root mean square": 2,
    }


def test_no_level_without_a_dense_call() -> None:
    _, error = scaling_figure(table([np.nan] * 3)).axes
    assert error.get_title() == ""
    assert [text.get_text() for text in error.texts] == ["no dense call"]


def test_a_narrow_range_of_counts_has_marks_too() -> None:
    axes = Figure().subplots()
    counts(axes, np.array([28, 31, 35]))
    assert axes.get_xticks().tolist() == [28, 31, 35]
    counts(axes, np.array([28, 111, 307]))
    assert axes.get_xticks().tolist() == [50, 100, 200]
