"""Columns: sites that coincide when they are projected onto the plane of a straight defect."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

# Å; far below the projected spacing of any crystal (bcc W along [001]: 1.58 Å) and far above rounding.
COINCIDENT = 0.05


@dataclass(frozen=True)
class Columns:
    """Distinct projected points and the sites that share them.

    points : (m, d) float, Å
        One point per column, the mean of its sites.
    column : (n,) int
        The column of every site.
    """

    points: np.ndarray
    column: np.ndarray

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Sum of values (n,) over the sites of every column, (m,)."""
        return np.bincount(self.column, weights=values, minlength=len(self.points))


def columns_of(coordinates: np.ndarray, *, tolerance: float = COINCIDENT) -> Columns:
    """Merge sites whose coordinates agree within tolerance.

    Parameters
    ----------
    coordinates : (n, d) float, Å
        In-plane coordinates of a straight defect (d = 2) or positions (d = 3), where nothing merges.
    tolerance : float, Å
    """
    coordinates = np.asarray(coordinates, float)
    pairs = cKDTree(coordinates).query_pairs(tolerance, output_type="ndarray")
    n = len(coordinates)
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    m, column = connected_components(graph, directed=False)
    size = np.bincount(column, minlength=m)
    points = [np.bincount(column, weights=x, minlength=m) / size for x in coordinates.T]
    return Columns(np.column_stack(points), column)
