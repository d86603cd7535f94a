"""Point defects in a periodic box: the sites of right-angled cells, some removed, some of another species, some added.

Positions are folded around the defect, so that no distance to it up to half of the box needs an image.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from qmfront.config.section import Vector
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
    """A point defect in a box, in coordinates of the vectors of the conventional cell.

    position : (3,) float
        Of the defect in the box, whose corner is the origin.
    removed : (r, 3) float
        Sites that are left out, relative to the lattice site at which the defect is.
    added : (d, 3) float
        Atoms that are put in, relative to the same site.
    cells : int or three
        Right-angled cells along the edges of the box.
    added_numbers : (d,) int
        Atomic numbers of what is added; empty: that of the first atom of the cell.
    substituted : (t, 3) float
        Sites that another species has, relative to the same site.
    substitutes : (t,) int
        Atomic numbers of those.
    sublattice : int
        Row of Crystal.basis at which the defect is.
    """

    position: Vector
    removed: tuple[Vector, ...]
    added: tuple[Vector, ...]
    cells: int | tuple[int, int, int]
    added_numbers: tuple[int, ...] = ()
    substituted: tuple[Vector, ...] = ()
    substitutes: tuple[int, ...] = ()
    sublattice: int = 0


def point_defect(crystal: Crystal, defect: PointDefect) -> Defect:
    """Sites, predictor (zero) and N(l) of a point defect.

    # ASSUME an added atom has no lattice site: its reference position is where it is put, its neighbours are the atoms
    within BONDED_R0 of it there, and it belongs to no sublattice (basis_index = ADDED). Sites of the lattice keep the
    neighbours of the perfect crystal that are left: a point defect brings no slip.

    Parameters
    ----------
    crystal : Crystal
        The edges of the box are along those of its right-angled cell.
    defect : PointDefect

    Raises
    ------
    ValueError
        If a removed or substituted position is no site, an added atom has no neighbour, or the crystal has no
        right-angled cell.
    """
    edges = crystal.upright @ crystal.cell
    period = np.linalg.norm(edges, axis=1)
    frame = edges / period[:, None]
    chosen = crystal.basis[defect.sublattice] - crystal.basis[0]
    crystal = crystal.rotated(frame).shifted(-frame @ chosen)
    a0, box, core = crystal.lattice_constant, defect.cells * period, _places(crystal, [defect.position])[0]
    sites, basis = _box_sites(crystal, box)
    numbers = crystal.numbers[basis]
    swapped = _sites_at(sites, a0, _places(crystal, defect.substituted), "substituted", defect.substituted)
    numbers[swapped] = defect.substitutes
    left = _sites_at(sites, a0, _places(crystal, defect.removed), "removed", defect.removed)
    if len(both := np.intersect1d(left, swapped)):
        raise ValueError(
            f"{len(both)} sites are under defect.removed and under defect.substituted: name them once."
        )
    kept = np.ones(len(sites), bool)
    kept[left] = False
    added, centre = _places(crystal, defect.added), _centre(crystal, defect)
    places = folded(np.concatenate([sites[kept], added]), centre, box)
    basis_index = np.concatenate([basis[kept], np.full(len(added), ADDED)])
    more = defect.added_numbers or np.repeat(crystal.numbers[0], len(added))
    species = np.concatenate([numbers[kept], np.asarray(more, int)])
    cell, pbc, n = np.diag(box), np.ones(3, bool), len(places)
    return Defect(
        sites=places + core,
        predictor=np.zeros((n, 3)),
        numbers=species,
        basis_index=basis_index,
        free=np.ones(n, bool),
        stencil=stencil_with_added(places, crystal, basis_index, cell),
        cell=cell,
        pbc=pbc,
        frame=frame,
        core=core + centre,
        r0=crystal.nearest_neighbour_distance,
        period=period,
    )


def _places(crystal: Crystal, positions: Sequence[Vector]) -> np.ndarray:
    """Positions (p, 3), coordinates of the conventional vectors, in Å and the axes of the crystal."""
    return crystal.lattice_constant * crystal.direction(np.reshape(np.asarray(positions, float), (-1, 3)))


def _centre(crystal: Crystal, defect: PointDefect) -> np.ndarray:
    """Mean of the positions that were changed, (3,) Å; the site of the defect if there are none."""
    changed = [*defect.removed, *defect.substituted, *defect.added]
    return _places(crystal, [np.mean(changed, axis=0)])[0] if changed else np.zeros(3)


def _box_sites(crystal: Crystal, box: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sites of the crystal in the half-open box around the origin, and their rows of Crystal.basis."""
    reach = np.linalg.norm(box) / 2 + np.linalg.norm(crystal.basis, axis=1).max()
    count = np.ceil(reach * np.linalg.norm(np.linalg.inv(crystal.cell), axis=0)).astype(int)
    grid = np.meshgrid(*(np.arange(-c, c + 1) for c in count), indexing="ij")
    lattice = np.stack([g.ravel() for g in grid], axis=1) @ crystal.cell
    places = (lattice[:, None] + crystal.basis).reshape(-1, 3)
    basis = np.tile(np.arange(len(crystal.basis)), len(lattice))
    inside = np.all(np.floor(places / box + 0.5 + 1e-9) == 0, axis=1)
    expected = round(np.prod(box) / crystal.volume) * len(crystal.basis)
    assert inside.sum() == expected, f"{inside.sum()} sites in a box for {expected}"
    return places[inside], basis[inside]


