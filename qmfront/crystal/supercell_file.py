"""A defect in a periodic supercell of a user's file: its atoms on the sites of the crystal, and what differs from it.

Sites are those of the crystal in the cell of the file, strained as that cell is; where the file has its atoms is the
predictor u0, so that u = 0 is the structure as it was given. Sites that no atom has are vacancies; atoms that no site
has, such as interstitials, are where the file has them.

Where planes have slipped, as between the two dislocations of a dipole, no site of one lattice is that of an atom. The
reference is the file then, l = y0, and N(l) is labelled across the slip as for straight defects. So it is where there
are several grains: each has a lattice of its own, and atoms at their boundaries have no site.
"""

import logging

import numpy as np
from ase import Atoms
from ase.geometry import find_mic

from qmfront.crystal.atom_state import AtomState
from qmfront.crystal.defect import ADDED, NO_PERIOD, Defect
from qmfront.crystal.grains import Reference, several_grains
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.orientation import Grain, large_grains, nearest_frame
from qmfront.crystal.point_defect import stencil_with_added
from qmfront.crystal.site_assignment import (
    frame_of,
    incomplete_sites,
    is_foreign,
    largest_misfits,
    missing_sites,
    most_strained,
    refuse_foreign,
    sublattices,
)
from qmfront.crystal.stencil import stencil
from qmfront.crystal.structure_marks import (
    FIX_ATOMS,
    StructureFile,
    fixed,
    marked,
    sites_by_array,
)
from qmfront.crystal.supercell import NoSingleLatticeError, Supercell, assigned, supercell_of

log = logging.getLogger(__name__)

CELL_STRAIN = 5e-3
"""Principal strain of the cell of a file beyond which a warning says so."""
LARGEST_CELL_STRAIN = 0.03
"""Beyond which the crystal in the file is another one."""
FAR_R0 = 0.3
"""r0; an atom farther from its site says that the sites are not those of the file."""
MOST_FAR = 0.05
"""Of the atoms."""
FEW_FAR = 8
"""Atoms."""
MISPLACED_R0 = 0.25
"""r0; a neighbour farther than this from where the crystal has it is another one."""
MOST_OTHER = 0.1
"""Of the atoms of a cell whose planes have slipped have such neighbours, or more or fewer."""
MOST_CHANGED = 0.25
"""Of the sites: vacant ones, exchanged species and atoms without a site."""
COMPACT_R0 = 1.5
"""r0; changes that lie no farther than this from their centre are one point defect."""
SQUARE = 1e-6
"""Relative; a cell whose vectors leave the axes by less is right-angled."""
TURNED = np.deg2rad(2.0)
"""Angle between the axes of a file and those that settings give it, beyond which these are wrong."""


def supercell_defect(
    atoms: Atoms, crystal: Crystal, chosen: StructureFile, *, is_sure: bool
) -> tuple[Defect, np.ndarray | None]:
    """The defect in a supercell, at the origin, and seeds (n,) bool; None where it is compact.

    Parameters
    ----------
    atoms : Atoms
        Periodic in all directions.
    crystal : Crystal
        At rest, in its own axes.
    is_sure : bool
        Whether the file, or a setting, says that it is periodic.

    Raises
    ------
    ValueError
        If the file has no reference lattice, atoms that are held, or no defect.
    """
    refuse_foreign(atoms, crystal)
    _refuse_clamp(atoms, chosen)
    grains = _grains(atoms, crystal, chosen)
    supercell, frame, several = None, grains[0].frame, None
    if len(grains) > 1:
        found, several = several_grains(atoms, crystal, grains, chosen)
    else:
        try:
            supercell = supercell_of(atoms.cell.array, crystal, grains[0].gradient)
            frame = _checked_frame(supercell.crystal, crystal, chosen)
            found = _on_sites(atoms, crystal.rotated(frame), supercell, chosen)
        except NoSingleLatticeError as error:
            if not is_sure:
                raise ValueError(
                    f"{chosen.file} does not say what is periodic, and is no supercell of the crystal with a point "
                    f"defect: {error}. Write defect.pbc, such as [false, false, true] for a straight defect along z."
                ) from error
            supercell = None
            found = _slipped(atoms, crystal.rotated(frame), str(error), chosen)
    core = _core(found.changes, atoms, chosen)
    place = find_mic(found.site - core, atoms.cell, pbc=True)[0]
    log.info(
        "%s: %d atoms, %s; the defect is at %s Å", chosen.file, len(atoms), found.told, np.round(core, 3)
    )
    defect = Defect(
        sites=place,
        predictor=atoms.positions - found.site,
        numbers=atoms.numbers.astype(np.int64),
        basis_index=found.basis_index,
        free=np.ones(len(atoms), bool),
        stencil=found.stencil,
        cell=np.array(atoms.cell.array),
        pbc=np.ones(3, bool),
        frame=frame,
        core=np.zeros(3),
        r0=crystal.nearest_neighbour_distance,
        period=_period(supercell),
        origin=core,
        turn=np.eye(3),
        image=found.site - core - place,
        state=AtomState.of(atoms, without=chosen.described, what=chosen.file),
        frames=None if several is None else np.array([grain.frame for grain in grains]),
        grain=several,
    )
    return defect, _seeds(defect, found.changes - core, atoms, chosen)


