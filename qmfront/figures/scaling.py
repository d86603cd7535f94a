"""Cost of QM forces by divide and conquer against the number of atoms, and their error beside it."""

import pandas as pd
from matplotlib.figure import Figure

from qmfront.coupling.divide_and_conquer import scaling_exponent
from qmfront.figures.convergence import counts
from qmfront.figures.style import SERIES_STYLES, styled

COST = {"cpu_seconds": "tiles, all jobs", "longest_job": "longest job", "dense_cpu_seconds": "one dense call"}
ERROR = {"largest_error": "largest", "rms_error": "root mean square"}


def scaling_figure(table: pd.DataFrame) -> Figure:
    """Doubly logarithmic: processor seconds with the exponent of the tiles, and the difference from the dense call,
    the largest of which is the level that such forces can claim.

    Parameters
    ----------
    table : rows of `Division.numbers`
    """
    table = table.sort_values("n_atoms")
    with styled():
        figure = Figure(figsize=(7.0, 3.0), layout="constrained")
        cost, error = figure.subplots(1, 2)
        for axes, curves in ((cost, COST), (error, ERROR)):
            for (name, label), style in zip(curves.items(), SERIES_STYLES, strict=False):
                known = table[table[name].notna()]
                if len(known):
                    style.draw(axes, known["n_atoms"], known[name], label=label)
            axes.set_xscale("log")
            axes.set_yscale("log")
            counts(axes, table["n_atoms"].to_numpy())
            axes.set_xlabel("atoms")
            axes.grid(True, which="major")
        cost.set_ylabel("processor time (s)")
        error.set_ylabel("force error (eV/Å)")
        power = scaling_exponent(table["n_atoms"].to_numpy(), table["cpu_seconds"].to_numpy())
        if power is not None:
            cost.set_title(rf"tiles: $n^{{{power:.2f}}}$", fontsize="medium")
        cost.legend(frameon=False)
        if error.has_data():
            error.set_title(f"level: {table['largest_error'].max():.1e} eV/Å", fontsize="medium")
            error.legend(frameon=False)
        else:
            error.text(0.5, 0.5, "no dense call", ha="center", transform=error.transAxes)
    return figure
