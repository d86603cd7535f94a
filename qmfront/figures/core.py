"""The core of a defect: atoms seen along the line, QM highlighted, layers told apart, bonds drawn."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.legend import Legend

from qmfront.figures.atoms import Symbol, draw_defect, draw_discs, frame, region_handles
from qmfront.figures.style import REGION_STYLES


def draw_core(
    axes: Axes,
    positions: np.ndarray,
    region: np.ndarray,
    *,
    bonds: np.ndarray,
    centre: np.ndarray,
    half_width: float,
    spacing: float,
    symbol: Symbol,
) -> Legend:
    """Atoms around the core; those of the lower half of the period are smaller.

    Parameters
    ----------
    positions : (n, 3) float, Å
        Deformed positions within one period along x3.
    region : (n,) int
    bonds : (p, 2, 2) float, Å
        In-plane end points of the bonds (nearest neighbours).
    centre : (2,) float, Å
    half_width : float, Å
        Of the window.
    spacing : float, Å
        Smallest in-plane distance of atoms.

    Returns
    -------
    Legend of the figure, below the axes.
    """
    axes.add_collection(LineCollection(bonds, colors="#9a9a9a", linewidths=0.7, zorder=1), autolim=False)
    heights = positions[:, 2]
    upper = heights >= (heights.min() + heights.max()) / 2
    for number, style in enumerate(REGION_STYLES):
        for layer, size in ((~upper, 0.55), (upper, 0.8)):
            chosen = layer & (region == number)
            if chosen.any():
                look = {"diameter": size * spacing, "colour": style.colour, "edge": style.edge, "width": 0.6}
                draw_discs(axes, positions[chosen, :2], **look).set_zorder(3)
    draw_defect(axes, centre, symbol=symbol, size=11)
    frame(axes, centre, half_width)
    seen = np.max(np.abs(positions[:, :2] - centre), axis=1) <= half_width
    return axes.figure.legend(
        handles=region_handles(region[seen], counts=False), loc="outside lower center", ncols=4, frameon=False
    )
