"""The figure of divide and conquer draws the summaries that it is given."""

import numpy as np
import pandas as pd

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


def test_what_is_known_is_drawn() -> None:
    """A dense call was made for two of three domains, hence two errors."""
    data = table([1.7e-2, 1.2e-2, np.nan])
    cost, error = scaling_figure(data).axes
    wanted = [data["cpu_seconds"], data["longest_job"], data["dense_cpu_seconds"][:2]]
    for line, values in zip(cost.lines, wanted, strict=True):
        np.testing.assert_array_equal(line.get_ydata(), values)
    for line, name in zip(error.lines, ("largest_error", "rms_error"), strict=True):
        np.testing.assert_array_equal(line.get_ydata(), data[name][:2])


def test_no_error_without_a_dense_call() -> None:
    cost, error = scaling_figure(table([np.nan] * 3)).axes
    assert len(cost.lines) == 2 and not error.lines
