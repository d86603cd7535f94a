"""Stages of the adaptation, whole: which iterations are shown, their partitions, and the shape of the QM region."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from scipy.optimize import linear_sum_assignment

from qmfront.coupling.partition import BUFFER, QM
from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import Symbol, in_plane_spacing
from qmfront.figures.partitions import common_window, draw_partitions
from qmfront.figures.style import PAGE, styled

COLUMNS = 4
"""Panels beside each other, as in the paper."""
MARGINS = 0.85
"""Inches for titles, labels and legend around the panels of a row."""


def nearest_stages(regions: Sequence[np.ndarray], wanted: Sequence[int]) -> list[int]:
    """The iterations, all different and in order, whose N_QM lie nearest to the wanted numbers.

        minimise sum_i |log(N_QM(k_i) / wanted_i)|    over different k_i

    Where the nearest iterations differ, each number gets the nearest one; with fewer iterations than numbers, all
    iterations are shown.

    Parameters
    ----------
    regions : partitions of the iterations 0, 1, ..., each (n,) int
    wanted : numbers of QM atoms
    """
    found = np.log([np.sum(region == QM) for region in regions])
    distance = np.abs(found[:, None] - np.log(wanted)[None, :])
    return sorted(linear_sum_assignment(distance)[0].tolist())


def principal_axes(points: np.ndarray) -> tuple[float, float]:
    """Elongation and direction of a set of points in the plane.

        elongation = sqrt(lambda_1 / lambda_2)    of the covariance, lambda_1 >= lambda_2

    Parameters
    ----------
    points : (m, 2) float

    Returns
    -------
    elongation (1 for a disc, infinite on a line) and angle of the longer axis to e1 in degrees, from -90 to 90
    """
    values, vectors = np.linalg.eigh(np.cov(points.T, bias=True))
    x, y = vectors[:, 1] * (1 if vectors[0, 1] >= 0 else -1)
    with np.errstate(divide="ignore"):
        return float(np.sqrt(values[1] / max(values[0], 0.0))), float(np.degrees(np.arctan2(y, x)))


def stages_table(defect: Defect, regions: Sequence[np.ndarray], stages: Sequence[int]) -> pd.DataFrame:
    """Per stage: k, n_qm, n_buf, and of the QM region at the predictor its extents and centroid along x1 and x2
    (Å), elongation, and angle (degrees) of its longer axis to e1.

    Parameters
    ----------
    regions : partitions of all iterations, each (n,) int
    stages : iterations that are shown
    """
    rows = []
    for k in stages:
        x = _plane(defect)[regions[k] == QM]
        (x1_min, x2_min), (x1_max, x2_max), centroid = x.min(axis=0), x.max(axis=0), x.mean(axis=0)
        elongation, angle = principal_axes(x)
        rows.append(
            {
                "k": k,
                "n_qm": len(x),
                "n_buf": int(np.sum(regions[k] == BUFFER)),
                "x1_min": x1_min,
                "x1_max": x1_max,
                "x2_min": x2_min,
                "x2_max": x2_max,
                "centroid_x1": centroid[0],
                "centroid_x2": centroid[1],
                "elongation": elongation,
                "angle": angle,
            }
        )
    return pd.DataFrame(rows)


def stages_figure(defect: Defect, regions: Sequence[np.ndarray], *, symbol: Symbol) -> Figure:
    """Figures 7, 11 and 15: the given partitions at the predictor, on common axes.

    Parameters
    ----------
    regions : the partitions that are shown, each (n,) int
    symbol : Symbol
        How the defect is marked.
    """
    coordinates, spacing = _plane(defect), in_plane_spacing(defect.sites[:, :2])
    half = common_window(coordinates, regions, margin=2 * spacing)[1]
    columns = min(len(regions), COLUMNS)
    rows = ceil(len(regions) / columns)
    width = PAGE * max(columns, 2) / COLUMNS
    with styled():
        figure = Figure(figsize=(width, rows * (width / columns * half[1] / half[0]) + MARGINS))
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for panel in axes[len(regions) :]:
            panel.remove()
        shown = axes[: len(regions)]
        draw_partitions(
            shown.tolist(), coordinates, regions, core=defect.core[:2], spacing=spacing, symbol=symbol
        )
    return figure


def _plane(defect: Defect) -> np.ndarray:
    """Positions of the predictor, where a crack is open and every iteration has the same."""
    return defect.body.reference[:, :2]
