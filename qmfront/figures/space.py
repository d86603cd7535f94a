"""Point defects in three dimensions: sites as shaded balls in a view from above a corner, coloured by region."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from qmfront.coupling.partition import BUFFER, QM
from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import draw_discs, region_handles
from qmfront.figures.style import PAGE, REGION_STYLES, styled

VIEW = np.array([1.0, 0.45, 0.35])
"""Direction to the viewer, in cubic axes."""
RADIUS_R0 = 0.32
"""Radius of a ball, r0."""
LIGHT = 0.35
"""Diameter of the highlight of a ball, in its own."""


def projection(view: np.ndarray = VIEW) -> np.ndarray:
    """Rows right, up and towards the viewer of an orthographic view, (3, 3), with the third cubic axis upright."""
    towards = view / np.linalg.norm(view)
    right = np.cross([0.0, 0.0, 1.0], towards)
    right /= np.linalg.norm(right)
    return np.array([right, np.cross(towards, right), towards])


def draw_balls(axes: Axes, positions: np.ndarray, region: np.ndarray, *, radius: float) -> None:
    """Balls (n, 3) Å from the back to the front, coloured by region (n,)."""
    seen = positions @ projection().T
    order = np.argsort(seen[:, 2], kind="stable")
    place, colours = seen[order, :2], np.array([style.colour for style in REGION_STYLES])[region[order]]
    edges = np.array([style.edge for style in REGION_STYLES])[region[order]]
    balls = draw_discs(axes, place, diameter=2 * radius, colour="none", width=0.4)
    balls.set_facecolor(colours.tolist())
    balls.set_edgecolor(edges.tolist())
    lights = draw_discs(
        axes, place + 0.3 * radius * np.array([-1, 1]), diameter=2 * radius * LIGHT, colour="white"
    )
    lights.set_alpha(0.35)


def draw_cube(axes: Axes, centre: np.ndarray, edge: float) -> None:
    """The edges of a cube around a centre (3,), Å."""
    corners = np.array(np.meshgrid(*[(-0.5, 0.5)] * 3, indexing="ij")).reshape(3, -1).T
    pairs = [(i, j) for i in range(8) for j in range(i) if np.abs(corners[i] - corners[j]).sum() == 1]
    ends = (centre + edge * corners) @ projection()[:2].T
    axes.add_collection(
        LineCollection([ends[[i, j]] for i, j in pairs], colors="0.35", linewidths=0.6, zorder=1)
    )


def space_figure(defect: Defect, displacement: np.ndarray, region: np.ndarray) -> Figure:
    """Figure 12: the whole box with its front half taken off, and QM region and buffer by themselves.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    region : (n,) int
    """
    positions = defect.body.reference + displacement
    behind = (defect.sites - defect.core) @ VIEW < 0.1 * defect.r0
    with styled():
        figure = Figure(figsize=(PAGE, 3.9))
        panels = figure.subplots(1, 2)
        for panel, chosen, title in (
            (panels[0], behind, "(a) periodic box, cut through the defect"),
            (panels[1], region == QM, "(b) QM region"),
        ):
            draw_balls(panel, positions[chosen], region[chosen], radius=RADIUS_R0 * defect.r0)
            _frame(panel, defect, _corners(defect) if panel is panels[0] else positions[chosen])
            panel.set_title(title)
        draw_cube(panels[0], defect.core, defect.cell[0, 0])
        figure.legend(handles=region_handles(region), loc="outside lower center", ncols=4, frameon=False)
    return figure


def space_stages_figure(defect: Defect, regions: Sequence[np.ndarray]) -> Figure:
    """Figure 15: QM region and the half of the buffer behind it at several stages, on one scale."""
    positions = defect.body.reference
    behind = (defect.sites - defect.core) @ VIEW < -0.5 * defect.r0
    with styled():
        figure = Figure(figsize=(PAGE, 2.6))
        panels = figure.subplots(1, len(regions), squeeze=False)[0]
        for panel, region in zip(panels, regions, strict=True):
            chosen = (region == QM) | ((region == BUFFER) & behind)
            _scene(panel, defect, positions[chosen], region[chosen])
            panel.set_title(rf"$N_{{\mathrm{{QM}}}} = {np.sum(region == QM)}$")
        figure.legend(
            handles=region_handles(np.concatenate(regions), counts=False),
            loc="outside lower center",
            ncols=4,
            frameon=False,
        )
    return figure


def _scene(axes: Axes, defect: Defect, positions: np.ndarray, region: np.ndarray) -> None:
    draw_cube(axes, defect.core, defect.cell[0, 0])
    draw_balls(axes, positions, region, radius=RADIUS_R0 * defect.r0)
    _frame(axes, defect, _corners(defect))


def _corners(defect: Defect) -> np.ndarray:
    """Corners of the box around the defect, (8, 3) Å."""
    return defect.core + defect.cell[0, 0] * (np.indices((2, 2, 2)).reshape(3, -1).T - 0.5)


def _frame(axes: Axes, defect: Defect, positions: np.ndarray) -> None:
    seen = positions @ projection()[:2].T
    centre, half = (seen.min(axis=0) + seen.max(axis=0)) / 2, np.ptp(seen, axis=0) / 2 + defect.r0
    axes.set_aspect("equal")
    axes.set_xlim(centre[0] - half[0], centre[0] + half[0])
    axes.set_ylim(centre[1] - half[1], centre[1] + half[1])
    axes.set_axis_off()
