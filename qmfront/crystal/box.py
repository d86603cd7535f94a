"""Periodic boxes cut from a periodic domain: how a QM model without surfaces sees QM region and buffer in 3D.

A box of b1 x b2 x b3 right-angled cells (cubic ones in cubic crystals) holds one image of every lattice site: its faces
fit, but for the difference of the displacements on opposite faces, which the buffer keeps away from the QM region.
A cube has b1 = b2 = b3; a cuboid grows along one axis at a time, where a cell more in all three directions is too dear.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

Shape = Literal["cube", "cuboid"]

TIE = 1e-6
"""Of a period; sites this close to the lower face of a box belong to it, to the upper face do not."""


@dataclass(frozen=True, eq=False)
class BoxDomain:
    """A domain of right-angled cells, periodic in all directions: edges of a cell and of the whole, (3,) Å."""

    period: np.ndarray
    edge: np.ndarray

    @property
    def cells(self) -> np.ndarray:
        """Cells along the edges, (3,) int."""
        return np.rint(self.edge / self.period).astype(int)


def box_cells(
    places: np.ndarray, period: np.ndarray, *, width: float = 0.0, minimum: int = 1, shape: Shape = "cube"
) -> np.ndarray:
    """Cells along the edges of the smallest box around places (n, 3), Å, with a width on all sides: (3,) int.

    No place meets an image of another in it, and no edge has less than the minimum of cells.
    """
    extent = np.ptp(places, axis=0)
    apart = np.floor(extent / period + TIE) + 1
    wide = np.ceil((extent + 2 * width) / period - TIE)
    cells = np.maximum(np.maximum(apart, wide), minimum).astype(int)
    return cells if shape == "cuboid" else np.full(3, cells.max())


def centre_of(places: np.ndarray) -> np.ndarray:
    """Middle of the extents of places (n, 3), Å."""
    return (places.min(axis=0) + places.max(axis=0)) / 2


def folded(places: np.ndarray, centre: np.ndarray, domain: np.ndarray) -> np.ndarray:
    """Places (n, 3), Å, in the images nearest to a centre (3,) in a right-angled domain with these edges (3,)."""
    return places - domain * np.rint((places - centre) / domain)


def sites_in_box(
    sites: np.ndarray, centre: np.ndarray, domain: BoxDomain, *, cells: int | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sites of a periodic domain inside the box of cells around a centre, each in the image that lies there.

    Parameters
    ----------
    sites : (n, 3) float, Å
    centre : (3,) float, Å
    domain : BoxDomain
    cells : int or (3,) int
        Cells along the edges of the box.

    Returns
    -------
    chosen : (m,) int
    image : (m, 3) float, Å
        What takes the site to its place in the box: 0 or a vector of the domain.
    """
    period, edge = domain.period, domain.edge
    low = centre - cells * period / 2
    image = -edge * np.floor((sites - low) / edge + TIE * period / edge)
    inside = np.all((sites + image - low) / period < cells - TIE, axis=1)
    return np.flatnonzero(inside), image[inside]


def box_around(
    inner: np.ndarray,
    sites: np.ndarray,
    domain: BoxDomain,
    *,
    width: float,
    minimum_cells: int,
    shape: Shape = "cube",
) -> np.ndarray:
    """Sites of the smallest box that keeps its faces a width away from the inner sites, (n,) bool.

    The whole domain if no smaller box does.

    Parameters
    ----------
    inner : (n,) bool
    sites : (n, 3) float, Å
        Folded around the defect, so that the inner ones are together.
    domain : BoxDomain
    width : float, Å
    minimum_cells : int
        No edge of a box has fewer.
    shape : "cube" or "cuboid"
    """
    places = sites[inner]
    cells = box_cells(places, domain.period, width=width, minimum=minimum_cells, shape=shape)
    if np.all(cells >= domain.cells):
        return np.ones(len(sites), bool)
    chosen, _ = sites_in_box(sites, centre_of(places), domain, cells=np.minimum(cells, domain.cells))
    included = inner.copy()
    included[chosen] = True
    return included
