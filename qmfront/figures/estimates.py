"""Figure 16: the practical estimator of cases without a reference, the power law fitted to it, and its confidence."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qmfront.analysis.convergence import by_label
from qmfront.analysis.rate import Rate
from qmfront.figures.convergence import Series, draw_convergence
from qmfront.figures.studies import typeset
from qmfront.figures.style import SERIES_STYLES, SeriesStyle, styled


def estimates_figure(table: pd.DataFrame, *, slope: float | None = None) -> Figure:
    """eta against N_QM on doubly logarithmic axes, one curve per case.

    A thin line is the fitted power law; its shade are the slopes of the 95 % confidence interval through the centre of
    the points. The number at a point tells how many atoms a QM call has.

    Parameters
    ----------
    table : of `estimates_table`
    slope : of the reference line, None for no line
    """
    series, fits = [], []
    for (label, part), style in zip(by_label(table), SERIES_STYLES, strict=False):
        marked = SeriesStyle(style.colour, style.marker, "", filled=False)
        n, eta = part["n_qm"].to_numpy(float), part["eta"].to_numpy()
        rate = _rate(part)
        series.append(Series(rf"{typeset(label)}, $\eta$", n, eta, rate=rate, style=marked))
        fits.append((part.dropna(subset="slope"), rate, style.colour))
    with styled():
        figure = Figure(figsize=(4.4, 3.4))
        axes = figure.subplots()
        draw_convergence(axes, series, reference_slope=slope, ylabel=r"estimator $\eta$ (Å)")
        for part, rate, colour in fits:
            if rate is not None:
                _fit(axes, part["n_qm"].to_numpy(float), rate, colour)
        _sizes(axes, table)
    return figure


def _rate(part: pd.DataFrame) -> Rate | None:
    known = part.dropna(subset="slope")
    if known.empty:
        return None
    return Rate(*(float(known[name].iloc[0]) for name in ("slope", "half_width", "prefactor")))


def _fit(axes: Axes, n: np.ndarray, rate: Rate, colour: str) -> None:
    """The fitted line over its points, and the fan of slopes through their centre."""
    line = np.geomspace(n.min(), n.max(), 50)
    value, lever = rate.prefactor * line**rate.slope, np.abs(np.log(line) - np.log(n).mean())
    spread = np.exp(rate.half_width * lever)
    axes.plot(line, value, color=colour, lw=0.9, zorder=1)
    axes.fill_between(line, value / spread, value * spread, color=colour, alpha=0.15, lw=0, zorder=0)


def _sizes(axes: Axes, table: pd.DataFrame) -> None:
    """Atoms of a QM call beside the points."""
    for _, row in table.iterrows():
        axes.annotate(
            f"{row['n_atoms']:g}",
            (row["n_qm"], row["eta"]),
            xytext=(4, 4),
            textcoords="offset points",
            fontsize="x-small",
            color="#5a5a5a",
        )
