"""Figures 1 to 3 and their kin, whole: one iteration of a straight defect and the tables behind the pictures."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import Symbol, in_plane_spacing
from qmfront.figures.marking import draw_estimator, draw_fronts, draw_speed, fit_window
from qmfront.figures.partitions import draw_decomposition
from qmfront.figures.style import PAGE, REGION_STYLES, styled
from qmfront.refine.arrival import level_set
from qmfront.refine.grid import Grid, covering
from qmfront.refine.regions import BUFFER

MARGIN = 2.0
"""Å, around what a figure shows."""


def decomposition_figure(
    defect: Defect, displacement: np.ndarray, region: np.ndarray, *, symbol: Symbol
) -> Figure:
    """Regions of the relaxed defect.

    Parameters
    ----------
    displacement : (n, 3) float, Å
    region : (n,) int
    symbol : Symbol
        How the defect is marked.
    """
    with styled():
        figure = Figure(figsize=(PAGE, 3.75))
        draw_decomposition(
            figure.subplots(1, 2),
            (defect.body.reference + displacement)[:, :2],
            region,
            core=defect.core[:2],
            spacing=in_plane_spacing(defect.sites[:, :2]),
            symbol=symbol,
        )
    return figure


def region_table(defect: Defect, displacement: np.ndarray, region: np.ndarray) -> pd.DataFrame:
    """Per region: number of sites and extent of the relaxed positions along x1 and x2, Å."""
    positions = defect.body.reference + displacement
    rows = []
    for number, style in enumerate(REGION_STYLES):
        x = positions[region == number, :2]
        if len(x):
            (x1_min, x2_min), (x1_max, x2_max) = x.min(axis=0), x.max(axis=0)
            extent = {"x1_min": x1_min, "x1_max": x1_max, "x2_min": x2_min, "x2_max": x2_max}
            rows.append({"region": style.name, "n": len(x), **extent})
    return pd.DataFrame(rows)


def estimator_figure(
    defect: Defect, eta_site: np.ndarray, region: np.ndarray, refined: Mapping[str, np.ndarray]
) -> Figure:
    """eta_l of (4.1) on QM and buffer sites, and the speed (4.3) that follows from it.

    Parameters
    ----------
    eta_site : (n,) float, Å
    region : (n,) int
    refined : "speed", "grid_x", "grid_y" of the partition that was made from this estimate
    """
    known = region <= BUFFER
    coordinates = defect.sites[known, :2]
    spacing = in_plane_spacing(defect.sites[:, :2])
    with styled():
        figure = Figure(figsize=(PAGE, 3.1))
        axes = figure.subplots(1, 2, sharey=True)
        draw_estimator(axes[0], coordinates, eta_site[known], spacing=spacing)
        draw_speed(axes[1], refined["grid_x"], refined["grid_y"], refined["speed"])
        for panel in axes:
            fit_window(panel, coordinates, margin=MARGIN)
            panel.label_outer()
    return figure


def estimator_table(
    defect: Defect, eta_site: np.ndarray, region: np.ndarray, refined: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """Per QM and buffer site: x1, x2 (Å), eta_l (Å), the speed (Å per unit T) interpolated to it."""
    sites = np.flatnonzero(region <= BUFFER)
    x = defect.sites[sites, :2]
    speed = _grid(refined).at(refined["speed"], x)
    columns = {"site": sites, "x1": x[:, 0], "x2": x[:, 1], "eta": eta_site[sites], "speed_at_site": speed}
    return pd.DataFrame(columns)


def front_figure(
    defect: Defect, refined: Mapping[str, np.ndarray], *, threshold: float, t_buf: float
) -> Figure:
    """The interfaces before and after "Mark and refine" over the speed.

    Parameters
    ----------
    refined : "region", "speed", "arrival", "level_set", "grid_x", "grid_y" of the new partition
    threshold : float
        T up to which sites became QM.
    t_buf : float
        T_buf of (4.4).
    """
    coordinates, x, y = defect.sites[:, :2], refined["grid_x"], refined["grid_y"]
    inside = refined["region"] <= BUFFER
    # the geometric shell of the new buffer may reach beyond the mesh of the front
    wide = covering(coordinates[inside], spacing=float(x[1] - x[0]), margin=2 * MARGIN)
    fields = {name: (x, y, refined[name]) for name in ("speed", "arrival", "level_set")}
    fields["buffer"] = (*wide.axes(), level_set(wide, coordinates, inside))
    with styled():
        figure = Figure(figsize=(4.2, 4.2))
        axes = figure.subplots()
        draw_fronts(
            axes,
            fields,
            levels={"qm": threshold, "buffer": threshold + t_buf},
            coordinates=coordinates,
            spacing=in_plane_spacing(coordinates),
        )
        fit_window(axes, coordinates[inside], margin=MARGIN)
    return figure


def front_table(defect: Defect, region: np.ndarray, refined: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Per site that the front reaches or that is QM or buffer: x1, x2 (Å), old and new region, arrival time."""
    new, time = refined["region"], refined["arrival_site"]
    sites = np.flatnonzero(np.isfinite(time) | (new <= BUFFER))
    names = np.array([style.name for style in REGION_STYLES])
    return pd.DataFrame(
        {
            "site": sites,
            "x1": defect.sites[sites, 0],
            "x2": defect.sites[sites, 1],
            "old_region": names[region[sites]],
            "new_region": names[new[sites]],
            "arrival": time[sites],
        }
    )


def _grid(refined: Mapping[str, np.ndarray]) -> Grid:
    x, y = refined["grid_x"], refined["grid_y"]
    return Grid(np.array([x[0], y[0]]), float(x[1] - x[0]), (len(x), len(y)))
