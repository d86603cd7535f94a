"""First arriving time of the front, Eq. (4.2), by fast marching (scikit-fmm)."""

from typing import Literal

import numpy as np
import skfmm
from scipy.spatial import cKDTree

from qmfront.crystal.columns import columns_of
from qmfront.refine.grid import Grid


def level_set(grid: Grid, coordinates: np.ndarray, in_qm: np.ndarray) -> np.ndarray:
    """Scalar function whose zero contour is the interface of the QM region.

        phi(n) = -1 if the site nearest to node n is QM, +1 otherwise

    Parameters
    ----------
    coordinates : (n, d) float, Å
        All sites of the domain, in the plane for d = 2; a column is QM if one of its sites is.
    in_qm : (n,) bool

    Returns
    -------
    grid.shape float array of -1 and +1.
    """
    columns = columns_of(coordinates)
    inside = columns.summed(np.asarray(in_qm, float)) > 0
    nearest = cKDTree(columns.points).query(grid.nodes())[1]
    return np.where(inside[nearest], -1.0, 1.0).reshape(grid.shape)


def arrival_time(
    phi: np.ndarray,
    speed: np.ndarray,
    *,
    spacing: float,
    limit: float | None = None,
    order: Literal[1, 2] = 1,
) -> np.ndarray:
    """Solve the Eikonal equation outside the zero contour of phi.

        G(x) |grad T(x)| = 1,    T = 0 where phi <= 0    (4.2)

    Parameters
    ----------
    phi : (m1, ..., md) float
        Negative inside the QM region. With -1 and +1 the interface lies half way between nodes.
    speed : (m1, ..., md) float, Å per unit of T
    spacing : float, Å
    limit : float, optional
        Stop the march at this T (narrow band, for 3D meshes); nodes that are not reached are infinite.
    order : {1, 2}
        Order of the upwind stencil. With a -1/+1 level set both are equally accurate (the staircase interface
        dominates), but order 2 breaks ties by the numbering of the nodes: T changes by up to 0.15 spacing / G
        when the mesh is merely enlarged. Order 1 does not, so it is the default; use 2 for smooth level sets.

    Returns
    -------
    (m1, ..., md) float array
        Zero inside, positive outside.

    Raises
    ------
    ValueError
        If phi or speed is NaN, speed is not positive, or phi has no zero contour.
    """
    _check(phi, speed)
    narrow = 0.0 if limit is None else float(limit)
    # dx must be a Python float for scikit-fmm
    time = skfmm.travel_time(phi, speed, dx=float(spacing), order=order, narrow=narrow)
    time = np.ma.filled(time, np.inf)
    return np.where(phi <= 0, 0.0, time)


def earliest_at_boundary(time: np.ndarray) -> float:
    """Smallest T on the outermost layer of the mesh: beyond it T is not to be trusted."""
    faces = [np.take(time, end, axis=axis).min() for axis in range(time.ndim) for end in (0, -1)]
    return float(min(faces))


def _check(phi: np.ndarray, speed: np.ndarray) -> None:
    if phi.shape != speed.shape:
        raise ValueError(f"Level set {phi.shape} and speed {speed.shape} live on different meshes.")
    if not np.isfinite(phi).all() or not np.isfinite(speed).all():
        raise ValueError(
            f"NaN or infinite values on the mesh: {np.sum(~np.isfinite(phi))} in the level set, "
            f"{np.sum(~np.isfinite(speed))} in the speed, of {phi.size} nodes. Check the local estimator."
        )
    if not np.all(speed > 0):
        raise ValueError(
            f"The speed is not positive on {np.sum(speed <= 0)} of {speed.size} nodes; the front would never "
            f"arrive there. Use a positive floor."
        )
    if np.all(phi > 0):
        raise ValueError(
            f"No zero contour: none of the {phi.size} mesh nodes lies in the QM region. Either the QM region "
            f"is empty, or the mesh is coarser than its sites; decrease h_est or enlarge the QM region."
        )
    if np.all(phi <= 0):
        raise ValueError(
            f"No zero contour: all {phi.size} mesh nodes lie in the QM region. The mesh is too small or the "
            f"whole domain is QM already; increase the margin of the mesh or stop."
        )
