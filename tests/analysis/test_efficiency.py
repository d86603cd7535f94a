import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.convergence import curves
from qmfront.analysis.efficiency import count_at_error, efficiency_table, mean_ratio


def test_power_laws_are_inverted_exactly():
    n = np.array([60, 130, 300, 900.0])
    level = 5.0 * np.array([70.0, 200.0, 850.0]) ** -1.3
    np.testing.assert_allclose(count_at_error(n, 5.0 * n**-1.3, level), [70, 200, 850], rtol=1e-12)


def test_only_what_was_attained_counts():
    n, error = np.array([50, 100, 200]), np.array([1.0, 0.5, 0.1])
    found = count_at_error(n, error, np.array([1.1, 1.0, 0.1, 0.09]))
    assert np.isnan(found[[0, 3]]).all()
    np.testing.assert_allclose(found[1:3], [50, 200])


def test_a_relapse_does_not_count():
    n, error = np.array([50, 100, 150, 200]), np.array([1.0, 0.3, 0.6, 0.1])
    assert count_at_error(n, error, np.array([0.6]))[0] < 100
    # beyond the relapse the power law starts from the best iteration
    expected = np.exp(np.interp(np.log(0.3 / 0.2), [0, np.log(3)], np.log([100, 200])))
    assert count_at_error(n, error, np.array([0.2]))[0] == pytest.approx(expected)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(
        count_at_error(n[order], error[order], np.array([0.2])), count_at_error(n, error, np.array([0.2]))
    )


def study(factor: float = 1.7) -> pd.DataFrame:
    """The second case needs `factor` as many atoms for every error."""
    n = np.array([40, 80, 150, 400, 800])
    tables = [
        pd.DataFrame({"k": range(5), "n_qm": n, "error": 3.0 * n**-1.1}),
        pd.DataFrame({"k": range(5), "n_qm": 1.1 * n, "error": 3.0 * (1.1 * n / factor) ** -1.1}),
    ]
    return curves(tables, ["front", "disc"], quantities=["error"])


def test_ratio_at_equal_error():
    table = efficiency_table(study(1.7), reference="front")
    disc = table[table["label"] == "disc"]
    assert table.loc[table["label"] == "front", "ratio"].isna().all()
    assert disc["ratio"].isna().tolist() == [True, False, False, False, False]  # 44 atoms: below the window
    np.testing.assert_allclose(disc["ratio"].dropna(), 1.7, rtol=1e-12)
    assert mean_ratio(table, "disc") == pytest.approx(1.7)
    assert np.isnan(mean_ratio(table, "front"))


def test_reference_must_be_there():
    with pytest.raises(ValueError, match=r"No error of 'circle' is given, only of front, disc"):
        efficiency_table(study(), reference="circle")
