"""Figures 1, 5 and 8: the decomposition of the domain into QM, buffer, MM and far-field regions."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle

from qmfront.figures.atoms import Symbol, draw_defect, draw_regions, frame, region_handles


def draw_decomposition(
    axes: Sequence[Axes],
    coordinates: np.ndarray,
    region: np.ndarray,
    *,
    core: np.ndarray,
    spacing: float,
    symbol: Symbol,
) -> Legend:
    """The whole domain in the first panel, QM and buffer in the second.

    Parameters
    ----------
    axes : two Axes
    coordinates : (n, 2) float, Å
        In-plane coordinates of the sites, deformed or not.
    region : (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field.
    core : (2,) float, Å
        Position of the defect.
    spacing : float, Å
        Smallest in-plane distance of sites; sets the size of the discs.
    symbol : Symbol
        Marks the defect in the second panel.

    Returns
    -------
    Legend of the figure, below the panels, with the number of sites per region.
    """
    whole, close = axes
    draw_regions(whole, coordinates, region, diameter=spacing)
    draw_regions(close, coordinates, region, diameter=0.8 * spacing, outlined=True)
    draw_defect(close, core, symbol=symbol)

    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    frame(whole, (low + high) / 2, 0.515 * np.max(high - low))
    inner = coordinates[region <= 1]
    low, high = inner.min(axis=0), inner.max(axis=0)
    centre, half = (low + high) / 2, 0.54 * np.max(high - low)
    frame(close, centre, half)
    window = Rectangle(centre - half, 2 * half, 2 * half, fill=False, ec="black", lw=0.9, zorder=5)
    whole.add_patch(window)
    whole.set_title("(a) computational domain")
    close.set_title("(b) QM and buffer regions")
    return whole.figure.legend(
        handles=region_handles(region),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.0,
    )