def _refuse_clamp(atoms: Atoms, chosen: StructureFile) -> None:
    """Nothing is held in a periodic cell; one atom that is only takes away its translations."""
    held = int(fixed(atoms, chosen).sum())
    if held > 1 or chosen.clamp != FIX_ATOMS:
        told = f"{held} atoms" if chosen.clamp == FIX_ATOMS else f"atoms by defect.clamp = {chosen.clamp!r}"
        raise ValueError(
            f"{chosen.file} is a periodic supercell and holds {told}; all its atoms have to be free, since the crystal "
            "around the defect has no end. Write it without constraints."
        )


def _grains(atoms: Atoms, crystal: Crystal, chosen: StructureFile) -> list[Grain]:
    """How the crystal lies in the file: as its atoms tell, and where settings tell it as well, as both do."""
    grains = large_grains(atoms, crystal, chosen.file)
    if chosen.axes is None:
        return grains
    found, angle = nearest_frame(grains[0], crystal, frame_of(chosen.axes, crystal))
    if angle > TURNED:
        raise ValueError(
            f"The crystal of {chosen.file} is turned by {np.rad2deg(angle):.1f}° against defect.axes. Leave these "
            "out, so that they are found, or turn the structure."
        )
    return [found, *grains[1:]]


def _checked_frame(strained: Crystal, crystal: Crystal, chosen: StructureFile) -> np.ndarray:
    """The rotation R (3, 3) of F = R U of a crystal whose strain U - 1 is small."""
    F = (np.linalg.inv(crystal.cell) @ strained.cell).T
    left, stretch, right = np.linalg.svd(F)
    strain = stretch - 1
    told = ", ".join(f"{value:+.2%}" for value in strain)
    constant = float(np.cbrt(np.prod(stretch))) * crystal.lattice_constant
    if np.abs(strain).max() > LARGEST_CELL_STRAIN:
        raise ValueError(
            f"The cell of {chosen.file} is strained by {told} along its principal axes against the crystal of the QM "
            f"model at rest. Give the lattice constant with which it was made, about {constant:.4g} Å, as "
            "defect.lattice_constant, so that it is scaled, or correct materials.*.crystal."
        )
    if np.abs(strain).max() > CELL_STRAIN:
        log.warning(
            "The cell of %s is strained by %s against the crystal of the QM model at rest, and the defect is relaxed "
            "in it as it is. To have the crystal at rest, give defect.lattice_constant: about %.4g Å.",
            chosen.file,
            told,
            constant,
        )
    return left @ right


def _on_sites(atoms: Atoms, turned: Crystal, supercell: Supercell, chosen: StructureFile) -> Reference:
    """Sites of the crystal, where most atoms have one.

    Raises NoSingleLatticeError if they have not.
    """
    at = atoms.copy()
    if chosen.lattice is not None:
        at.set_constraint()
        at.positions = sites_by_array(atoms, chosen.lattice, chosen)
    found = assigned(at, supercell)
    host = turned.numbers[np.maximum(found.basis_index, 0)]
    exchanged = ~found.added & (atoms.numbers != host)
    changed = len(found.vacant) + int((found.added | exchanged).sum())
    way = np.linalg.norm(at.positions - found.site, axis=1)
    far = int((way > FAR_R0 * turned.nearest_neighbour_distance).sum())
    if changed > MOST_CHANGED * len(atoms) or far > max(MOST_FAR * len(atoms), FEW_FAR):
        raise NoSingleLatticeError(
            f"of the sites of the crystal in its cell {changed} are vacant, have another species or lie beside atoms "
            f"without one, and {far} of {len(atoms)} atoms are farther than {FAR_R0:g} r0 from theirs"
        )
    predictor = find_mic(atoms.positions - found.site, atoms.cell, pbc=True)[0]
    site = atoms.positions - predictor
    pairs = stencil_with_added(site, turned, found.basis_index, atoms.cell.array, predictor=predictor)
    changes = np.vstack([found.vacant, atoms.positions[found.added | exchanged]])
    told = (
        f"on {len(found.supercell.keys)} sites of which {len(found.vacant)} are vacant and {exchanged.sum()} have "
        f"another species, and {found.added.sum()} without a site; they are up to {way.max():.2f} Å from it"
    )
    return Reference(site, found.basis_index, pairs, changes, told)


