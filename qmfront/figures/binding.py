"""Binding energies of solutes with their bars, one place beside the other."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qmfront.figures.style import BLUE, GREY, styled


def binding_figure(data: pd.DataFrame) -> Figure:
    """A point and a bar for each place; below zero the defect attracts.

    Parameters
    ----------
    data : of `binding_table`
    """
    with styled():
        figure = Figure(figsize=(1.6 + 0.55 * len(data), 3.3))
        axes = figure.subplots()
        axes.axhline(0.0, color=GREY, linewidth=0.8)
        at = np.arange(len(data))
        axes.errorbar(at, data["binding"], yerr=data["bar"], fmt="o", color=BLUE, capsize=3.0)
        axes.set_xticks(at, data["case"].tolist(), rotation=45.0, ha="right")
        axes.set_ylabel("binding energy (eV)")
        axes.margins(x=0.1)
    return figure
