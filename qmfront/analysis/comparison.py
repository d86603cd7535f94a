"""Our figures in numbers beside those of the paper."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from qmfront.analysis.convergence import ERROR, EXACT, PRACTICAL, by_label
from qmfront.analysis.efficiency import mean_ratio
from qmfront.analysis.rate import WINDOW, Window, fit_slope_within

ABSENT = "not reported"


@dataclass(frozen=True)
class Paper:
    """What the paper reports for a figure, in its own words: the yardstick, never the data of a figure.

    slope : of the error over N_QM
    factor : exact over practical estimator
    best : the case with the smallest error
    """

    slope: str = ABSENT
    factor: str = ABSENT
    best: str | None = None


PAPER = {
    "figure_4": Paper(slope="-1", best="T_new = 4"),
    "figure_6": Paper(slope="-0.5", factor="1.32"),
    "figure_9": Paper(slope="-1", factor="1.51"),
    "figure_13": Paper(slope="-1.5", factor="1.87"),
    "figure_16": Paper(slope="-0.8"),
    "matching": Paper(slope="-1 with its observations (4.5)"),
}
"""By the name of our figure of the same quantity."""
COLUMNS = ["figure", "quantity", "case", "ours", "low", "high", "paper"]
SLOPES = {ERROR: "error", EXACT: "exact estimator", PRACTICAL: "practical estimator"}


@dataclass(frozen=True)
class FigureTable:
    """What a figure shows, in numbers.

    kind : str
        "convergence" and "errors" have a table of `curves`, "efficiency" one of `efficiency_table`, "effectivity" one
        of `effectivities`; other kinds give no rows.
    data : the table in its CSV file
    window : smallest and largest N_QM over which slopes and ratios are taken
    """

    kind: str
    data: pd.DataFrame
    window: Window = WINDOW


class Row(NamedTuple):
    """A number of a figure: all columns of the table but the first."""

    quantity: str
    case: str
    ours: float | None
    low: float | None
    high: float | None
    paper: str


def comparison_table(figures: Mapping[str, FigureTable]) -> pd.DataFrame:
    """Columns figure, quantity, case, ours, low, high, paper.

    low and high are the 95 % confidence interval of a slope, and the extremes over the iterations of a ratio;
    both are over N_QM in the window of the figure. `ours` is empty where fewer than three iterations lie in it.

    Parameters
    ----------
    figures : name of a figure -> what it shows; the paper's numbers are those of its figure of the same name
    """
    rows = [
        (name, *row) for name, figure in figures.items() for row in _rows(figure, PAPER.get(name, Paper()))
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def errors_at_common_count(data: pd.DataFrame, *, window: Window = WINDOW) -> tuple[float, pd.Series]:
    """The largest N_QM within the window that all cases attain, and the error (Å) of every case there.

    Power laws are put between the iterations.

    Parameters
    ----------
    data : tidy table of `curves`
    """
    errors = data[data["quantity"] == ERROR]
    count = min(errors.groupby("label")["n_qm"].max().min(), window[1])
    found = {
        label: np.exp(np.interp(np.log(count), np.log(part["n_qm"]), np.log(part["value"])))
        for label, part in by_label(errors)
    }
    return float(count), pd.Series(found)


def _rows(figure: FigureTable, paper: Paper) -> list[Row]:
    if figure.kind == "convergence":
        return [*_slopes(figure, paper), *_best(figure, paper), *_factors(figure, paper)]
    if figure.kind == "errors":
        return _slopes(figure, paper)
    if figure.kind == "effectivity":
        return _effectivities(figure)
    return _efficiencies(figure) if figure.kind == "efficiency" else []


def _slopes(figure: FigureTable, paper: Paper) -> list[Row]:
    rows: list[Row] = []
    known = figure.data[figure.data["quantity"].isin(SLOPES)]
    for (quantity, label), part in known.groupby(["quantity", "label"], sort=False):
        rate = fit_slope_within(part["n_qm"], part["value"], window=figure.window)
        text = f"slope of the {SLOPES[str(quantity)]} over N_QM"
        if rate is None:
            rows.append(Row(text, str(label), None, None, None, paper.slope))
        else:
            low, high = rate.slope - rate.half_width, rate.slope + rate.half_width
            rows.append(Row(text, str(label), rate.slope, low, high, paper.slope))
    return rows


def _best(figure: FigureTable, paper: Paper) -> list[Row]:
    if figure.data["label"].nunique() < 2:
        return []
    count, errors = errors_at_common_count(figure.data, window=figure.window)
    quantity = f"error in Å at N_QM = {count:.0f}"
    smallest = f"smallest; {paper.best} in the paper" if paper.best else "smallest"
    return [
        Row(quantity, str(label), error, None, None, smallest if label == errors.idxmin() else "")
        for label, error in errors.items()
    ]


def _factors(figure: FigureTable, paper: Paper) -> list[Row]:
    rows: list[Row] = []
    inside = figure.data[figure.data["n_qm"].between(*figure.window)]
    wide = inside.pivot_table(index=["label", "k"], columns="quantity", values="value", sort=False)
    for quantity, top, bottom, told in (
        ("exact over practical estimator", EXACT, PRACTICAL, paper.factor),
        ("practical estimator over error", PRACTICAL, ERROR, ABSENT),
        ("exact estimator over error", EXACT, ERROR, ABSENT),
    ):
        if not {top, bottom} <= set(wide):
            continue  # no iteration of any case is inside the window
        for label, ratio in (wide[top] / wide[bottom]).groupby(level="label", sort=False):
            rows.append(Row(quantity, str(label), *_spread(ratio), told))
    return rows


def _effectivities(figure: FigureTable) -> list[Row]:
    inside = figure.data[figure.data["n_qm"].between(*figure.window)]
    return [
        Row("estimator over error", f"{norm}, {residual}", *_spread(part["effectivity"]), ABSENT)
        for (norm, residual), part in inside.groupby(["norm", "residual"], sort=False)
    ]


def _efficiencies(figure: FigureTable) -> list[Row]:
    reference = figure.data["label"].iloc[0]
    rows: list[Row] = []
    for label, part in by_label(figure.data):
        ratio = part["ratio"].dropna()
        if label != reference and len(ratio):
            spread = (mean_ratio(figure.data, label), float(ratio.min()), float(ratio.max()))
            rows.append(Row(f"N_QM at equal error over that of {reference}", label, *spread, ABSENT))
    return rows


def _spread(ratio: pd.Series) -> tuple[float, float, float]:
    """Geometric mean and extremes."""
    return float(np.exp(np.log(ratio).mean())), float(ratio.min()), float(ratio.max())
