"""Figures 2 and 3: local estimator, speed of the front, old and new interfaces."""

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from qmfront.coupling.partition import BUFFER
from qmfront.figures.atoms import draw_discs, frame
from qmfront.refine.arrival import level_set
from qmfront.refine.fast_marching import Refinement
from qmfront.refine.grid import Grid, covering

OLD_QM, NEW_BUFFER = "#C1121F", "#6A0DAD"
# white at the bottom, so that red and purple lines stay readable over it
FRONT_MAP = "GnBu"
SHELL = 4.0
"""Å, around the new buffer, whose interface lies between the sites."""


@dataclass(frozen=True)
class Contour:
    """A level set of a field on a mesh, and how it is drawn.

    field : grid.shape float
    """

    label: str
    grid: Grid
    field: np.ndarray
    level: float
    colour: str
    line: str


def draw_estimator(
    axes: Axes, coordinates: np.ndarray, eta_site: np.ndarray, *, spacing: float, decades: float = 3.0
) -> EllipseCollection:
    """Figure 2, left: eta_l of (4.1) on the sites, on a logarithmic colour scale.

    Parameters
    ----------
    coordinates : (n, 2) float, Å
    eta_site : (n,) float, Å
    spacing : float, Å
        Smallest in-plane distance of sites.
    decades : float
        Range of the scale below the maximum; smaller values take the lowest colour.

    Returns
    -------
    The coloured discs.
    """
    lowest = eta_site.max() * 10.0**-decades
    discs = draw_discs(axes, coordinates, diameter=0.95 * spacing, colour="white")
    discs.set(array=np.maximum(eta_site, lowest), norm=LogNorm(lowest, eta_site.max()), cmap="viridis")
    colour_bar(axes, discs, r"$\eta_\ell$ (Å)")
    axes.set_title(r"(a) local estimator on $\Lambda^{\mathrm{QB}}$")
    return discs


def draw_speed(axes: Axes, grid: Grid, speed: np.ndarray, *, decades: float = 3.0) -> QuadMesh:
    """Figure 2, right: G of (4.3) on the mesh, on a logarithmic colour scale.

    Parameters
    ----------
    speed : (m1, m2) float, Å per unit of T
    """
    mesh = _speed(axes, grid, speed, LogNorm(speed.max() * 10.0**-decades, speed.max()), colours="viridis")
    axes.set_title(r"(b) speed on $\mathcal{N}_{\mathrm{est}}$")
    return mesh


def draw_fronts(
    axes: Axes, refined: Refinement, coordinates: np.ndarray, *, t_buf: float, spacing: float
) -> Legend:
    """Figure 3: the interfaces of "Mark and refine" over the speed.

    The new buffer also has a geometric part: its interface is that of the sites, not a level of T alone.

    Parameters
    ----------
    refined : Refinement
    coordinates : (n, 2) float, Å
        Sites, drawn as dots.
    t_buf : float
        T_buf of (4.4).
    spacing : float, Å
        Smallest in-plane distance of sites.

    Returns
    -------
    Legend below the axes.
    """
    norm = Normalize(0, np.quantile(refined.speed, 0.998))
    _speed(axes, refined.grid, refined.speed, norm, colours=FRONT_MAP)
    draw_discs(axes, coordinates, diameter=0.28 * spacing, colour="#404040").set_zorder(3)
    handles = []
    for one in _interfaces(refined, coordinates, t_buf):
        x, y = one.grid.axes()
        contour = axes.contour(
            x,
            y,
            one.field.T,
            levels=[one.level],
            zorder=4,
            colors=one.colour,
            linestyles=one.line,
            linewidths=1.5,
        )
        contour.set_label(one.label)
        handles.append(Line2D([], [], color=one.colour, ls=one.line, lw=1.5, label=one.label))
    return axes.figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)


def _interfaces(refined: Refinement, coordinates: np.ndarray, t_buf: float) -> tuple[Contour, ...]:
    """Old and new QM region, and the new buffer: by (4.4), and whole."""
    grid, inside, end = refined.grid, refined.region <= BUFFER, refined.threshold + t_buf
    # the geometric shell of the new buffer may reach beyond the mesh of the front
    wide = covering(coordinates[inside], spacing=grid.spacing, margin=SHELL)
    whole = level_set(wide, coordinates, inside)
    by_time = r"$T = T_{\mathrm{new}} + T_{\mathrm{buf}}$"
    return (
        Contour("current QM interface", grid, refined.level_set, 0.0, OLD_QM, "-"),
        Contour("new QM interface", grid, refined.arrival, refined.threshold, OLD_QM, "--"),
        Contour(by_time, grid, refined.arrival, end, NEW_BUFFER, ":"),
        Contour("new buffer interface", wide, whole, 0.0, NEW_BUFFER, "--"),
    )


def _speed(axes: Axes, grid: Grid, speed: np.ndarray, norm: Normalize, *, colours: str) -> QuadMesh:
    x, y = grid.axes()
    mesh = axes.pcolormesh(x, y, speed.T, norm=norm, cmap=colours, shading="nearest", rasterized=True)
    colour_bar(axes, mesh, "$G$ (Å per unit $T$)")
    return mesh


def fit_window(axes: Axes, coordinates: np.ndarray, *, margin: float) -> None:
    """Square window in Å that contains the given sites (n, 2) with a margin."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    frame(axes, (low + high) / 2, np.max(high - low) / 2 + margin)


def colour_bar(axes: Axes, mappable: EllipseCollection | QuadMesh, label: str) -> None:
    """A slim colour bar beside the axes."""
    bar = axes.figure.colorbar(mappable, ax=axes, fraction=0.046, pad=0.02)
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)