def _sites_at(
    sites: np.ndarray, a0: float, wanted: np.ndarray, name: str, written: tuple[Vector, ...]
) -> np.ndarray:
    """Indices of the sites at given places (w, 3), Å; key and its value for errors."""
    if len(wanted) == 0:
        return np.zeros(0, int)
    distance, index = map(np.asarray, cKDTree(sites).query(wanted))
    for position, apart in zip(written, distance / a0, strict=True):
        if apart > ON_SITE:
            raise ValueError(
                f"defect.{name}: there is no site at {list(position)} a0 from that of the defect; the nearest is "
                f"{apart:.3f} a0 away. Give positions of the perfect crystal relative to a site."
            )
    if len(set(index.tolist())) < len(index):
        raise ValueError(f"defect.{name} names a site twice: {[list(p) for p in written]}.")
    return index


def stencil_with_added(
    places: np.ndarray,
    crystal: Crystal,
    basis_index: np.ndarray,
    cell: np.ndarray,
    *,
    predictor: np.ndarray | float = 0.0,
) -> Pairs:
    """N(l) of the lattice sites that are left, and the bonds of added atoms, sorted by `first`.

    Parameters
    ----------
    places : (n, 3) float, Å
        Sites l.
    crystal : Crystal
        In the axes of the sites.
    basis_index : (n,) int
    cell : (3, 3) float, Å
        Periodic in all directions.
    predictor : (n, 3) float, Å
        u0; added atoms are bonded to what is within BONDED_R0 at l + u0.
    """
    pbc = np.ones(3, bool)
    lattice = np.flatnonzero(basis_index != ADDED)
    found = stencil(places[lattice], cell, pbc, crystal, basis_index=basis_index[lattice])
    reach = BONDED_R0 * crystal.nearest_neighbour_distance
    near = pairs_within(places + predictor, cell, pbc, reach)
    new = basis_index == ADDED
    bonds = near.chosen(new[near.first] | new[near.second])
    lonely = np.setdiff1d(np.flatnonzero(new), bonds.first)
    if len(lonely):
        raise ValueError(
            f"The added atom at {np.round(places[lonely[0]], 2)} Å (from the site of the defect) has no neighbour "
            f"within {BONDED_R0:g} r0. Put it nearer to the others."
        )
    moved = np.broadcast_to(predictor, places.shape)
    apart = bonds.vector - moved[bonds.second] + moved[bonds.first]
    first = np.concatenate([lattice[found.first], bonds.first])
    second = np.concatenate([lattice[found.second], bonds.second])
    vector = np.concatenate([found.vector, apart])
    order = np.argsort(first, kind="stable")
    return Pairs(first[order], second[order], vector[order])
