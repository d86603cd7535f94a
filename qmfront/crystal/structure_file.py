"""A user's own defect: atoms of a file, matched to the perfect crystal, become the sites of a case.

The atoms of the file are the reference configuration y0 = l + u0, with l = y0 and u0 = 0 unless an array of the file
says where the sites of the lattice are. N(l) is labelled by lattice vectors as for every other defect, so that
vacancies, cores and slip planes need no analysis; clamp and seeds are arrays of the file, or rules.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian, FixScaled

from qmfront.crystal.atom_state import QM_READS, AtomState
from qmfront.crystal.cluster import surrounded
from qmfront.crystal.defect import Defect
from qmfront.crystal.disc import straight_line_cell
from qmfront.crystal.lattice import Crystal
from qmfront.crystal.site_assignment import (
    far_gradient,
    frame_of,
    incomplete_sites,
    missing_sites,
    scaled,
    sublattices,
)
from qmfront.crystal.stencil import stencil
from qmfront.crystal.structure_reading import (
    named_species,
    read_structure,
    refuse_overlaps,
    refuse_wrong_axes,
)

log = logging.getLogger(__name__)

LARGEST_STRAIN = 5e-3
"""Mean strain, and mean rotation (radian), of the clamped sites, relative to the crystal of the QM model at rest."""
RADIUS, FIX_ATOMS = "radius", "fix_atoms"
"""Rules for the clamp; any other word names an array."""


@dataclass(frozen=True)
class StructureFile:
    """What the file means.

    file : path
    axes : (3, 3) int
        Crystal directions along x, y, z of the file.
    lattice_constant : float, Å, or None
        Of the crystal in the file: it is scaled to that of the QM model. None: it has that already.
    lattice : str or None
        Array (n, 3), Å, with the site of the perfect crystal of every atom.
    clamp : "radius", "fix_atoms", or the name of an array that is not zero on clamped atoms
    seed : str or None
        Array that is not zero on the atoms around which the first QM region lies. None: `core`, or where neighbours
        are missing.
    core : (2,) or (3,) float, Å, or None
        Position of the defect in the file. None: the centre of the seeds.
    radius_r0 : float
        Of the free atoms around the core, for the rule "radius".
    rim : float, Å
        Least distance of free atoms from the surface of the file.
    format : str or None
        ASE's name of the format; None: by name and content.
    pbc : (3,) bool or None
        Periodic directions in place of those of the file.
    """

    file: Path
    axes: np.ndarray
    lattice_constant: float | None
    lattice: str | None
    clamp: str
    seed: str | None
    core: tuple[float, ...] | None
    radius_r0: float
    rim: float
    format: str | None = None
    pbc: tuple[bool, bool, bool] | None = None


def defect_of_file(
    crystal: Crystal, lattice_constant: float, chosen: StructureFile
) -> tuple[Defect, np.ndarray]:
    """The defect in the file, its core at the origin, and the seeds (n,) bool of the first QM region.

    Parameters
    ----------
    crystal : Crystal
        At rest, cubic axes.
    lattice_constant : float, Å

    Raises
    ------
    ValueError
        If the file is not what it is said to be: positions that are not finite, atoms on one site, no crystal of this
        kind in these axes, a period that is no lattice vector, arrays that are missing, a surface too close to free
        atoms.
    """
    read = read_structure(chosen.file, file_format=chosen.format, pbc=chosen.pbc)
    atoms = scaled(named_species(read, crystal, chosen.file), lattice_constant, chosen.lattice_constant)
    frame = frame_of(chosen.axes)
    turned = crystal.rotated(frame)
    _check_line(atoms, crystal, chosen)
    refuse_overlaps(atoms, crystal.nearest_neighbour_distance, chosen.file)
    refuse_wrong_axes(atoms, turned, frame, chosen.file)
    basis_index = sublattices(atoms, turned)
    cell, pbc = atoms.cell.array, atoms.pbc
    neighbours = stencil(atoms.positions, cell, pbc, turned, basis_index=basis_index)
    incomplete = incomplete_sites(neighbours, basis_index)
    core = _core(atoms, chosen)
    r0 = crystal.nearest_neighbour_distance
    free = _free(atoms, core, chosen, r0)
    seeds = _seeds(atoms, core, incomplete & free, chosen)
    if chosen.core is None and chosen.seed is None:
        core = _centre(atoms, seeds)
    _check_rim(atoms, free, missing_sites(atoms, neighbours, turned, basis_index, incomplete & ~free), chosen)
    _check_far_field(far_gradient(atoms, neighbours, ~free & ~incomplete, basis_index), chosen)
    sites = atoms.positions if chosen.lattice is None else _sites(atoms, chosen.lattice, chosen)
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
            cell=np.array(cell),
            pbc=np.array(pbc),
            frame=frame,
            core=np.zeros(3),
            r0=r0,
            origin=np.array(core, float),
            state=AtomState.of(read, without=_described(chosen), what=chosen.file),
        ),
        seeds,
    )


def _described(chosen: StructureFile) -> list[str]:
    """Names of arrays that say what the atoms are to the case, and nothing to the QM model."""
    own = (chosen.lattice, chosen.clamp, chosen.seed)
    return [name for name in own if name is not None and name not in QM_READS]


def _check_line(atoms: Atoms, crystal: Crystal, chosen: StructureFile) -> None:
    """Periodic along z, with a period of the lattice."""
    if atoms.pbc.tolist() != [False, False, True]:
        raise ValueError(
            f"{chosen.file} is periodic along {atoms.pbc.tolist()}. A straight defect is periodic along z alone, "
            '(pbc="F F T"): turn it so that its line is z, or write defect.pbc: [false, false, true], where the file '
            "cannot say it."
        )
    height = atoms.cell.array[2]
    if not np.abs(height).max() > 0.0:
        raise ValueError(
            f"{chosen.file} has no period along z: its third cell vector is zero. Write the cell into the file."
        )
    if np.abs(height[:2]).max() > 1e-6 * abs(height[2]):
        raise ValueError(
            f"The period {height.round(4).tolist()} Å of {chosen.file} is not along z. Turn the structure."
        )
    axes = np.asarray(chosen.axes)
    period = straight_line_cell(crystal, axes[2], axes[1]).period
    turns = float(height[2] / period)
    if abs(turns - round(turns)) > LARGEST_STRAIN * turns:
        raise ValueError(
            f"The period {height[2]:.4f} Å of {chosen.file} is {turns:.4f} periods of the crystal along "
            f"{axes[2].tolist()} ({period:.4f} Å each). Correct defect.axes, or say the lattice constant of the "
            "file in defect.lattice_constant, to which it is scaled."
        )


def _array(atoms: Atoms, name: str, chosen: StructureFile) -> np.ndarray:
    if name not in atoms.arrays:
        raise ValueError(
            f"{chosen.file} has no array {name!r} (there is: {', '.join(sorted(atoms.arrays))}). Correct the name."
        )
    return atoms.arrays[name]


def _marked(atoms: Atoms, name: str, chosen: StructureFile) -> np.ndarray:
    """Where an array with one value per atom is not zero, (n,) bool."""
    values = _array(atoms, name, chosen)
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise ValueError(
            f"Array {name!r} of {chosen.file} has {values.size // len(atoms)} values of type {values.dtype} per atom; "
            "one number per atom marks atoms, those where it is not zero. Name another array."
        )
    return values != 0


def _sites(atoms: Atoms, name: str, chosen: StructureFile) -> np.ndarray:
    """An array with a finite vector per atom, (n, 3) Å."""
    values = _array(atoms, name, chosen)
    if values.shape != (len(atoms), 3) or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise ValueError(
            f"defect.lattice: array {name!r} of {chosen.file} does not hold three finite numbers per atom, the site of "
            "the perfect crystal. Name another array."
        )
    return values.astype(float)


def _core(atoms: Atoms, chosen: StructureFile) -> np.ndarray:
    """(3,) Å, zero along the line."""
    if chosen.core is not None:
        return np.array([*chosen.core[:2], 0.0])
    if chosen.seed is not None:
        return _centre(atoms, _marked(atoms, chosen.seed, chosen))
    if chosen.clamp == RADIUS:
        raise ValueError(
            "defect.clamp is radius, but about which point? Give defect.core, or defect.seed, the name of an array."
        )
    return np.zeros(3)


def _centre(atoms: Atoms, chosen: np.ndarray) -> np.ndarray:
    return np.array([*atoms.positions[chosen, :2].mean(axis=0), 0.0])


def _free(atoms: Atoms, core: np.ndarray, chosen: StructureFile, r0: float) -> np.ndarray:
    if chosen.clamp == RADIUS:
        free = np.linalg.norm((atoms.positions - core)[:, :2], axis=1) < chosen.radius_r0 * r0
    elif chosen.clamp == FIX_ATOMS:
        free = ~_fixed(atoms, chosen)
    else:
        free = ~_marked(atoms, chosen.clamp, chosen)
    if free.all() or not free.any():
        raise ValueError(
            f"{'No atom' if free.all() else 'Every atom'} of {chosen.file} is clamped by defect.clamp = "
            f"{chosen.clamp!r}. The far field must be held: mark it, or decrease domain.radius_r0."
        )
    return free


def _fixed(atoms: Atoms, chosen: StructureFile) -> np.ndarray:
    """Atoms (n,) bool that the constraints of the file hold; they are held as a whole, or not at all."""
    fixed = np.zeros(len(atoms), bool)
    held = [constraint for constraint in atoms.constraints if np.any(getattr(constraint, "mask", True))]
    partly = [constraint for constraint in held if not _holds_wholly(constraint)]
    if partly:
        count = sum(len(np.atleast_1d(getattr(constraint, "index", ()))) for constraint in partly)
        raise ValueError(
            f"{chosen.file} holds {count} atoms by {type(partly[0]).__name__}{_directions(partly[0])}. An atom is "
            "clamped wholly or free: fix these atoms in all three directions (FixAtoms, or move_mask with one column), "
            "or mark the clamped atoms by an array and name it in defect.clamp."
        )
    for constraint in held:
        fixed[constraint.index] = True
    return fixed


def _holds_wholly(constraint: object) -> bool:
    """Whether atoms under a constraint of ASE cannot move at all."""
    if isinstance(constraint, FixCartesian | FixScaled):
        return bool(np.all(constraint.mask))
    return isinstance(constraint, FixAtoms)


def _directions(constraint: object) -> str:
    if isinstance(constraint, FixCartesian):
        return " along " + " and ".join(np.array(["x", "y", "z"])[constraint.mask]) + " alone"
    return ""


def _seeds(atoms: Atoms, core: np.ndarray, broken: np.ndarray, chosen: StructureFile) -> np.ndarray:
    """Seeds by array, as the atoms nearest to the core, or as free atoms with other neighbours than the crystal's."""
    if chosen.seed is not None:
        seeds = _marked(atoms, chosen.seed, chosen)
    elif chosen.core is not None:
        distance = np.linalg.norm((atoms.positions - core)[:, :2], axis=1)
        seeds = distance < distance.min() + 0.1
    else:
        seeds = broken
    if not seeds.any():
        raise ValueError(
            f"No atom of {chosen.file} is a seed of the QM region: all free atoms have the neighbours of the perfect "
            "crystal. Give defect.core, or defect.seed, the name of an array that marks atoms."
        )
    return seeds


def _check_rim(atoms: Atoms, free: np.ndarray, missing: np.ndarray, chosen: StructureFile) -> None:
    """Forces on free atoms must not miss the sites (m, 3), Å, that the file ends at."""
    positions = np.vstack([atoms.positions[free], missing])
    outside = np.arange(len(positions)) >= free.sum()
    near = surrounded(outside, positions, atoms.cell.array, atoms.pbc, width=chosen.rim)[: free.sum()]
    if near.any():
        raise ValueError(
            f"{near.sum()} free atoms are within {chosen.rim:g} Å (what potential and QM model reach) of sites that "
            f"{chosen.file} ends before: their forces would miss neighbours. Add clamped atoms outside, or clamp more "
            "of them."
        )


def _check_far_field(gradient: np.ndarray, chosen: StructureFile) -> None:
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
            "rest. Give the lattice constant with which the file was made as defect.lattice_constant; the structure "
            "is scaled then."
        )
