"""The equi-spaced mesh T_est on which the front of Algorithm 2 moves, in two or three dimensions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from qmfront.config.sizes import MAXIMUM_NODES


@dataclass(frozen=True)
class Grid:
    """Nodes origin + spacing * (i, j[, k]), the set N_est of Algorithm 2.

    origin : (d,) float, Å
    spacing : float, Å
        h_est, the same in every direction.
    shape : tuple of d int
        Number of nodes per direction.
    """

    origin: np.ndarray
    spacing: float
    shape: tuple[int, ...]

    @property
    def dimension(self) -> int:
        """d, 2 for straight defects and 3 otherwise."""
        return len(self.shape)

    def axes(self) -> tuple[np.ndarray, ...]:
        """Node coordinates along every direction, d arrays, Å."""
        return tuple(o + self.spacing * np.arange(m) for o, m in zip(self.origin, self.shape, strict=True))

    def nodes(self) -> np.ndarray:
        """Coordinates of all nodes in C order, (prod(shape), d), Å."""
        return np.stack(np.meshgrid(*self.axes(), indexing="ij"), axis=-1).reshape(-1, self.dimension)

    @classmethod
    def of_axes(cls, axes: Sequence[np.ndarray]) -> "Grid":
        """The inverse of `axes`."""
        origin, shape = np.array([axis[0] for axis in axes]), tuple(len(axis) for axis in axes)
        return cls(origin, float(axes[0][1] - axes[0][0]), shape)

    def contains(self, points: np.ndarray) -> np.ndarray:
        """Which points (n, d) lie inside the mesh, (n,) bool."""
        top = self.origin + self.spacing * (np.array(self.shape) - 1)
        return np.all((points >= self.origin) & (points <= top), axis=1)

    def at(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Multilinear interpolation of nodal values to points (n, d); infinite outside the mesh.

        Infinite nodal values are allowed: a point whose mesh cell has one is infinite, too.
        """
        finite = np.isfinite(values)
        inner = RegularGridInterpolator(
            self.axes(), np.where(finite, values, 0.0), bounds_error=False, fill_value=np.inf
        )
        result = inner(points)
        if not finite.all():
            weight = RegularGridInterpolator(
                self.axes(), (~finite).astype(float), bounds_error=False, fill_value=1.0
            )
            result[weight(points) > 0] = np.inf
        return result


def covering(points: np.ndarray, *, spacing: float, margin: float) -> Grid:
    """The smallest square (cubic) mesh that contains all points with a margin on every side.

    Nodes lie on multiples of spacing, so that a larger margin only adds nodes.

    Parameters
    ----------
    points : (n, d) float, Å
        d is 2 or 3.
    spacing, margin : float, Å

    Raises
    ------
    ValueError
        If there are no points, if they are not finite or neither 2D nor 3D, if spacing <= 0 or
        margin < 0, or if the mesh would have more than MAXIMUM_NODES nodes.
    """
    points = np.asarray(points, float)
    _check(points, spacing, margin)
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    centre, half = (low + high) / 2, np.max(high - low) / 2
    first = np.floor((centre - half) / spacing)
    m = int(np.max(np.ceil((centre + half) / spacing) - first)) + 1
    shape = (max(m, 2),) * points.shape[1]
    n_nodes = float(max(m, 2)) ** len(shape)
    if n_nodes > MAXIMUM_NODES:
        raise ValueError(
            f"The mesh of Algorithm 2 would have {n_nodes:.1e} nodes (spacing {spacing:g} Å over "
            f"{2 * half:.0f} Å); at most {MAXIMUM_NODES:.0e} are supported. Increase the mesh spacing h_est."
        )
    return Grid(first * spacing, float(spacing), shape)


def _check(points: np.ndarray, spacing: float, margin: float) -> None:
    if points.ndim != 2 or points.shape[1] not in (2, 3):
        raise ValueError(f"Points must have shape (n, 2) or (n, 3), got {points.shape}.")
    if len(points) == 0:
        raise ValueError("There are no points to cover: QM and buffer regions are both empty.")
    if not np.isfinite(points).all():
        raise ValueError(
            f"{np.sum(~np.isfinite(points).all(axis=1))} points have NaN or infinite coordinates."
        )
    if not spacing > 0 or not margin >= 0:
        raise ValueError(f"Need spacing > 0 and margin >= 0 (got {spacing:g} Å and {margin:g} Å).")
