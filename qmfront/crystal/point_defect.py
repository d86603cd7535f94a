"""Point defects in a periodic box: the sites of m^3 cubic cells, some removed and some added.

Positions are folded around the defect, so that no distance to it up to half of the box needs an image.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from qmfront.crystal.box import folded
from qmfront.crystal.defect import ADDED, Defect
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.crystal.stencil import stencil

ON_SITE = 0.02
"""a0; a removed position names the site that is at least this near."""
BONDED_R0 = 1.25
"""r0; atoms this close to an added atom are its nearest neighbours."""


@dataclass(frozen=True)
class PointDefect:
    """A point defect in a box, in cubic axes and units of the lattice constant.

    position : (3,) float, a0
        Of the defect in the box, whose corner is the origin.
    removed : (r, 3) float, a0
        Sites that are left out, relative to the lattice site at which the defect is.
    added : (d, 3) float, a0
        Atoms that are put in, relative to the same site.
    cells : int
        Cubic cells along each edge of the box.
    """

    position: tuple[float, float, float]
    removed: tuple[tuple[float, float, float], ...]
    added: tuple[tuple[float, float, float], ...]
    cells: int


def point_defect(crystal: Crystal, edge: float, defect: PointDefect) -> Defect:
    """Sites, predictor (zero) and N(l) of a point defect.

    # ASSUME an added atom has no lattice site: its reference position is where it is put, its neighbours are the atoms
    within BONDED_R0 of it there, and it belongs to no sublattice (basis_index = ADDED). Sites of the lattice keep the
    neighbours of the perfect crystal that are left: a point defect brings no slip.

    Parameters
    ----------
    crystal : Crystal
        In cubic axes.
    edge : float, Å
        Lattice constant of the cubic cell.
    defect : PointDefect

    Raises
    ------
    ValueError
        If a removed position is no site, or an added atom has no neighbour.
    """
    box, core = defect.cells * edge, edge * np.asarray(defect.position, float)
    places, basis = _box_sites(crystal, box)
    kept = np.ones(len(places), bool)
    kept[_sites_at(places, edge, defect.removed)] = False
    added = edge * np.reshape(np.asarray(defect.added, float), (-1, 3))
    places = folded(np.concatenate([places[kept], added]), _centre(edge, defect), box)
    basis_index = np.concatenate([basis[kept], np.full(len(added), ADDED)])
    species = np.concatenate([crystal.numbers[basis[kept]], np.repeat(crystal.numbers[0], len(added))])
    cell, pbc, n = box * np.eye(3), np.ones(3, bool), len(places)
    return Defect(
        sites=places + core,
        predictor=np.zeros((n, 3)),
        numbers=species,
        basis_index=basis_index,
        free=np.ones(n, bool),
        stencil=_neighbours(places, cell, pbc, crystal, basis_index),
        cell=cell,
        pbc=pbc,
        frame=np.eye(3),
        core=core + _centre(edge, defect),
        r0=crystal.nearest_neighbour_distance,
        period=edge,
    )


def _centre(edge: float, defect: PointDefect) -> np.ndarray:
    """Mean of the positions that were changed, (3,) Å; the site of the defect if there are none."""
    changed = [*defect.removed, *defect.added]
    return edge * np.mean(changed, axis=0) if changed else np.zeros(3)


def _box_sites(crystal: Crystal, box: float) -> tuple[np.ndarray, np.ndarray]:
    """Sites of the crystal in the half-open cube around the origin, and their rows of Crystal.basis."""
    reach = np.sqrt(3) * box / 2 + np.linalg.norm(crystal.basis, axis=1).max()
    count = np.ceil(reach * np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)).astype(int)
    grid = np.meshgrid(*(np.arange(-c, c + 1) for c in count), indexing="ij")
    lattice = np.stack([g.ravel() for g in grid], axis=1) @ crystal.cell
    places = (lattice[:, None] + crystal.basis).reshape(-1, 3)
    basis = np.tile(np.arange(len(crystal.basis)), len(lattice))
    inside = np.all(np.floor(places / box + 0.5 + 1e-9) == 0, axis=1)
    expected = round(box**3 / crystal.volume) * len(crystal.basis)
    assert inside.sum() == expected, f"{inside.sum()} sites in a box for {expected}"
    return places[inside], basis[inside]


def _sites_at(places: np.ndarray, edge: float, wanted: tuple) -> np.ndarray:
    """Indices of the sites at given positions (a0)."""
    if len(wanted) == 0:
        return np.zeros(0, int)
    distance, index = map(np.asarray, cKDTree(places).query(edge * np.asarray(wanted, float)))
    for position, apart in zip(wanted, distance / edge, strict=True):
        if apart > ON_SITE:
            raise ValueError(
                f"defect.removed: there is no site at {list(position)} a0 from that of the defect; the nearest is "
                f"{apart:.3f} a0 away. Give positions of the perfect crystal relative to a site."
            )
    if len(set(index.tolist())) < len(index):
        raise ValueError(f"defect.removed names a site twice: {[list(p) for p in wanted]}.")
    return index


def _neighbours(
    places: np.ndarray, cell: np.ndarray, pbc: np.ndarray, crystal: Crystal, basis_index: np.ndarray
) -> Pairs:
    """N(l) of the lattice sites that are left, and the bonds of added atoms, sorted by `first`."""
    lattice = np.flatnonzero(basis_index != ADDED)
    found = stencil(places[lattice], cell, pbc, crystal, basis_index=basis_index[lattice])
    near = pairs_within(places, cell, pbc, BONDED_R0 * crystal.nearest_neighbour_distance)
    new = basis_index == ADDED
    bonds = near.chosen(new[near.first] | new[near.second])
    lonely = np.setdiff1d(np.flatnonzero(new), bonds.first)
    if len(lonely):
        raise ValueError(
            f"defect.added: the atom at {np.round(places[lonely[0]], 2)} Å from the site of the defect has no "
            f"neighbour within {BONDED_R0:g} r0. Put it nearer to the others."
        )
    first = np.concatenate([lattice[found.first], bonds.first])
    second = np.concatenate([lattice[found.second], bonds.second])
    vector = np.concatenate([found.vector, bonds.vector])
    order = np.argsort(first, kind="stable")
    return Pairs(first[order], second[order], vector[order])
