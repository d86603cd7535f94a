"""Divide and conquer: the QM forces of a periodic domain, tile by tile, each from a periodic box around it.

The cost is that of a box times the number of tiles, linear in the number of atoms; the error is that of the embedding.
Every box is one evaluation of the model, hence one entry of a journal: processes that share a journal share the tiles.
"""

from collections.abc import Callable

import numpy as np
from ase import Atoms

from qmfront.coupling.box import sites_in_box
from qmfront.coupling.embedding import Body, Forces


def tiles_of(body: Body, tile_cells: int) -> list[np.ndarray]:
    """Sites of every tile: the domain is cut into slabs of at most tile_cells cells along each axis."""
    domain = float(body.cell[0, 0])
    cells = round(domain / body.period)
    low = body.lattice.min(axis=0) - body.period / 8
    share = np.floor((body.lattice - low) / domain * cells + 1e-6).astype(int)
    index = np.clip(share, 0, cells - 1) // tile_cells
    code = np.ravel_multi_index(index.T, (cells, cells, cells))
    return [np.flatnonzero(code == one) for one in np.unique(code)]


def divided_forces(
    body: Body, qm: Forces, *, tile_cells: int, box_cells: int, tiles: list[np.ndarray] | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """The map from u (n, 3), Å, to the QM forces on all sites, (n, 3), eV/Å, NaN outside the tiles.

    Parameters
    ----------
    qm : Atoms -> (m, 3) eV/Å
        Called once per tile.
    tile_cells, box_cells : int
        Cubic cells along the edge of a tile and of the box around it. A box that would tear the defect apart grows.
    tiles : list of (t,) int, optional
        Those of `tiles_of` that are wanted; all of them if left out.
    """
    wanted = tiles_of(body, tile_cells) if tiles is None else tiles
    boxes = [box_of(body, tile, box_cells) for tile in wanted]

    def force(displacement: np.ndarray) -> np.ndarray:
        forces = np.full(displacement.shape, np.nan)
        for tile, (sites, image, cell) in zip(wanted, boxes, strict=True):
            positions = (body.reference + displacement)[sites] + image
            atoms = Atoms(numbers=body.numbers[sites], positions=positions, cell=cell, pbc=True)
            forces[tile] = qm(atoms)[np.searchsorted(sites, tile)]
        return forces

    return force


def box_of(body: Body, tile: np.ndarray, box_cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sites (m,), images (m, 3) Å and cell (3, 3) Å of the box around a tile that leaves the defect in one piece."""
    domain = float(body.cell[0, 0])
    places = body.lattice[tile]
    centre = (places.min(axis=0) + places.max(axis=0)) / 2
    for cells in range(box_cells, round(domain / body.period)):
        sites, image = sites_in_box(body.lattice, centre, cells=cells, period=body.period, domain=domain)
        if np.isin(tile, sites).all() and not _torn(body, sites):
            return sites, image, cells * body.period * np.eye(3)
    everything = np.arange(len(body.numbers))
    return everything, np.zeros((len(everything), 3)), body.cell


def _torn(body: Body, sites: np.ndarray) -> bool:
    """Whether atoms off the lattice are partly inside: the lattice of the others is a quarter of a period wide."""
    quarter = (body.lattice - body.lattice[0]) / body.period * 4
    off = np.flatnonzero(np.abs(quarter - np.rint(quarter)).max(axis=1) > 1e-6)
    return 0 < np.isin(off, sites).sum() < len(off)
