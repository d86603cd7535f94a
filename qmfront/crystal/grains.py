"""Cells of several grains: each atom is of the grain whose lattice its neighbours are, or of a boundary.

A boundary has no lattice. Its atoms are like interstitials: reference positions without a site, bonded to what is near.
The grains have one each, so that all that is known of the crystal holds in them, in axes of their own.
"""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from qmfront.crystal.defect import ADDED
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs, pairs_within, separations
from qmfront.crystal.orientation import Grain, described
from qmfront.crystal.point_defect import BONDED_R0
from qmfront.crystal.site_assignment import incomplete_sites, is_foreign, missing_sites
from qmfront.crystal.stencil import stencil, stencil_vectors
from qmfront.crystal.structure_marks import StructureFile

NEIGHBOUR_R0 = 0.2
"""r0; a neighbour that is nearer to where a lattice has it is one of that lattice."""
MEMBER = 0.6
"""Of the neighbours that a site has, so many tell that an atom is of a grain."""
MOST_AT_BOUNDARIES = 0.6
"""Of the atoms."""


@dataclass(frozen=True, eq=False)
class Reference:
    """Sites of a file.

    site : (n, 3) float, Å
        In the image that the atom is nearest to.
    basis_index : (n,) int
    stencil : Pairs
    changes : (c, 3) float, Å
        Where the file differs from the crystal.
    told : in words
    """

    site: np.ndarray
    basis_index: np.ndarray
    stencil: Pairs
    changes: np.ndarray
    told: str


def several_grains(
    atoms: Atoms, crystal: Crystal, grains: list[Grain], chosen: StructureFile
) -> tuple[Reference, np.ndarray]:
    """The file as the reference of a cell of several grains, and the grain of every atom, (n,) int.

    # ASSUME force constants between grains are left out: what lies at a boundary is QM in every iteration.

    Raises
    ------
    ValueError
        If the crystal has several atoms per lattice point, or most atoms are at boundaries.
    """
    told = f"{chosen.file} has {described(grains, crystal)}"
    if len(crystal.basis) > 1:
        raise ValueError(
            f"{told}: it has no single reference lattice. Several grains are understood in crystals with one atom per "
            "lattice point (fcc, bcc), whose force constants go on to a boundary as they are. Give a file with one "
            "grain in defect.file."
        )
    grain, is_member = _membership(atoms, crystal, grains)
    basis_index = np.where(is_member, 0, ADDED)
    if np.mean(~is_member) > MOST_AT_BOUNDARIES:
        raise ValueError(
            f"{told}, and {np.sum(~is_member)} of its {len(atoms)} atoms have the neighbours of neither: they are at "
            "boundaries, and would all be QM. Make the grains larger."
        )
    pairs = _bonds(atoms, basis_index, crystal.nearest_neighbour_distance)
    lost = [np.zeros((0, 3))]
    for number, one in enumerate(grains):
        members = np.flatnonzero(is_member & (grain == number))
        turned, own = crystal.rotated(one.frame), atoms[members]
        inside = stencil(own.positions, own.cell.array, own.pbc, turned)
        pairs += [Pairs(members[inside.first], members[inside.second], inside.vector)]
        lost.append(_lost_inside(atoms, members, inside, turned))
    stacked = [np.concatenate([getattr(p, name) for p in pairs]) for name in ("first", "second", "vector")]
    order = np.argsort(stacked[0], kind="stable")
    changes = np.concatenate(lost)
    changes = np.vstack([changes, atoms.positions[is_foreign(atoms.numbers, crystal)]])
    if len(changes) == 0:
        changes = atoms.positions[~is_member][:1]
    words = f"its own reference, {described(grains, crystal)}; {np.sum(~is_member)} atoms are at boundaries"
    found = Reference(
        atoms.positions.copy(), basis_index, Pairs(*(array[order] for array in stacked)), changes, words
    )
    return found, grain


def _membership(atoms: Atoms, crystal: Crystal, grains: list[Grain]) -> tuple[np.ndarray, np.ndarray]:
    """The grain that each atom is of, (n,) int, and whether it is of any, (n,) bool."""
    wanted, r0 = len(stencil_vectors(crystal)[0]), crystal.nearest_neighbour_distance
    shares = []
    for one in grains:
        pairs = stencil(atoms.positions, atoms.cell.array, atoms.pbc, crystal.rotated(one.frame))
        now = separations(atoms.positions, atoms.cell.array, atoms.pbc, pairs)
        near = np.linalg.norm(now - pairs.vector, axis=1) < NEIGHBOUR_R0 * r0
        shares.append(np.bincount(pairs.first[near], minlength=len(atoms)) / wanted)
    grain, is_member = np.argmax(shares, axis=0), np.max(shares, axis=0) >= MEMBER
    near = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, BONDED_R0 * r0)
    across = is_member[near.first] & is_member[near.second] & (grain[near.first] != grain[near.second])
    is_member[near.first[across]] = False
    return grain, is_member


def _bonds(atoms: Atoms, basis_index: np.ndarray, r0: float) -> list[Pairs]:
    """Pairs with an atom at a boundary."""
    near = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, BONDED_R0 * r0)
    added = basis_index == ADDED
    return [near.chosen(added[near.first] | added[near.second])]


def _lost_inside(atoms: Atoms, members: np.ndarray, pairs: Pairs, turned: Crystal) -> np.ndarray:
    """Sites (m, 3), Å, of a grain that have no atom, beside which no other grain begins."""
    own, basis = atoms[members], np.zeros(len(members), int)
    places = missing_sites(own, pairs, turned, basis, incomplete_sites(pairs, basis))
    if len(places) == 0:
        return places
    rest = np.ones(len(atoms), bool)
    rest[members] = False
    everything = np.vstack([places, atoms.positions[rest]])
    near = pairs_within(
        everything, atoms.cell.array, atoms.pbc, BONDED_R0 * turned.nearest_neighbour_distance
    )
    beside = near.first[(near.first < len(places)) & (near.second >= len(places))]
    return np.delete(places, np.unique(beside), axis=0)
