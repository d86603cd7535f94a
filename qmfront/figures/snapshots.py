"""Figures 1 to 3 and their kin, whole: one iteration of a straight defect and the tables behind the pictures."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from qmfront.coupling.partition import BUFFER
from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import Symbol, in_plane_spacing
from qmfront.figures.marking import draw_estimator, draw_fronts, draw_speed, fit_window
from qmfront.figures.partitions import draw_decomposition
from qmfront.figures.style import PAGE, REGION_STYLES, styled
from qmfront.refine.fast_marching import Refinement

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


def estimator_figure(defect: Defect, eta_site: np.ndarray, region: np.ndarray, refined: Refinement) -> Figure:
    """eta_l of (4.1) on QM and buffer sites, and the speed (4.3) that follows from it.

    Parameters
    ----------
    eta_site : (n,) float, Å
    region : (n,) int
    refined : Refinement
        That was made from this estimate.
    """
    known = region <= BUFFER
    coordinates = defect.sites[known, :2]
    spacing = in_plane_spacing(defect.sites[:, :2])
    with styled():
        figure = Figure(figsize=(PAGE, 3.1))
        axes = figure.subplots(1, 2, sharey=True)
        draw_estimator(axes[0], coordinates, eta_site[known], spacing=spacing)
        draw_speed(axes[1], refined.grid, refined.speed)
        for panel in axes:
            fit_window(panel, coordinates, margin=MARGIN)
            panel.label_outer()
    return figure


def estimator_table(
    defect: Defect, eta_site: np.ndarray, region: np.ndarray, refined: Refinement
) -> pd.DataFrame:
    """Per QM and buffer site: x1, x2 (Å), eta_l (Å), the speed (Å per unit T) interpolated to it."""
    sites = np.flatnonzero(region <= BUFFER)
    x = defect.sites[sites, :2]
    speed = refined.grid.at(refined.speed, x)
    columns = {"site": sites, "x1": x[:, 0], "x2": x[:, 1], "eta": eta_site[sites], "speed_at_site": speed}
    return pd.DataFrame(columns)


def front_figure(defect: Defect, refined: Refinement, *, t_buf: float) -> Figure:
    """The interfaces before and after "Mark and refine" over the speed.

    Parameters
    ----------
    t_buf : float
        T_buf of (4.4).
    """
    coordinates = defect.sites[:, :2]
    with styled():
        figure = Figure(figsize=(4.2, 4.2))
        axes = figure.subplots()
        draw_fronts(axes, refined, coordinates, t_buf=t_buf, spacing=in_plane_spacing(coordinates))
        fit_window(axes, coordinates[refined.region <= BUFFER], margin=MARGIN)
    return figure


def front_table(defect: Defect, region: np.ndarray, refined: Refinement) -> pd.DataFrame:
    """Per site that the front reaches or that is QM or buffer: x1, x2 (Å), old and new region, arrival time."""
    new, time = refined.region, refined.arrival_site
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
