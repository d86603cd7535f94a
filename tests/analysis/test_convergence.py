import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.convergence import BUFFER, curves, effectivities, last_bar, shown_quantities


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(
        {"k": [0, 1], "n_qm": [50, 90], "error": [0.4, 0.2], "eta": [0.3, 0.21], "eta_exact": [0.41, 0.19]}
        | columns
    )


def test_one_row_per_number():
    data = curves([table(), table(error=[0.5, 0.3])], ["a", "b"])
    assert len(data) == 2 * 3 * 2
    assert list(data["label"].unique()) == ["a", "b"]
    found = data.query("label == 'b' and quantity == 'error' and k == 1")
    assert found[["n_qm", "value"]].to_numpy().tolist() == [[90, 0.3]]
    only = curves([table()], ["a"], quantities=["error"])
    assert set(only["quantity"]) == {"error"}


def test_missing_errors_and_repeated_titles_are_refused():
    with pytest.raises(ValueError, match="a: error is missing in 1 of 2 iterations"):
        curves([table(error=[0.5, np.nan])], ["a"])
    with pytest.raises(ValueError, match="different titles, got a, a"):
        curves([table(), table()], ["a", "a"])


def test_effectivities_of_all_estimators():
    columns = {"eta laplacian/paper": [0.8, 0.8], "eta force_constants/exact": [0.4, 0.2]}
    data = effectivities(table(**columns))
    assert data[["norm", "residual"]].drop_duplicates().to_numpy().tolist() == [
        ["laplacian", "paper"],
        ["force_constants", "exact"],
    ]
    chosen = data[data["norm"] == "laplacian"]
    np.testing.assert_allclose(chosen["effectivity"], [2.0, 4.0])
    assert set(chosen["residual"]) == {"paper"}


def test_the_floor_of_the_buffer_is_shown_where_it_matters():
    assert shown_quantities([table(eta_buffer=[1e-3, 1e-3])]) == ("error", "eta_exact", "eta")
    tables = [table(eta_buffer=[1e-3, 1e-3]), table(eta_buffer=[1e-3, 0.05])]
    assert BUFFER in shown_quantities(tables)
    data = curves(tables, ["a", "b"], quantities=shown_quantities(tables))
    assert data.query("quantity == 'eta_buffer' and label == 'b'")["value"].tolist() == [1e-3, 0.05]


def test_the_last_bar_leaves_out_what_is_not_known():
    judged = {"lowest_eigenvalue": [0.3, -0.1], "trusted": [True, False], "reasons": ["", "saddle"]}
    assert last_bar(table(**judged)) == {
        "eta": 0.21,
        "error": 0.2,
        "lowest_eigenvalue": -0.1,
        "trusted": False,
        "reasons": "saddle",
    }
    unknown = {
        "error": [None] * 2,
        "lowest_eigenvalue": [None] * 2,
        "trusted": [None] * 2,
        "reasons": [""] * 2,
    }
    assert last_bar(table(**unknown)) == {"eta": 0.21}
