"""The speed of the front on the mesh, interpolated from the local estimator, Eq. (4.3)."""

from typing import Literal

import numpy as np
from scipy.interpolate import LinearNDInterpolator
from scipy.spatial import QhullError, cKDTree

from qmfront.crystal.columns import columns_of
from qmfront.refine.grid import Grid

Normalisation = Literal["mean", "max"]
Outside = Literal["nearest", "zero"]


def nodal_speed(
    grid: Grid,
    coordinates: np.ndarray,
    eta_site: np.ndarray,
    *,
    normalisation: Normalisation = "mean",
    outside: Outside = "nearest",
    floor: float = 1e-3,
) -> np.ndarray:
    """Speed on the nodes by piecewise-linear interpolation on the Delaunay mesh of the sites.

        G(n) = sum_l eta_l Phi_l(n) / scale,    l in QM + BUF    (4.3)

    The scale is the mean or the maximum of eta_l over the sites, so that G does not depend on the size of
    the estimator; a front of mean speed moves 1 Å per unit of T. Sites that project onto the same point
    (a straight defect with several atoms per column) are summed first.

    Parameters
    ----------
    grid : Grid
    coordinates : (n, d) float, Å
        Sites of QM and buffer, in the plane for d = 2.
    eta_site : (n,) float, Å
        Local estimator of these sites, Eq. (4.1).
    outside : {"nearest", "zero"}
        Value outside the convex hull of the sites: that of the nearest site, or zero as (4.3) says literally.
    floor : float
        Smallest speed, relative to the mean speed over the sites.

    Returns
    -------
    grid.shape float array, Å per unit of T, strictly positive.

    Raises
    ------
    ValueError
        If the estimator is NaN, negative or zero everywhere, or if the sites do not span d dimensions.
    """
    coordinates, eta_site = np.asarray(coordinates, float), np.asarray(eta_site, float)
    _check(coordinates, eta_site, floor)
    columns = columns_of(coordinates)
    points, eta = columns.points, columns.summed(eta_site)
    # ASSUME the paper normalises eta_l without saying how; this decides what T_new means
    eta = eta / (eta.mean() if normalisation == "mean" else eta.max())
    nodes = grid.nodes()
    speed = _linear(points, eta, nodes)
    beyond = np.isnan(speed)
    # ASSUME outside the hull, where (4.3) is zero, the front goes on with the speed of the nearest site.
    speed[beyond] = eta[cKDTree(points).query(nodes[beyond])[1]] if outside == "nearest" else 0.0
    # ASSUME a floor keeps G > 0, which (4.2) requires: where eta_l vanishes the front creeps.
    return np.maximum(speed, floor * eta.mean()).reshape(grid.shape)


def _linear(points: np.ndarray, values: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Piecewise-linear interpolant, NaN outside the hull."""
    dimension = points.shape[1]
    try:
        # relative to a corner: qhull loses digits far from the origin
        return LinearNDInterpolator(points - points[0], values)(nodes - points[0])
    except (QhullError, ValueError) as error:
        raise ValueError(
            f"QM and buffer have {len(points)} distinct projected sites that do not span {dimension} "
            f"dimensions, so that the speed (4.3) cannot be interpolated. Enlarge the initial QM region or "
            f"the buffer width."
        ) from error


def _check(coordinates: np.ndarray, eta_site: np.ndarray, floor: float) -> None:
    if eta_site.shape != (len(coordinates),):
        raise ValueError(
            f"{eta_site.shape} estimator values for {len(coordinates)} sites: need one per site."
        )
    bad = ~np.isfinite(eta_site)
    if bad.any():
        raise ValueError(
            f"The local estimator is NaN or infinite on {bad.sum()} of {len(bad)} sites (first: site "
            f"{np.argmax(bad)} of QM + buffer). Check the residual forces and the solve that produced them."
        )
    if np.any(eta_site < 0):
        raise ValueError(
            f"The local estimator is negative on {np.sum(eta_site < 0)} sites (minimum "
            f"{eta_site.min():.3e} Å); eta_l of (4.1) is a square. Pass eta_site, not phi or a force."
        )
    if not np.any(eta_site > 0):
        raise ValueError(
            "The local estimator is zero on all sites of QM and buffer: nothing drives the front. "
            "The solution is exact there; stop the adaptive loop instead of refining."
        )
    if not 0 < floor < 1:
        raise ValueError(f"The speed floor must lie between 0 and 1 (got {floor:g}).")
