"""A user's own defect: atoms of a file, matched to the perfect crystal, become the sites of a case.

What repeats along one direction is a straight defect. Its atoms are the reference configuration y0 = l + u0, with
l = y0 and u0 = 0 unless an array of the file says where the sites of the lattice are. N(l) is labelled by lattice
vectors as for every other defect, so that vacancies, cores and slip planes need no analysis; clamp and seeds are arrays
of the file, or rules. What repeats along three directions is a supercell, see `supercell_file`.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
from ase import Atoms
from scipy.spatial import ConvexHull

from qmfront.crystal.atom_state import AtomState
from qmfront.crystal.cluster import surrounded
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.neighbours import Pairs
from qmfront.crystal.orientation import exact_frame, line_period, only_grain
from qmfront.crystal.site_assignment import (
    far_gradient,
    frame_of,
    incomplete_sites,
    is_foreign,
    largest_misfits,
    missing_sites,
    most_strained,
    scaled,
    sublattices,
)
from qmfront.crystal.stencil import stencil
from qmfront.crystal.structure_marks import FIX_ATOMS, RADIUS, StructureFile, fixed, marked, sites_by_array
from qmfront.crystal.structure_reading import (
    is_silent,
    named_species,
    opened,
    read_structure,
    refuse_overlaps,
    refuse_wrong_axes,
)
from qmfront.crystal.supercell_file import supercell_defect

log = logging.getLogger(__name__)

LARGEST_STRAIN = 5e-3
"""Mean strain, and mean rotation (radian), of the clamped sites, relative to the crystal of the QM model at rest."""
BONDED_R0 = 1.1
"""r0; atoms this close to a site without an atom are its neighbours."""
SURFACE_R0 = 1.0
"""r0; sites without an atom that are no farther inside of the outline of the file lie at its surface."""


def defect_of_file(
    crystal: Crystal, lattice_constant: float, chosen: StructureFile
) -> tuple[Defect, np.ndarray | None]:
    """The defect in the file, its core at the origin, and the seeds (n,) bool of the first QM region.

    Parameters
    ----------
    crystal : Crystal
        At rest, in its own axes.
    lattice_constant : float, Å

    Raises
    ------
    ValueError
        If the file is not what it is said to be: positions that are not finite, atoms on one site, no crystal of this
        kind in these axes, a period that is no lattice vector, arrays that are missing, a surface too close to free
        atoms.
    """
    read = read_structure(
        chosen.file, file_format=chosen.format, pbc=chosen.pbc, types=chosen.types, frame=chosen.frame
    )
    atoms = scaled(named_species(read, crystal, chosen.file), lattice_constant, chosen.lattice_constant)
    if chosen.pbc is None:
        atoms = opened(atoms, crystal, chosen.file)
    _refuse_no_period(atoms, chosen)
    refuse_overlaps(atoms, crystal.nearest_neighbour_distance, chosen.file)
    periodic = int(atoms.pbc.sum())
    if periodic == 3:
        is_sure = chosen.pbc is not None or not is_silent(chosen.file, chosen.format)
        return supercell_defect(atoms, crystal, chosen, is_sure=is_sure)
    if periodic == 1:
        return _straight_defect(_Lying.along_z(atoms, chosen), crystal)
    raise ValueError(
        f"{chosen.file} is periodic along {atoms.pbc.tolist()}. A straight defect is periodic along its line alone, a "
        "point defect in a supercell along all three directions; films and clusters have surfaces, for which there is "
        "no far field. Write defect.pbc, such as [false, false, true], where the file cannot say it."
    )


@dataclass(frozen=True)
class _Lying:
    """A straight defect whose line is z.

    atoms : turned
    turn : (3, 3) float
        Rows are the axes of the case in those of the file.
    chosen : StructureFile
        With axes and core turned as well.
    """

    atoms: Atoms
    turn: np.ndarray
    chosen: StructureFile

    @classmethod
    def along_z(cls, atoms: Atoms, chosen: StructureFile) -> "_Lying":
        """The atoms turned by a cyclic exchange of the axes, which keeps the hand."""
        order = np.roll(np.arange(3), -1 - int(np.flatnonzero(atoms.pbc)[0]))
        other = atoms.copy()
        other.positions = atoms.positions[:, order]
        other.cell = atoms.cell.array[order][:, order]
        other.pbc = atoms.pbc[order]
        if other.cell.array[2, 2] < 0.0:  # a vector and its opposite span the same lattice
            other.cell[2] = -other.cell.array[2]
        axes = None if chosen.axes is None else np.asarray(chosen.axes)[order]
        core = chosen.core
        if core is not None and len(core) == 3:
            core = tuple(np.asarray(core, float)[order])
        return cls(other, np.eye(3)[order], replace(chosen, axes=axes, core=core))


def _straight_defect(lying: _Lying, crystal: Crystal) -> tuple[Defect, np.ndarray]:
    """As `defect_of_file`, for a line along z."""
    atoms, chosen, r0 = lying.atoms, lying.chosen, crystal.nearest_neighbour_distance
    _check_period(atoms, chosen)
    if chosen.axes is None:
        frame = exact_frame(only_grain(atoms, crystal, chosen.file), crystal)
    else:
        frame = frame_of(chosen.axes, crystal)
        refuse_wrong_axes(atoms, crystal, frame, chosen.file)
    _check_height(atoms, crystal, frame, chosen)
    turned = crystal.rotated(frame)
    basis_index = sublattices(atoms, turned)
    neighbours = stencil(atoms.positions, atoms.cell.array, atoms.pbc, turned, basis_index=basis_index)
    incomplete = incomplete_sites(neighbours, basis_index)
    missing = missing_sites(atoms, neighbours, turned, basis_index, incomplete)
    wanted = _told_free(atoms, chosen)
    is_beyond = _beyond_surface(atoms, missing, r0)
    near = wanted & _near(atoms, missing[is_beyond], chosen.rim)
    _refuse_near(wanted, near, chosen)
    foreign = is_foreign(atoms.numbers, crystal)
    seeds = _seeds(atoms, wanted & ~near, neighbours, incomplete, foreign, chosen)
    core = _centre(atoms, seeds) if chosen.core is None else np.array([*chosen.core[:2], 0.0])
    if chosen.clamp == RADIUS:
        wanted &= np.linalg.norm((atoms.positions - core)[:, :2], axis=1) < chosen.radius_r0 * r0
    free = _checked_free(wanted, wanted & near, chosen)
    _refuse_faces(atoms, missing[~is_beyond], free, chosen, r0)
    gradient = far_gradient(atoms, neighbours, ~free & ~incomplete, basis_index)
    _check_far_field(gradient, chosen, crystal.lattice_constant)
    sites = atoms.positions if chosen.lattice is None else sites_by_array(atoms, chosen.lattice, chosen)
    log.info(
        "%d atoms of %s, %d free, %d seeds, core at %s Å",
        len(atoms),
        chosen.file,
        free.sum(),
        seeds.sum(),
        core,
    )
    return (
        Defect(
            sites=sites - core,
            predictor=atoms.positions - sites,
            numbers=atoms.numbers.astype(np.int64),
            basis_index=basis_index,
            free=free,
            stencil=neighbours,
            cell=np.array(atoms.cell.array),
            pbc=np.array(atoms.pbc),
            frame=frame,
            core=np.zeros(3),
            r0=r0,
            origin=core @ lying.turn,
            turn=lying.turn,
            state=AtomState.of(atoms, without=chosen.described, what=chosen.file).turned(lying.turn),
        ),
        seeds,
    )


def _refuse_no_period(atoms: Atoms, chosen: StructureFile) -> None:
    """Cell vectors of periodic directions are none of them zero."""
    lost = atoms.pbc & ~np.any(atoms.cell.array, axis=1)
    if lost.any():
        raise ValueError(
            f"{chosen.file} has no period along {' and '.join(np.array(['x', 'y', 'z'])[lost])}: its cell vector there "
            "is zero. Write the cell into the file, or correct defect.pbc."
        )


def _check_period(atoms: Atoms, chosen: StructureFile) -> None:
    """The period is along z."""
    height = atoms.cell.array[2]
    if np.abs(height[:2]).max() > 1e-6 * abs(height[2]):
        raise ValueError(
            f"The period of {chosen.file} is not along the axis that it is periodic in, but turned by "
            f"{np.rad2deg(np.arctan2(np.linalg.norm(height[:2]), height[2])):.3g}°. Turn the structure."
        )


def _check_height(atoms: Atoms, crystal: Crystal, frame: np.ndarray, chosen: StructureFile) -> None:
    """The period is one of the lattice."""
    height = float(atoms.cell.array[2, 2])
    period, axis = line_period(crystal, frame[2])
    turns = height / period
    if abs(turns - round(turns)) > LARGEST_STRAIN * turns:
        raise ValueError(
            f"The period {height:.4f} Å of {chosen.file} is {turns:.4f} periods of the crystal along {axis} "
            f"({period:.4f} Å each). Correct defect.axes, or say the lattice constant of the file in "
            "defect.lattice_constant, to which it is scaled."
        )


def _told_free(atoms: Atoms, chosen: StructureFile) -> np.ndarray:
    """Atoms (n,) bool that file and settings leave free; a radius is counted from the core, which is not known yet."""
    if chosen.clamp == RADIUS:
        return np.ones(len(atoms), bool)
    if chosen.clamp == FIX_ATOMS:
        return ~fixed(atoms, chosen)
    return ~marked(atoms, chosen.clamp, chosen)


def _refuse_near(free: np.ndarray, near: np.ndarray, chosen: StructureFile) -> None:
    """Some free atoms must have all their neighbours in the file; atoms that settings name as free, all of them."""
    if not near.any():
        return
    if near.sum() == free.sum():
        raise ValueError(
            f"All {free.sum()} free atoms of {chosen.file} are within {chosen.rim:.3g} Å (what potential and QM model "
            "reach) of sites that it ends before: their forces would miss neighbours. Make a larger one."
        )
    if chosen.clamp not in (FIX_ATOMS, RADIUS):
        raise ValueError(
            f"{near.sum()} free atoms are within {chosen.rim:g} Å (what potential and QM model reach) of sites that "
            f"{chosen.file} ends before: their forces would miss neighbours. Add clamped atoms outside, or clamp more "
            "of them."
        )


def _checked_free(wanted: np.ndarray, near: np.ndarray, chosen: StructureFile) -> np.ndarray:
    """Atoms (n,) bool that relax: what a file fixes is what its maker had to hold, and what is `near` is held too."""
    free = wanted & ~near
    if free.all() or not free.any():
        raise ValueError(
            f"{'No atom' if free.all() else 'Every atom'} of {chosen.file} is clamped by defect.clamp = "
            f"{chosen.clamp!r}. The far field must be held: mark it, or decrease domain.radius_r0."
        )
    if near.any():
        log.warning(
            "%d atoms of %s, within %.3g Å (what potential and QM model reach) of sites that it ends before, are held "
            "beside the %d that it fixes.",
            near.sum(),
            chosen.file,
            chosen.rim,
            (~wanted).sum(),
        )
    return free


def _near(atoms: Atoms, beyond: np.ndarray, rim: float) -> np.ndarray:
    """Atoms (n,) bool within the rim (Å) of sites (m, 3), Å, that have none."""
    outside = np.arange(len(atoms) + len(beyond)) >= len(atoms)
    positions = np.vstack([atoms.positions, beyond])
    return surrounded(outside, positions, atoms.cell.array, atoms.pbc, width=rim)[: len(atoms)]


def _beyond_surface(atoms: Atoms, missing: np.ndarray, r0: float) -> np.ndarray:
    """Which of the sites (m, 3), Å, without an atom lie outside of the outline of the file, not in it, (m,) bool.

    # ASSUME the outline is convex: what is open inside of it, beyond SURFACE_R0, is a defect, such as a crack.
    """
    edges = ConvexHull(atoms.positions[:, :2]).equations
    inside = -(missing[:, :2] @ edges[:, :2].T + edges[:, 2]).max(axis=1)
    return inside < SURFACE_R0 * r0


def _refuse_faces(
    atoms: Atoms, missing: np.ndarray, free: np.ndarray, chosen: StructureFile, r0: float
) -> None:
    """Where sites (m, 3), Å, are missing inside, nothing is held: a QM region would have to reach the rim there."""
    held = _near(atoms, missing, BONDED_R0 * r0) & ~free
    if held.any():
        raise ValueError(
            f"{held.sum()} atoms of {chosen.file} that are held have lost neighbours inside of its outline, as those "
            "at the faces of a crack: the QM region would run along them to the rim. A crack is described by its "
            "plane, front and load (defect.kind: crack), for which faces are known; hold no atoms beside other defects."
        )


def _centre(atoms: Atoms, chosen: np.ndarray) -> np.ndarray:
    return np.array([*atoms.positions[chosen, :2].mean(axis=0), 0.0])


def _seeds(
    atoms: Atoms,
    free: np.ndarray,
    neighbours: Pairs,
    incomplete: np.ndarray,
    foreign: np.ndarray,
    chosen: StructureFile,
) -> np.ndarray:
    """Seeds by array, as the atoms nearest to the core, or as free atoms with other neighbours than the crystal's.

    A core in which all neighbours are there is where they are farthest from those of the crystal. Solutes are seeds
    where there is no other defect; beside one they are QM as all that is defective.
    """
    if chosen.seed is not None:
        seeds = marked(atoms, chosen.seed, chosen)
    elif chosen.core is not None:
        distance = np.linalg.norm((atoms.positions - np.array([*chosen.core[:2], 0.0]))[:, :2], axis=1)
        seeds = distance < distance.min() + 0.1
    else:
        seeds = incomplete & free
        if not seeds.any():
            shortest = float(np.linalg.norm(neighbours.vector, axis=1).min())
            seeds = most_strained(largest_misfits(atoms, neighbours), free, shortest)
        if not seeds.any():
            seeds = foreign & free
    if not seeds.any():
        raise ValueError(
            f"No atom of {chosen.file} is a seed of the QM region: all free atoms have the neighbours of the perfect "
            "crystal. Give defect.core, or defect.seed, the name of an array that marks atoms."
        )
    return seeds


def _check_far_field(gradient: np.ndarray, chosen: StructureFile, lattice_constant: float) -> None:
    """The clamped sites are those of the crystal: neither strained nor turned, F (3, 3) in their mean."""
    turn = np.array(
        [gradient[2, 1] - gradient[1, 2], gradient[0, 2] - gradient[2, 0], gradient[1, 0] - gradient[0, 1]]
    )
    turn /= 2
    if np.linalg.norm(turn) > LARGEST_STRAIN:
        raise ValueError(
            f"The clamped atoms of {chosen.file} are turned by {np.rad2deg(np.linalg.norm(turn)):.2f}° "
            f"({np.rad2deg(turn[2]):+.2f}° of it about z) against defect.axes. Turn the structure back, or correct "
            "defect.axes."
        )
    strain = float(np.trace(gradient) / 3 - 1)
    if abs(strain) > LARGEST_STRAIN:
        raise ValueError(
            f"The clamped atoms of {chosen.file} are strained by {strain:+.2%} against the crystal of the QM model at "
            "rest. Give the lattice constant with which the file was made, about "
            f"{(1 + strain) * lattice_constant:.4g} Å, as defect.lattice_constant; the structure is scaled then."
        )
