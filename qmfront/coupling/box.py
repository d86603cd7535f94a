"""Periodic boxes cut from a periodic domain: how a QM model without surfaces sees QM region and buffer in 3D.

A box of b^3 cubic cells holds one image of every lattice site: its faces fit, but for the difference of the
displacements on opposite faces, which the buffer keeps away from the QM region.
"""

import numpy as np

TIE = 1e-6
"""Of a period; sites this close to the lower face of a box belong to it, to the upper face do not."""


def box_cells(places: np.ndarray, period: float) -> int:
    """Cells along the edge of the smallest box in which none of places (n, 3), Å, meets an image of another."""
    return int(np.floor(np.ptp(places, axis=0).max() / period + TIE)) + 1


def centre_of(places: np.ndarray) -> np.ndarray:
    """Middle of the extents of places (n, 3), Å."""
    return (places.min(axis=0) + places.max(axis=0)) / 2


def folded(places: np.ndarray, centre: np.ndarray, domain: float) -> np.ndarray:
    """Places (n, 3), Å, in the images nearest to a centre (3,) in a cubic domain with this edge."""
    return places - domain * np.rint((places - centre) / domain)


def sites_in_box(
    sites: np.ndarray, centre: np.ndarray, *, cells: int, period: float, domain: float
) -> tuple[np.ndarray, np.ndarray]:
    """Sites of a periodic domain inside the box of cells^3 around a centre, each in the image that lies there.

    Parameters
    ----------
    sites : (n, 3) float, Å
    centre : (3,) float, Å
    cells : int
    period, domain : float, Å
        Edges of the cubic cell and of the domain.

    Returns
    -------
    chosen : (m,) int
    image : (m, 3) float, Å
        What takes the site to its place in the box: 0 or a vector of the domain.
    """
    low = centre - cells * period / 2
    image = -domain * np.floor((sites - low) / domain + TIE * period / domain)
    inside = np.all((sites + image - low) / period < cells - TIE, axis=1)
    return np.flatnonzero(inside), image[inside]


def cube_around(
    inner: np.ndarray, sites: np.ndarray, *, width: float, minimum_cells: int, period: float, domain: float
) -> np.ndarray:
    """Sites of the smallest box that keeps its faces a width away from the inner sites, (n,) bool.

    The whole domain if no smaller box does.

    Parameters
    ----------
    inner : (n,) bool
    sites : (n, 3) float, Å
        Folded around the defect, so that the inner ones are together.
    width : float, Å
    minimum_cells : int
        No box is smaller.
    """
    places = sites[inner]
    needed = np.ceil((np.ptp(places, axis=0).max() + 2 * width) / period - TIE)
    cells = int(max(needed, minimum_cells, box_cells(places, period)))
    if cells >= round(domain / period):
        return np.ones(len(sites), bool)
    chosen, _ = sites_in_box(sites, centre_of(places), cells=cells, period=period, domain=domain)
    included = inner.copy()
    included[chosen] = True
    return included
