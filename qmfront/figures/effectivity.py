"""Effectivity of the estimators: eta / error against N_QM."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

from qmfront.figures.convergence import Series, counts
from qmfront.figures.style import GREEN, SERIES_STYLES

_MARKS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)


def draw_effectivity(axes: Axes, series: Sequence[Series], *, band: tuple[float, float]) -> list[Line2D]:
    """Ratio eta / error of several estimators (the `value` of every series), and the band that is asked for, shaded.

    Returns
    -------
    One line per series.
    """
    axes.axhspan(*band, color=GREEN, alpha=0.18, lw=0, label=f"[{band[0]:g}, {band[1]:g}]", zorder=0)
    axes.axhline(1.0, color="black", lw=0.6, zorder=1)
    lines = []
    for i, curve in enumerate(series):
        style = curve.style or SERIES_STYLES[i % len(SERIES_STYLES)]
        lines.append(style.draw(axes, curve.n_qm, curve.value, label=curve.label))
    values = np.concatenate([s.value for s in series])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(min(0.8 * values.min(), 0.85 * band[0]), max(1.25 * values.max(), 1.18 * band[1]))
    axes.yaxis.set_major_locator(FixedLocator(_MARKS))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    counts(axes, np.concatenate([s.n_qm for s in series]))
    axes.set_xlabel(r"$N_{\mathrm{QM}}$")
    axes.set_ylabel(r"effectivity $\eta\,/\,\Vert\bar{u}-\bar{u}^{\mathrm{H}}\Vert$")
    axes.grid(True, which="major")
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return lines
