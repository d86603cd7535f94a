"""The estimator split by cause against N_QM, whole, drawn from the table in its CSV file."""

import pandas as pd
from matplotlib.figure import Figure

from qmfront.analysis.convergence import by_label
from qmfront.figures.convergence import Series, draw_convergence
from qmfront.figures.style import BLACK, BLUE, GREEN, GREY, PURPLE, VERMILLION, SeriesStyle, styled

BARS = {
    "eta": (r"$\eta$", SeriesStyle(BLACK, "o")),
    "eta_mismatch": ("MM model", SeriesStyle(BLUE, "^")),
    "eta_buffer": ("buffer", SeriesStyle(VERMILLION, "s", "--")),
    "eta_algebra": ("algebra", SeriesStyle(GREEN, "D", "--", filled=False)),
    "eta_clamp": ("clamp", SeriesStyle(PURPLE, "v", ":", filled=False)),
    "error": ("error", SeriesStyle(GREY, "x", ":")),
}
"""Columns, what they are called, and their looks."""
ROUNDING = 1e-9
"""Å; what an exact buffer leaves is less, and would take the scale from all others."""


def bars_table(table: pd.DataFrame, clamp: float | None = None) -> pd.DataFrame:
    """Columns cause, k, n_qm, value (Å): eta, its parts, the clamp and the error as far as they are known.

    Parameters
    ----------
    table : convergence table of a case
    clamp : float, Å, optional
        Error of the clamp, the same for all iterations.
    """
    if clamp is not None:
        table = table.assign(eta_clamp=clamp)
    known = [name for name in BARS if name in table and table[name].notna().any()]
    data = table.melt(id_vars=["k", "n_qm"], value_vars=known, var_name="cause", value_name="value")
    return data[["cause", "k", "n_qm", "value"]].dropna().reset_index(drop=True)


def bars_figure(data: pd.DataFrame) -> Figure:
    """One curve for each cause; what is zero but for rounding is left out.

    Parameters
    ----------
    data : of `bars_table`
    """
    series = []
    for cause, part in by_label(data[data["value"] > ROUNDING], "cause"):
        text, style = BARS[cause]
        series.append(Series(text, part["n_qm"].to_numpy(), part["value"].to_numpy(), style=style))
    with styled():
        figure = Figure(figsize=(4.4, 3.3))
        draw_convergence(figure.subplots(), series, reference_slope=None, ylabel="parts of the error bar (Å)")
    return figure
