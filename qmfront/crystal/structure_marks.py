"""What a user's file and the settings of its case say of the atoms: what is held, what are seeds, where sites are."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.constraints import FixAtoms, FixCartesian, FixCom, FixScaled

from qmfront.crystal.atom_state import QM_READS

RADIUS, FIX_ATOMS = "radius", "fix_atoms"
"""Rules for the clamp; any other word names an array."""


@dataclass(frozen=True)
class StructureFile:
    """What the file means.

    file : path
    axes : (3, 3) int or None
        Crystal directions along x, y, z of the file. None: found.
    lattice_constant : float, Å, or None
        Of the crystal in the file: it is scaled to that of the QM model. None: it has that already.
    lattice : str or None
        Array (n, 3), Å, with the site of the perfect crystal of every atom.
    clamp : "radius", "fix_atoms", the name of an array that is not zero on clamped atoms, or name=value
    seed : str or None
        Array that is not zero on the atoms around which the first QM region lies, or name=value. None: `core`, or where
        neighbours are missing.
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
    types : symbols or None
        Elements of the types 1, 2, ... of LAMMPS.
    frame : int
        Of several configurations, counted from 0, or from the last one, -1.
    """

    file: Path
    axes: np.ndarray | None = None
    lattice_constant: float | None = None
    lattice: str | None = None
    clamp: str = FIX_ATOMS
    seed: str | None = None
    core: tuple[float, ...] | None = None
    radius_r0: float = 50.0
    rim: float = 0.0
    format: str | None = None
    pbc: tuple[bool, bool, bool] | None = None
    types: tuple[str, ...] | None = None
    frame: int = -1

    @property
    def described(self) -> list[str]:
        """Names of arrays that say what the atoms are to the case, and nothing to the QM model."""
        own = [self.lattice, *(named and named.partition("=")[0] for named in (self.clamp, self.seed))]
        return [name for name in own if name and name not in QM_READS]


def marked(atoms: Atoms, name: str, chosen: StructureFile) -> np.ndarray:
    """Where an array with one value per atom is not zero, or has a value, (n,) bool."""
    name, _, wanted = name.partition("=")
    values = _array(atoms, name, chosen)
    if values.ndim != 1 or (not wanted and values.dtype.kind not in "biuf"):
        raise ValueError(
            f"Array {name!r} of {chosen.file} has {values.size // len(atoms)} values of type {values.dtype} per atom; "
            "one number per atom marks atoms, those where it is not zero. Name another array, or write name=value."
        )
    if not wanted:
        return values != 0
    try:
        found = values == (np.array(wanted) if values.dtype.kind == "U" else float(wanted))
    except ValueError:
        found = np.zeros(len(atoms), bool)
    if not np.any(found):
        there = ", ".join(map(str, np.unique(values)[:10].tolist()))
        raise ValueError(
            f"No atom of {chosen.file} has {name} = {wanted}; there is {there}. Correct the value."
        )
    return found


def sites_by_array(atoms: Atoms, name: str, chosen: StructureFile) -> np.ndarray:
    """An array with a finite vector per atom, (n, 3) Å."""
    values = _array(atoms, name, chosen)
    if values.shape != (len(atoms), 3) or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        raise ValueError(
            f"defect.lattice: array {name!r} of {chosen.file} does not hold three finite numbers per atom, the site of "
            "the perfect crystal. Name another array."
        )
    return values.astype(float)


def fixed(atoms: Atoms, chosen: StructureFile) -> np.ndarray:
    """Atoms (n,) bool that the constraints of the file hold; they are held as a whole, or not at all."""
    found = np.zeros(len(atoms), bool)
    held = [constraint for constraint in atoms.constraints if np.any(getattr(constraint, "mask", True))]
    held = [constraint for constraint in held if not isinstance(constraint, FixCom)]
    partly = [constraint for constraint in held if not _holds_wholly(constraint)]
    if partly:
        count = sum(len(np.atleast_1d(getattr(constraint, "index", ()))) for constraint in partly)
        raise ValueError(
            f"{chosen.file} holds {count} atoms by {type(partly[0]).__name__}{_directions(partly[0])}. An atom is "
            "clamped wholly or free: fix these atoms in all three directions (FixAtoms, or move_mask with one column), "
            "or mark the clamped atoms by an array and name it in defect.clamp."
        )
    for constraint in held:
        found[constraint.index] = True
    return found


def _array(atoms: Atoms, name: str, chosen: StructureFile) -> np.ndarray:
    if name not in atoms.arrays:
        raise ValueError(
            f"{chosen.file} has no array {name!r} (there is: {', '.join(sorted(atoms.arrays))}). Correct the name."
        )
    return atoms.arrays[name]


def _holds_wholly(constraint: object) -> bool:
    """Whether atoms under a constraint of ASE cannot move at all."""
    if isinstance(constraint, FixCartesian | FixScaled):
        return bool(np.all(constraint.mask))
    return isinstance(constraint, FixAtoms)


def _directions(constraint: object) -> str:
    if isinstance(constraint, FixCartesian):
        return " along " + " and ".join(np.array(["x", "y", "z"])[constraint.mask]) + " alone"
    return ""
