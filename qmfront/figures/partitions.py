"""Figures 7, 11 and 15: partitions at several stages of the adaptation, side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.legend import Legend
from matplotlib.patches import Rectangle

from qmfront.figures.atoms import Symbol, draw_defect, draw_regions, frame, region_handles


def common_window(
    coordinates: np.ndarray, regions: Sequence[np.ndarray], *, margin: float
) -> tuple[np.ndarray, np.ndarray]:
    """Centre (2,) and half width and height (2,), Å, of the rectangle that holds every QM region and buffer.

    Parameters
    ----------
    coordinates : (n, 2) float, Å
    regions : k arrays (n,) int
    margin : float, Å
    """
    inner = coordinates[np.any([region <= 1 for region in regions], axis=0)]
    low, high = inner.min(axis=0), inner.max(axis=0)
    return (low + high) / 2, (high - low) / 2 + margin


def draw_partitions(
    axes: Sequence[Axes],
    coordinates: np.ndarray,
    regions: Sequence[np.ndarray],
    *,
    core: np.ndarray,
    spacing: float,
    symbol: Symbol,
) -> Legend:
    """One panel per stage, all with the window of the largest buffer and N_QM as title.

    Parameters
    ----------
    axes : k Axes
    coordinates : (n, 2) float, Å
    regions : k arrays (n,) int
    core : (2,) float, Å
    spacing : float, Å
        Smallest in-plane distance of sites.

    Returns
    -------
    Legend of the figure, below the panels.
    """
    centre, half = common_window(coordinates, regions, margin=2 * spacing)
    for panel, region in zip(axes, regions, strict=True):
        draw_regions(panel, coordinates, region, diameter=0.85 * spacing)
        draw_defect(panel, core, symbol=symbol, size=7)
        frame(panel, centre, half[0], half_height=half[1])
        panel.set_title(rf"$N_{{\mathrm{{QM}}}} = {np.sum(region == 0)}$")
        panel.label_outer()
    seen = np.all(np.abs(coordinates - centre) <= half, axis=1)
    return axes[0].figure.legend(
        handles=region_handles(np.concatenate([region[seen] for region in regions]), counts=False),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        fontsize=8.5,
        borderaxespad=0.0,
    )


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
