"""Figures that compare iterations and cases, whole, drawn from the tables in their CSV files."""

import re
from math import ceil, isfinite

import pandas as pd
from matplotlib.figure import Figure

from qmfront.analysis.convergence import BUFFER, ERROR, EXACT, PRACTICAL, by_label
from qmfront.analysis.efficiency import mean_ratio
from qmfront.analysis.rate import WINDOW, Window, fit_slope_within
from qmfront.figures.convergence import Series, draw_convergence, draw_convergence_panels
from qmfront.figures.effectivity import draw_effectivity
from qmfront.figures.style import (
    BLUE,
    GREEN,
    GREY,
    PAGE,
    PURPLE,
    SERIES_STYLES,
    VERMILLION,
    SeriesStyle,
    styled,
)

QUANTITIES = {ERROR: "error", EXACT: r"$\eta^{\mathrm{exact}}$", PRACTICAL: r"$\eta$"}
FLOOR = "buffer alone"
NORMS = {
    "hessian": ("Hessian", GREEN, "-"),
    "force_constants": ("force constants", BLUE, "-"),
    "laplacian": ("Laplacian", VERMILLION, "--"),
    "laplacian_stabilised": (r"Laplacian, $C_{\mathrm{stab}} = 0.1$", PURPLE, ":"),
}
RESIDUALS = {
    "exact": ("exact", "o", True),
    "cauchy_born": ("Cauchy-Born", "^", True),
    "paper": ("paper", "s", False),
}

TYPESET = {
    r"T_new = ([\d.]+)": r"$T_{\\mathrm{new}} = \1$",
    r"\br0\b": "$r_0$",
    r"\b(\d+)\^(\d)\b": r"$\1^\2$",
    r"<(\d+)>": r"$\\langle \1 \\rangle$",
}
"""What a title may hold, and how it is set."""


def convergence_figure(data: pd.DataFrame, *, slope: float | None = None, window: Window = WINDOW) -> Figure:
    """Figure 4 and its kin: one panel per case with error, exact and practical estimator.

    Parameters
    ----------
    data : tidy table of `curves`
    slope : of the reference line, None for no line
    window : smallest and largest N_QM of the fitted slopes
    """
    panels = {
        typeset(label): [_series(part, name, text, window=window) for name, text in QUANTITIES.items()]
        + _floor(part)
        for label, part in by_label(data)
    }
    columns = min(len(panels), 3)
    rows = ceil(len(panels) / columns)
    with styled():
        figure = Figure(figsize=(PAGE * max(columns, 2) / 3, 0.3 + 2.7 * rows))
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel in axes[len(panels) :]:
            panel.remove()
        draw_convergence_panels(axes[: len(panels)].tolist(), panels, reference_slope=slope)
    return figure


def errors_figure(data: pd.DataFrame, *, slope: float | None = None, window: Window = WINDOW) -> Figure:
    """Errors of several cases in one panel, with their rates.

    Parameters
    ----------
    data : tidy table of `curves`
    slope : of the reference line, None for no line
    window : smallest and largest N_QM of the fitted slopes
    """
    series = [
        _series(part, ERROR, typeset(label), window=window, style=style)
        for (label, part), style in zip(by_label(data), _styles(data), strict=True)
    ]
    return _one_panel(series, slope)


def efficiency_figure(table: pd.DataFrame, *, slope: float | None = None) -> Figure:
    """Errors of several choices of the QM region, with the ratio of N_QM at equal error in the legend.

    Parameters
    ----------
    table : of `efficiency_table`
    slope : of the reference line, None for no line
    """
    series = []
    for (label, part), style in zip(by_label(table), _styles(table), strict=True):
        ratio = mean_ratio(table, label)
        text = typeset(label) + (
            rf": ${ratio:.2f} \times N_{{\mathrm{{QM}}}}$ at equal error" if isfinite(ratio) else ""
        )
        series.append(Series(text, part["n_qm"].to_numpy(), part["error"].to_numpy(), style=style))
    return _one_panel(series, slope)


def effectivity_figure(table: pd.DataFrame, *, band: tuple[float, float]) -> Figure:
    """eta / error of all estimators of one case: colour tells the norm, marker the residual.

    Parameters
    ----------
    table : of `effectivities`
    band : smallest and largest ratio that is asked for
    """
    series = []
    for (norm, residual), part in table.groupby(["norm", "residual"], sort=False):
        (norm_text, colour, line), (residual_text, marker, filled) = (
            NORMS[str(norm)],
            RESIDUALS[str(residual)],
        )
        style = SeriesStyle(colour, marker, line, filled)
        values = part["n_qm"].to_numpy(), part["effectivity"].to_numpy()
        series.append(Series(f"{norm_text}, {residual_text}", *values, style=style))
    with styled():
        figure = Figure(figsize=(6.2, 3.2))
        draw_effectivity(figure.subplots(), series, band=band)
    return figure


def typeset(title: str) -> str:
    """A title with T_new = 4, r0, 3^3 and <110> set as mathematics."""
    for plain, mathematics in TYPESET.items():
        title = re.sub(plain, mathematics, title)
    return title


def _series(
    part: pd.DataFrame, quantity: str, text: str, *, window: Window, style: SeriesStyle | None = None
) -> Series:
    chosen = part[part["quantity"] == quantity]
    n, value = chosen["n_qm"].to_numpy(), chosen["value"].to_numpy()
    return Series(text, n, value, rate=fit_slope_within(n, value, window=window), style=style)


def _floor(part: pd.DataFrame) -> list[Series]:
    """What the buffer leaves, where the table holds it."""
    chosen = part[part["quantity"] == BUFFER]
    style = SeriesStyle(GREY, ".", ":")
    return (
        [Series(FLOOR, chosen["n_qm"].to_numpy(), chosen["value"].to_numpy(), style=style)]
        if len(chosen)
        else []
    )


def _styles(table: pd.DataFrame) -> list[SeriesStyle]:
    """Filled markers and full lines: every curve is an error."""
    known = (SERIES_STYLES[i % len(SERIES_STYLES)] for i in range(table["label"].nunique()))
    return [SeriesStyle(style.colour, style.marker) for style in known]


def _one_panel(series: list[Series], slope: float | None) -> Figure:
    with styled():
        figure = Figure(figsize=(4.4, 3.3))
        draw_convergence(figure.subplots(), series, reference_slope=slope, ylabel="error (Å)")
    return figure
