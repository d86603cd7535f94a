"""Figures of the page, as pictures that stand in it: nothing is loaded from beside it."""

import base64
import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qmfront.analysis.convergence import by_label
from qmfront.figures.certificate import Branches, draw_phonons
from qmfront.figures.convergence import Series, draw_convergence
from qmfront.figures.style import BLUE, STYLE_SHEET, VERMILLION, SeriesStyle
from qmfront.report.results import PotentialResult
from qmfront.training.certificate import PATH

DATA_FILES = ("page.mplstyle",)
STYLES = [STYLE_SHEET, Path(__file__).with_name(DATA_FILES[0])]
"""Of figures, and over it the letters of the page around them."""
SIZE = (4.0, 3.0)
"""Inches; a telephone shows it without making it smaller."""
ESTIMATED = SeriesStyle(VERMILLION, "s", "--", filled=False)
MEASURED = SeriesStyle(BLUE, "o")


def convergence_chart(table: pd.DataFrame) -> str:
    """Estimated error, and the measured one where it is known, against the number of QM atoms.

    Parameters
    ----------
    table : convergence table of a case
    """
    shown = [("estimated error", "eta", ESTIMATED), ("measured error", "error", MEASURED)]
    series = []
    for label, name, style in shown:
        rows = table[table[name] > 0] if name in table else table[:0]
        if len(rows):
            series.append(Series(label, rows["n_qm"].to_numpy(), rows[name].to_numpy(), style=style))
    with plt.style.context(STYLES):
        figure = Figure(figsize=SIZE)
        axes = figure.subplots()
        if series:
            draw_convergence(axes, series, reference_slope=None, ylabel="error of the structure (Å)")
        axes.set_xlabel("QM atoms")
        return _source(figure)


def phonon_chart(found: PotentialResult) -> str:
    """Phonon frequencies of the QM model and of the fitted potential along a path through the perfect crystal.

    Parameters
    ----------
    found : with a certificate
    """
    if found.certificate is None:
        raise ValueError("this potential has no certificate to draw. Read it with PotentialResult.read.")
    rows = found.certificate[found.certificate["quantity"] == "phonons"]
    branches = [part for _, part in by_label(rows, "name")]
    qm, mm = (np.column_stack([part[model] for part in branches]) for model in ("qm", "mm"))
    corners = [(name, place) for (name, _), place in zip(PATH, found.ticks, strict=True)]
    with plt.style.context(STYLES):
        figure = Figure(figsize=SIZE)
        axes = figure.subplots()
        lines = draw_phonons(axes, Branches(branches[0]["x"].to_numpy(), qm, mm, corners))
        lines[len(branches)].set_label("potential")
        axes.legend(loc="upper center", ncols=2)
        axes.set_title("")
        axes.set_xlabel("wave vector, in reciprocal vectors of the unit cell")
        return _source(figure)


def _source(figure: Figure) -> str:
    """The figure as the address of a picture, with its content in it."""
    stream = io.BytesIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
