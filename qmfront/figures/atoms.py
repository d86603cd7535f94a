"""Atoms as discs of a fixed size in Å, coloured by region, and the symbol of the defect."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.collections import EllipseCollection
from matplotlib.lines import Line2D
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from scipy.spatial import cKDTree

from qmfront.crystal.columns import columns_of
from qmfront.figures.style import REGION_STYLES

DefectSymbol = Literal["edge", "screw", "crack", "point", "none"]

# inverted T: the extra half plane and the slip plane
_EDGE = Path([(0, 1), (0, -0.6), (-1, -0.6), (1, -0.6)], [Path.MOVETO, Path.LINETO, Path.MOVETO, Path.LINETO])
# wedge with its apex at the tip, open towards the faces at negative x1
_CRACK = Path([(-1, 0.4), (0, 0), (-1, -0.4)], [Path.MOVETO, Path.LINETO, Path.LINETO])


@dataclass(frozen=True)
class Symbol:
    """How the defect is marked: shape, and rotation in degrees."""

    shape: DefectSymbol
    angle: float = 0.0


def in_plane_spacing(coordinates: np.ndarray) -> float:
    """Smallest distance (Å) of sites (n, 2) seen along the line; sites on top of each other count as one."""
    points = columns_of(coordinates).points
    distance, _ = cKDTree(points).query(points, k=2)
    return float(np.asarray(distance)[:, 1].min())


@dataclass(frozen=True)
class MarkedDefect:
    """Kind of a defect, as in the configuration, and the Burgers vector of a dislocation in cubic axes, any unit."""

    kind: str
    burgers: tuple[float, float, float] | None = None


def defect_symbol(frame: np.ndarray, defect: MarkedDefect) -> Symbol:
    """Symbol of a defect of a kind; one that is neither a dislocation nor a crack is marked by a cross.

    A crack opens at negative x1: its wedge is never rotated.

    Parameters
    ----------
    frame : (3, 3) float
        Rows e1, e2, e3 in cubic axes.
    """
    if defect.kind == "dislocation" and defect.burgers is not None:
        return dislocation_symbol(np.asarray(defect.burgers), frame)
    return Symbol("crack" if defect.kind == "crack" else "point")


def dislocation_symbol(burgers: np.ndarray, frame: np.ndarray) -> Symbol:
    """Symbol of a straight dislocation.

    With the sign of (B.3) the extra half plane lies in the direction e3 x b: above the slip plane for b = e1.

    Parameters
    ----------
    burgers : (3,) float
        In cubic axes, any unit.
    frame : (3, 3) float
        Rows e1, e2, e3 in cubic axes.
    """
    b = np.asarray(frame) @ np.asarray(burgers, float)
    if np.hypot(b[0], b[1]) < 1e-6 * np.linalg.norm(b):
        return Symbol("screw")
    return Symbol("edge", float(np.degrees(np.arctan2(b[1], b[0]))))


def draw_discs(
    axes: Axes,
    coordinates: np.ndarray,
    *,
    diameter: float,
    colour: str,
    edge: str = "none",
    width: float = 0.25,
) -> EllipseCollection:
    """Discs of a diameter in data units (Å), so that they never overlap at any zoom; returns the collection."""
    size = np.full(len(coordinates), diameter)
    discs = EllipseCollection(
        size,
        size,
        np.zeros(len(coordinates)),
        units="xy",
        offsets=coordinates,
        offset_transform=axes.transData,
        facecolors=colour,
        edgecolors=edge,
        linewidths=width,
    )
    axes.add_collection(discs, autolim=False)
    # thousands of vector discs make slow PDFs; text and axes stay vectors
    discs.set_rasterized(len(coordinates) > 1000)
    return discs


def draw_regions(
    axes: Axes, coordinates: np.ndarray, region: np.ndarray, *, diameter: float, outlined: bool = False
) -> list[EllipseCollection]:
    """One collection of discs per region that is present, labelled with name and count.

    Parameters
    ----------
    coordinates : (n, 2) float, Å
    region : (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field.
    diameter : float, Å
    outlined : bool
        Draw a thin darker rim.
    """
    artists = []
    for number, style in enumerate(REGION_STYLES):
        chosen = region == number
        if chosen.any():
            edge = style.edge if outlined else "none"
            discs = draw_discs(axes, coordinates[chosen], diameter=diameter, colour=style.colour, edge=edge)
            discs.set_label(f"{style.name} ({chosen.sum()})")
            discs.set_zorder(2 + 0.1 * (len(REGION_STYLES) - number))
            artists.append(discs)
    return artists


def draw_defect(axes: Axes, position: np.ndarray, *, symbol: Symbol, size: float = 9.0) -> list[Line2D]:
    """The symbol of the defect at position (2,), Å.

    An inverted T (edge), a circled point (screw), a wedge with its apex at the tip (crack), or a cross (point).

    Parameters
    ----------
    symbol : Symbol
        An angle of 0 has the slip plane of an edge dislocation horizontal and the extra half plane above it.
    size : float, points
    """
    if symbol.shape == "none":
        return []
    turned = Affine2D().rotate_deg(symbol.angle)
    shapes = {
        "edge": _EDGE.transformed(turned),
        "crack": _CRACK.transformed(turned),
        "screw": "o",
        "point": "x",
    }
    marker = shapes[symbol.shape]
    if symbol.shape == "crack":
        size *= 2  # the wedge lies on one side of the tip, the other symbols around their point
    artists = []
    for colour, width in (("white", 3.2), ("black", 1.4)):
        artists += axes.plot(
            *position, marker=marker, ms=size, mew=width, mfc="none", mec=colour, ls="none", zorder=6
        )
    if symbol.shape == "screw":
        artists += axes.plot(
            *position, marker="o", ms=size / 4, mfc="black", mec="black", ls="none", zorder=6
        )
    return artists


def region_handles(region: np.ndarray, *, counts: bool = True) -> list[Artist]:
    """Legend entries, in the order QM, BUF, MM, FF, of the regions that occur in region (n,)."""
    return [
        Line2D(
            [],
            [],
            ls="none",
            marker="o",
            ms=5,
            mfc=style.colour,
            mec=style.edge,
            mew=0.5,
            label=f"{style.name} ({np.sum(region == number)})" if counts else style.name,
        )
        for number, style in enumerate(REGION_STYLES)
        if np.any(region == number)
    ]


def frame(axes: Axes, centre: np.ndarray, half_width: float, *, half_height: float | None = None) -> None:
    """Equal axes in Å around a centre (2,)."""
    height = half_width if half_height is None else half_height
    axes.set_aspect("equal")
    axes.set_xlim(centre[0] - half_width, centre[0] + half_width)
    axes.set_ylim(centre[1] - height, centre[1] + height)
    axes.set_xlabel("$x_1$ (Å)")
    axes.set_ylabel("$x_2$ (Å)")
