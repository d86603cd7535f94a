"""Figures 2 and 3: local estimator, speed of the front, old and new interfaces."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection, QuadMesh
from matplotlib.colors import LogNorm, Normalize
from matplotlib.contour import QuadContourSet
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from qmfront.figures.atoms import draw_discs, frame

OLD_QM, NEW_BUFFER = "#C1121F", "#6A0DAD"
# white at the bottom, so that red and purple lines stay readable over it
FRONT_MAP = "GnBu"


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


def draw_speed(
    axes: Axes, x: np.ndarray, y: np.ndarray, speed: np.ndarray, *, decades: float = 3.0
) -> QuadMesh:
    """Figure 2, right: G of (4.3) on the mesh, on a logarithmic colour scale.

    Parameters
    ----------
    x, y : (m1,), (m2,) float, Å
        Node coordinates.
    speed : (m1, m2) float, Å per unit of T
    """
    norm = LogNorm(speed.max() * 10.0**-decades, speed.max())
    mesh = axes.pcolormesh(x, y, speed.T, norm=norm, cmap="viridis", shading="nearest", rasterized=True)
    colour_bar(axes, mesh, "$G$ (Å per unit $T$)")
    axes.set_title(r"(b) speed on $\mathcal{N}_{\mathrm{est}}$")
    return mesh


Field = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Node coordinates x (m1,) and y (m2,) in Å, and values (m1, m2)."""


def draw_fronts(
    axes: Axes,
    fields: dict[str, Field],
    *,
    levels: dict[str, float],
    coordinates: np.ndarray,
    spacing: float,
) -> Legend:
    """Figure 3: the interfaces of "Mark and refine" over the speed.

    Parameters
    ----------
    fields : dict of Field
        "speed" (Å per unit of T), "level_set" (negative in the old QM region), "arrival" (T); and, if the new
        buffer has a geometric part, "buffer" (negative in new QM and buffer), perhaps on a larger mesh.
    levels : dict of float
        "qm" and "buffer": T at the new QM interface and at the buffer interface of (4.4).
    coordinates : (n, 2) float, Å
        Sites, drawn as dots.
    spacing : float, Å
        Smallest in-plane distance of sites.

    Returns
    -------
    Legend below the axes.
    """
    x, y, speed = fields["speed"]
    norm = Normalize(0, np.quantile(speed, 0.998))
    mesh = axes.pcolormesh(x, y, speed.T, norm=norm, cmap=FRONT_MAP, shading="nearest", rasterized=True)
    colour_bar(axes, mesh, "$G$ (Å per unit $T$)")
    draw_discs(axes, coordinates, diameter=0.28 * spacing, colour="#404040").set_zorder(3)
    lines = [
        ("level_set", 0.0, OLD_QM, "-", "current QM interface"),
        ("arrival", levels["qm"], OLD_QM, "--", "new QM interface"),
        ("arrival", levels["buffer"], NEW_BUFFER, "--", "new buffer interface"),
    ]
    if "buffer" in fields:
        lines[2] = (
            "arrival",
            levels["buffer"],
            NEW_BUFFER,
            ":",
            r"$T = T_{\mathrm{new}} + T_{\mathrm{buf}}$",
        )
        lines.append(("buffer", 0.0, NEW_BUFFER, "--", "new buffer interface"))
    handles = []
    for name, level, colour, line, label in lines:
        x, y, values = fields[name]
        look = {"colors": colour, "linestyles": line, "linewidths": 1.5}
        contour: QuadContourSet = axes.contour(x, y, values.T, levels=[level], zorder=4, **look)
        contour.set_label(label)
        handles.append(Line2D([], [], color=colour, ls=line, lw=1.5, label=label))
    return axes.figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)


def fit_window(axes: Axes, coordinates: np.ndarray, *, margin: float) -> None:
    """Square window in Å that contains the given sites (n, 2) with a margin."""
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    frame(axes, (low + high) / 2, np.max(high - low) / 2 + margin)


def colour_bar(axes: Axes, mappable: EllipseCollection | QuadMesh, label: str) -> None:
    """A slim colour bar beside the axes."""
    bar = axes.figure.colorbar(mappable, ax=axes, fraction=0.046, pad=0.02)
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)
