"""Force error on the QM region against the width of the buffer."""

import pandas as pd
from matplotlib.figure import Figure

from qmfront.coupling.buffer_error import BufferErrors
from qmfront.figures.style import BLUE, GREY, VERMILLION, styled

LEGEND = {
    "error": ("as it is", BLUE, "o"),
    "error_subtracted": ("perfect crystal subtracted", VERMILLION, "s"),
}


def locality_table(found: BufferErrors) -> pd.DataFrame:
    """Columns quantity, width (Å), n_atoms, value (eV/Å): errors by width, then the change by each alternative."""
    wide = pd.DataFrame({name: getattr(found, name) for name in ("width", "n_atoms", *LEGEND)})
    errors = wide.melt(["width", "n_atoms"], list(LEGEND), var_name="quantity", value_name="value")
    changes = pd.DataFrame({"quantity": list(found.change), "value": list(found.change.values())})
    return pd.concat([errors, changes], ignore_index=True)[["quantity", "width", "n_atoms", "value"]]


def locality_figure(table: pd.DataFrame, *, width: float, tolerance: float) -> Figure:
    """The errors on a logarithmic axis, with the buffer of the case, its tolerance, and the changes as dotted lines.

    Parameters
    ----------
    table : of `locality_table`
    width, tolerance : Å and eV/Å, of the case
    """
    with styled():
        figure = Figure(figsize=(4.6, 3.3))
        axes = figure.subplots()
        for name, (text, colour, marker) in LEGEND.items():
            part = table[table["quantity"] == name]
            axes.plot(part["width"], part["value"], color=colour, marker=marker, label=text)
        others = table[~table["quantity"].isin(LEGEND)].sort_values("value", ascending=False)
        for place, (_, row) in enumerate(others.iterrows()):
            axes.axhline(row["value"], color="black", ls=":", lw=0.8)
            where = 0.99 - 0.22 * (place % 3), row["value"]
            axes.annotate(
                row["quantity"],
                where,
                xycoords=("axes fraction", "data"),
                ha="right",
                va="bottom",
                fontsize=7,
            )
        axes.axvline(width, color=GREY, lw=1.0, label=f"buffer of the case, {width:g} Å")
        axes.axhline(tolerance, color=GREY, lw=1.0, ls="--", label=f"tolerance, {tolerance:g} eV/Å")
        axes.set_yscale("log")
        axes.set_xlabel("width of the buffer (Å)")
        axes.set_ylabel("largest force error in QM (eV/Å)")
        axes.legend(frameon=True, framealpha=1.0, edgecolor="none", fontsize=7, loc="upper right")
    return figure
