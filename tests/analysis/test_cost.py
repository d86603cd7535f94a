"""Cost against N_QM: exponents per QM call, and the refinement on the row that it belongs to."""

import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.cost import cost_table, exponent, shares
from qmfront.figures.cost import cost_figure


@pytest.fixture
def table() -> pd.DataFrame:
    n = np.array([40, 80, 160, 320])
    calls = np.array([20, 8, 6, 5])
    nothing = np.full(4, np.nan)
    return pd.DataFrame(
        {
            "k": range(4),
            "n_qm": n,
            "qm_calls": calls,
            "cpu_solve": calls * 1e-6 * n**3.0,
            "cpu_exact": np.full(4, 50.0),
            "cpu_cauchy_born": 2e-6 * n**3.0,
            "cpu_paper": nothing,
            "cpu_estimate": np.full(4, 0.1),
            "cpu_refine": [np.nan, 0.2, 0.3, 0.4],
        }
    )


def test_exponents_are_per_call(table):
    found = cost_table(table)
    assert exponent(found, "solve").slope == pytest.approx(3.0)
    assert exponent(found, "exact").slope == pytest.approx(0.0, abs=1e-12)
    assert "paper" not in set(found["part"]) and exponent(found, "paper") is None


def test_refinement_counts_where_it_starts(table):
    refine = cost_table(table).query("part == 'refine'")
    assert list(refine["n_qm"]) == [40, 80, 160] and list(refine["seconds"]) == [0.2, 0.3, 0.4]


def test_shares_of_the_solve(table):
    ratio = shares(cost_table(table)).set_index("part")["ratio"]
    solve = 5 * 1e-6 * 320.0**3
    assert ratio["exact"] == pytest.approx(50.0 / solve) and ratio["solve"] == 1.0
    assert ratio["refine"] == pytest.approx(0.4 / (6 * 1e-6 * 160.0**3))


def test_figure_tells_the_exponents(table):
    axes = cost_figure(cost_table(table)).axes[0]
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert len(labels) == 5 and any("solve" in text and "3.0" in text for text in labels)
    assert axes.get_xscale() == axes.get_yscale() == "log"
