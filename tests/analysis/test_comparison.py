import numpy as np
import pandas as pd
import pytest

from qmfront.analysis.comparison import ABSENT, COLUMNS, FigureTable, comparison_table, errors_at_common_count
from qmfront.analysis.convergence import curves, effectivities
from qmfront.analysis.efficiency import efficiency_table

N = np.array([50, 80, 160, 300, 700])


def convergence(prefactor: float = 1.0, slope: float = -1.0, n: np.ndarray = N) -> pd.DataFrame:
    error = prefactor * n**slope
    return pd.DataFrame(
        {
            "k": range(len(n)),
            "n_qm": n,
            "error": error,
            "eta_exact": 0.95 * error,
            "eta": 0.95 * error / np.linspace(1.0, 1.4, len(n)),
            "eta laplacian/paper": 3 * error,
        }
    )


def rows(table: pd.DataFrame, quantity: str) -> pd.DataFrame:
    return table[table["quantity"].str.startswith(quantity)].set_index("case")


def test_slopes_factors_and_the_best_case():
    data = curves([convergence(2.0, -0.8), convergence(1.0, -1.1, N[:4])], ["T_new = 2", "T_new = 4"])
    table = comparison_table({"figure_4": FigureTable("convergence", data)})
    assert list(table.columns) == COLUMNS
    assert set(table["figure"]) == {"figure_4"}
    slopes = rows(table, "slope of the error")
    assert slopes["ours"].tolist() == pytest.approx([-0.8, -1.1])
    assert (slopes["high"] - slopes["low"]).max() < 1e-9
    assert slopes["paper"].str.startswith("-1").all()
    assert rows(table, "slope of the exact estimator")["ours"].tolist() == pytest.approx([-0.8, -1.1])
    assert rows(table, "slope of the practical estimator").loc["T_new = 2", "ours"] < -0.8
    factor = rows(table, "exact over practical").loc["T_new = 2"]
    assert (factor["low"], factor["high"]) == pytest.approx((1.1, 1.4))  # 50 atoms lie outside the window
    assert factor["low"] < factor["ours"] < factor["high"]
    assert rows(table, "exact estimator over error")["ours"].tolist() == pytest.approx([0.95, 0.95])
    best = rows(table, "error in Å at N_QM = 300")
    assert best["ours"].tolist() == pytest.approx([2.0 * 300**-0.8, 300**-1.1])
    assert best.loc["T_new = 4", "paper"] == "smallest; T_new = 4 in the paper"
    assert best.loc["T_new = 2", "paper"] == ""


def test_common_count_lies_between_iterations():
    data = curves([convergence(2.0), convergence(1.0, n=np.array([55, 420]))], ["a", "b"])
    count, errors = errors_at_common_count(data)
    assert count == 420
    np.testing.assert_allclose(errors[["a", "b"]], [2.0 / 420, 1 / 420])


def test_other_figures():
    data = curves([convergence(), convergence(2.0)], ["front", "disc"], quantities=["error"])
    figures = {
        "matching": FigureTable("errors", data),
        "effectivity": FigureTable("effectivity", effectivities(convergence())),
        "efficiency": FigureTable("efficiency", efficiency_table(data, reference="front")),
        "stages": FigureTable("stages", pd.DataFrame({"k": [0]})),
    }
    table = comparison_table(figures)
    assert rows(table, "slope").index.tolist() == ["front", "disc"]
    assert rows(table, "estimator over error").loc["laplacian, paper", "ours"] == pytest.approx(3.0)
    ratio = rows(table, "N_QM at equal error over that of front")
    assert ratio.loc["disc", ["ours", "low", "high"]].tolist() == pytest.approx([2.0, 2.0, 2.0])
    assert "front" not in ratio.index


def test_too_few_iterations_leave_the_slope_empty():
    data = curves([convergence(n=N[:3])], ["small"])
    table = comparison_table({"figure_4": FigureTable("convergence", data)})
    assert rows(table, "slope")["ours"].isna().all()
    assert rows(table, "error in").empty
    assert comparison_table({}).empty


@pytest.mark.parametrize(
    ("name", "slope", "factor"),
    [
        ("figure_4", "-1", ABSENT),
        ("figure_6", "-0.5", "1.32"),
        ("figure_9", "-1", "1.51"),
        ("figure_13", "-1.5", "1.87"),
        ("figure_16", "-0.8", ABSENT),
        ("my_figure", ABSENT, ABSENT),
    ],
)
def test_the_paper_is_asked_about_the_figure_of_the_same_name(name, slope, factor):
    table = comparison_table({name: FigureTable("convergence", curves([convergence()], ["crack"]))})
    assert set(rows(table, "slope")["paper"]) == {slope}
    assert rows(table, "exact over practical")["paper"].tolist() == [factor]


def test_every_figure_has_its_own_window():
    kink = convergence()
    kink.loc[kink["n_qm"] < 100, "error"] *= 3.0
    data = curves([kink], ["a"], quantities=["error"])
    windows = {"wide": (40, 1000), "late": (100, 1000), "short": (100, 310)}
    table = comparison_table({name: FigureTable("errors", data, window) for name, window in windows.items()})
    ours = table.set_index("figure")["ours"]
    assert ours["late"] == pytest.approx(-1.0)
    assert ours["wide"] < -1.2
    assert np.isnan(ours["short"])

    both = curves([convergence(2.0), convergence(1.0)], ["a", "b"])
    assert errors_at_common_count(both, window=(70, 200))[0] == 200
    assert rows(
        comparison_table({"f": FigureTable("convergence", both, (70, 200))}), "error in Å at N_QM = 200"
    )["ours"].tolist() == pytest.approx([0.01, 0.005])


def test_a_study_below_the_window_has_no_factors():
    data = curves([convergence(n=np.array([20, 40]))], ["small"])
    table = comparison_table({"f": FigureTable("convergence", data)})
    assert table["quantity"].str.startswith("slope").all()
    assert table["ours"].isna().all()