def _slipped(atoms: Atoms, turned: Crystal, why: str, chosen: StructureFile) -> Reference:
    """The file as its own reference, if nearly all of its atoms have the neighbours of the crystal."""
    basis_index = sublattices(atoms, turned)
    pairs = stencil(atoms.positions, atoms.cell.array, atoms.pbc, turned, basis_index=basis_index)
    incomplete = incomplete_sites(pairs, basis_index)
    misfits, r0 = largest_misfits(atoms, pairs), turned.nearest_neighbour_distance
    strained = most_strained(misfits, np.ones(len(atoms), bool), r0)
    other = incomplete | (misfits > MISPLACED_R0 * r0)
    if other.mean() > MOST_OTHER or not (incomplete | strained).any():
        raise ValueError(
            f"{chosen.file} has no single reference lattice: {why}; and {other.mean():.0%} of its atoms have other "
            "neighbours than those of the crystal. Point defects and dislocations in a periodic cell have one. Correct "
            "its cell, defect.pbc or defect.lattice_constant."
        )
    lost = missing_sites(atoms, pairs, turned, basis_index, incomplete)
    foreign = is_foreign(atoms.numbers, turned)
    changes = np.vstack([lost, atoms.positions[strained | foreign]])
    told = (
        f"its own reference, since planes of it have slipped ({incomplete.sum()} atoms with other neighbours)"
    )
    return Reference(atoms.positions.copy(), basis_index, pairs, changes, told)


def _core(changes: np.ndarray, atoms: Atoms, chosen: StructureFile) -> np.ndarray:
    """Centre of the changes (c, 3), Å, in images that are near one another, (3,) Å."""
    if chosen.core is not None:
        if len(chosen.core) != 3:
            raise ValueError(
                f"defect.core = {list(chosen.core)}: {chosen.file} is a periodic supercell, in which the defect has "
                "three coordinates. Leave it out, so that it is found."
            )
        return np.array(chosen.core, float)
    if chosen.seed is not None:
        changes = atoms.positions[marked(atoms, chosen.seed, chosen)]
    if len(changes) == 0:
        raise ValueError(
            f"{chosen.file} is the perfect crystal: no site is vacant, no atom is without a site, no species is "
            "exchanged. Give defect.core or defect.seed, the name of an array that marks atoms, if it has a defect all "
            "the same."
        )
    near = find_mic(changes - changes[0], atoms.cell, pbc=True)[0]
    return changes[0] + near.mean(axis=0)


def _seeds(defect: Defect, changes: np.ndarray, atoms: Atoms, chosen: StructureFile) -> np.ndarray | None:
    if chosen.seed is not None:
        return marked(atoms, chosen.seed, chosen)
    places = find_mic(changes, atoms.cell, pbc=True)[0] if len(changes) else changes
    at_boundary = (defect.basis_index == ADDED) & (defect.frames is not None)
    if at_boundary.any():  # what is there is no less of a defect
        inside = _apart(defect.sites[at_boundary], places, atoms).min(axis=0) > COMPACT_R0 * defect.r0
        places = places[inside]
    elif chosen.core is not None or np.linalg.norm(places, axis=1).max() < COMPACT_R0 * defect.r0:
        return None
    near = _apart(defect.sites, places, atoms).min(axis=1, initial=np.inf) < COMPACT_R0 * defect.r0
    return near | at_boundary


def _apart(sites: np.ndarray, places: np.ndarray, atoms: Atoms) -> np.ndarray:
    """Distances (n, c), Å, of sites (n, 3) from places (c, 3) in a periodic cell."""
    vectors = (sites[:, None] - places).reshape(-1, 3)
    return find_mic(vectors, atoms.cell, pbc=True)[1].reshape(len(sites), len(places))


def _period(supercell: Supercell | None) -> np.ndarray:
    """Edges (3,), Å, of right-angled cells along x, y and z that the cell is made of; infinite if there are none."""
    if supercell is None:
        return np.array(NO_PERIOD)
    cell = supercell.cell
    off = cell - np.diag(np.diag(cell))
    return supercell.period if np.abs(off).max() < SQUARE * np.abs(cell).max() else np.array(NO_PERIOD)
