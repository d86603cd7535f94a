"""Processor time of the parts of an iteration against N_QM, figures 10 and 14."""

import pandas as pd
from matplotlib.figure import Figure

from qmfront.analysis.convergence import by_label
from qmfront.analysis.cost import NAMES, exponent
from qmfront.figures.convergence import counts
from qmfront.figures.style import SERIES_STYLES, styled


def cost_figure(table: pd.DataFrame) -> Figure:
    """Doubly logarithmic, with the fitted exponents in the legend.

    Parameters
    ----------
    table : of `cost_table`
    """
    with styled():
        figure = Figure(figsize=(6.2, 3.4))
        axes = figure.subplots()
        for (part, own), style in zip(by_label(table, "part"), SERIES_STYLES, strict=False):
            rate = exponent(table, part)
            per = " (per call)" if part == "solve" else ""
            told = (
                rf": $N_{{\mathrm{{QM}}}}^{{{rate.slope:z.1f} \pm {rate.half_width:.1f}}}${per}"
                if rate
                else ""
            )
            style.draw(axes, own["n_qm"], own["seconds"], label=NAMES[part] + told)
        axes.set_xscale("log")
        axes.set_yscale("log")
        counts(axes, table["n_qm"].to_numpy())
        axes.set_xlabel(r"$N_{\mathrm{QM}}$")
        axes.set_ylabel("processor time (s)")
        axes.grid(True, which="major")
        axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    return figure
