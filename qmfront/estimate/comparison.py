"""Our figures in numbers beside those of the paper."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from qmfront.estimate.curves import ERROR, EXACT, PRACTICAL
from qmfront.estimate.efficiency import mean_ratio
from qmfront.estimate.rate import WINDOW, fit_slope_within

# What the paper says about the same quantity, in words: the yardstick, never the data of a figure.
PAPER = {
    "slope": "-1 (Figure 4)",
    "factor": "1.32 (crack in W), 1.51 (edge dislocation in Si), 1.87 (di-interstitial in Si)",
    "best": "T_new = 4 (Figure 4)",
    "matching": "-1 with its observations (4.5)",
    "absent": "not reported",
}
COLUMNS = ["quantity", "case", "ours", "low", "high", "paper"]


def comparison_table(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Columns quantity, case, ours, low, high, paper.

    low and high are the 95 % confidence interval of a slope, and the extremes over the iterations of a ratio;
    both are over N_QM in WINDOW. `ours` is empty where fewer than three iterations lie in it.

    Parameters
    ----------
    tables : name of a figure -> the table in its CSV file: "figure_4" and "matching" of `curves`, "effectivity" of
        `effectivities`, "efficiency" of `efficiency_table`; those that are missing give no rows
    """
    rows = []
    if "figure_4" in tables:
        rows += _slopes(tables["figure_4"], "slope of the error over N_QM", PAPER["slope"])
        rows += _best(tables["figure_4"])
        rows += _factors(tables["figure_4"])
    if "matching" in tables:
        rows += _slopes(tables["matching"], "slope of the error over N_QM, by matching", PAPER["matching"])
    if "effectivity" in tables:
        rows += _effectivities(tables["effectivity"])
    if "efficiency" in tables:
        rows += _efficiencies(tables["efficiency"])
    return pd.DataFrame(rows, columns=COLUMNS)


def errors_at_common_count(data: pd.DataFrame) -> tuple[float, pd.Series]:
    """The largest N_QM within WINDOW that all cases attain, and the error (Å) of every case there.

    Power laws are put between the iterations.

    Parameters
    ----------
    data : tidy table of `curves`
    """
    errors = data[data["quantity"] == ERROR]
    count = min(errors.groupby("label")["n_qm"].max().min(), WINDOW[1])
    found = {
        label: np.exp(np.interp(np.log(count), np.log(part["n_qm"]), np.log(part["value"])))
        for label, part in errors.groupby("label", sort=False)
    }
    return float(count), pd.Series(found)


def _slopes(data: pd.DataFrame, quantity: str, paper: str) -> list[tuple]:
    rows = []
    for label, part in data[data["quantity"] == ERROR].groupby("label", sort=False):
        rate = fit_slope_within(part["n_qm"], part["value"])
        values = (
            (rate.slope, rate.slope - rate.half_width, rate.slope + rate.half_width) if rate else (None,) * 3
        )
        rows.append((quantity, label, *values, paper))
    return rows


def _best(data: pd.DataFrame) -> list[tuple]:
    if data["label"].nunique() < 2:
        return []
    count, errors = errors_at_common_count(data)
    quantity = f"error in Å at N_QM = {count:.0f}"
    paper = {errors.idxmin(): f"smallest; {PAPER['best']} in the paper"}
    return [(quantity, label, error, None, None, paper.get(label, "")) for label, error in errors.items()]


def _factors(data: pd.DataFrame) -> list[tuple]:
    rows = []
    wide = data[data["n_qm"].between(*WINDOW)].pivot_table(
        index=["label", "k"], columns="quantity", values="value", sort=False
    )
    for quantity, top, bottom, paper in (
        ("exact over practical estimator", EXACT, PRACTICAL, PAPER["factor"]),
        ("practical estimator over error", PRACTICAL, ERROR, PAPER["absent"]),
        ("exact estimator over error", EXACT, ERROR, PAPER["absent"]),
    ):
        for label, ratio in (wide[top] / wide[bottom]).groupby(level="label", sort=False):
            rows.append((quantity, label, *_spread(ratio), paper))
    return rows


def _effectivities(table: pd.DataFrame) -> list[tuple]:
    inside = table[table["n_qm"].between(*WINDOW)]
    return [
        ("estimator over error", f"{norm}, {residual}", *_spread(part["effectivity"]), PAPER["absent"])
        for (norm, residual), part in inside.groupby(["norm", "residual"], sort=False)
    ]


def _efficiencies(table: pd.DataFrame) -> list[tuple]:
    reference = table["label"].iloc[0]
    rows = []
    for label, part in table.groupby("label", sort=False):
        ratio = part["ratio"].dropna()
        if label != reference and len(ratio):
            spread = (mean_ratio(table, label), ratio.min(), ratio.max())
            rows.append((f"N_QM at equal error over that of {reference}", label, *spread, PAPER["absent"]))
    return rows


def _spread(ratio: pd.Series) -> tuple[float, float, float]:
    """Geometric mean and extremes."""
    return float(np.exp(np.log(ratio).mean())), float(ratio.min()), float(ratio.max())
