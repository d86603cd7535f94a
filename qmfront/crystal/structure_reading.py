"""Atoms of a user's file, and what is wrong with them before any geometry is computed from them.

A search for neighbours needs finite positions; the labels of pairs need atoms that lie apart and axes that are those of
the crystal. Each of these mistakes would otherwise end far from its cause: in a search that does not return, in a rim
that seems too near, or in a crystal that is turned and strained without a word.
"""

import logging
import re
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.io import read

from qmfront.config.structure_text import LONGEST_HEAD, reason_of, refuse_impossible_text
from qmfront.crystal.lattice import Crystal, bisector_contacts
from qmfront.crystal.neighbours import Pairs, pairs_within

log = logging.getLogger(__name__)

LAMMPS_DATA, LAMMPS_DUMP = "lammps-data", "lammps-dump-text"
POSCARS = ("POSCAR", "CONTCAR")
Types = tuple[str, ...] | None
"""Elements of the types 1, 2, ... of LAMMPS."""
LAYER = 0.5
"""Å; pairs that are counted reach so much beyond the widest empty layer of the crystal."""
COUNTED = 200_000
"""Of them."""
PLANES = 48
JOINED = 1 / 3
"""Of the pairs that cross a usual plane. Cylinders of matscipy have up to 0.23, relaxed boundaries of grains 0.45."""
OVERLAP_R0 = 0.4
"""Atoms closer than this (r0) are one site written twice. ASSUME no core and no interstitial is so tight."""
NEAR_R0 = 1.35
"""Neighbours whose directions are compared with those of the crystal lie within this distance (r0)."""
MISFIT_R0 = 0.12
"""Median distance (r0) of neighbours from where the crystal has them, beyond which the axes are taken for wrong."""
SAMPLE = 100
"""Atoms on which other axes are tried."""
OUTLIER = 10.0
"""Times the size of nine tenths of the atoms (and Å) at which an atom is none of them."""
SPACE = (0.5, 1e4)
"""Å^3 per atom; hydrogen under pressure has 1.5, a defect in a wide empty box less than the last."""
LARGEST_INDEX = 6
"""Of the Miller indices of axes that are proposed."""


def read_structure(
    path: Path,
    *,
    file_format: str | None,
    pbc: tuple[bool, bool, bool] | None,
    types: Types = None,
    frame: int = -1,
) -> Atoms:
    """A configuration in a file of any format of ASE, with finite positions, in the order and the frame of the file.

    Parameters
    ----------
    path : Path
    file_format : str or None
        ASE's name of the format; None: by name and content.
    pbc : (3,) bool or None
        Periodic directions in place of those of the file; POSCAR and LAMMPS data do not say them.
    types : symbols or None
        Elements of the types 1, 2, ... of LAMMPS.
    frame : int
        Of several configurations, counted from 0; -1 is the last.

    Raises
    ------
    ValueError
        If the file cannot be read, holds no atom, or a position, a cell vector or an array of reals that is not finite.
    """
    refuse_impossible_text(path, file_format)
    file_format = _lammps_format(path) if file_format is None else file_format
    options = {LAMMPS_DATA: {"sort_by_id": False}, LAMMPS_DUMP: {"order": False}}.get(file_format or "", {})
    try:
        atoms = read(path, index=frame, format=file_format, do_not_split_by_at_sign=True, **options)
    except (IndexError, StopIteration) as error:
        raise ValueError(
            f"{path} has no configuration {frame}, counted from 0. Correct defect.frame."
        ) from error
    except Exception as error:  # any reader of ASE may stand here, with any error of its own
        raise ValueError(
            f"{path} cannot be read ({reason_of(error)}). Write extended XYZ, as ase.io.write does, or "
            "name its format in defect.format (vasp for POSCAR, lammps-data, lammps-dump-text)."
        ) from error
    assert isinstance(atoms, Atoms)
    if len(atoms) == 0:
        raise ValueError(f"{path} holds no atom. Correct defect.file.")
    if file_format in (LAMMPS_DATA, LAMMPS_DUMP):
        _complete_lammps(atoms, path, file_format, (types, frame))
    elif types is not None:
        raise ValueError(f"defect.types are those of LAMMPS, and {path} has none. Leave defect.types out.")
    if pbc is not None:
        atoms.pbc = pbc
    _refuse_infinite(atoms, path)
    _refuse_outliers(atoms, path)
    return atoms


def is_silent(path: Path, file_format: str | None) -> bool:
    """Whether a file does not say what is periodic: POSCAR and LAMMPS data."""
    named = (file_format or _lammps_format(path) or ("vasp" if path.name.startswith(POSCARS) else "")).lower()
    return named in ("vasp", LAMMPS_DATA)


def opened(atoms: Atoms, crystal: Crystal, path: Path) -> Atoms:
    """The atoms, not periodic along cell vectors where little joins them to their images, as those of a cylinder.

    Counted are pairs that cross a plane, over planes along a cell vector. Where a crystal goes on, all planes are
    crossed by nearly as many; at a surface, or between cylinders that touch, by few. Pairs reach beyond twice the
    covering radius of the lattice, so that no plane of a crystal is empty.
    """
    if atoms.pbc.sum() < 2 or atoms.cell.rank < 3:
        return atoms
    corners, _ = bisector_contacts(crystal.voronoi_vectors)
    reach = 2 * float(np.linalg.norm(corners, axis=1).max()) + LAYER
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, reach)
    pairs = pairs.chosen(np.linspace(0, len(pairs) - 1, min(len(pairs), COUNTED)).astype(int))
    start = atoms.get_scaled_positions(wrap=False)[pairs.first]
    end = start + pairs.vector @ np.linalg.inv(atoms.cell.array)
    other = atoms.copy()
    for axis in np.flatnonzero(atoms.pbc):
        one, two = start[:, axis], end[:, axis]
        crossed = [np.abs(np.floor(two - f) - np.floor(one - f)).sum() for f in np.arange(PLANES) / PLANES]
        if min(crossed) < JOINED * np.median(crossed):
            other.pbc[axis] = False
            log.info(
                "%s: surfaces part the atoms from their images along the cell vector %s, where it does not repeat",
                path,
                "abc"[axis],
            )
    return other


def named_species(atoms: Atoms, crystal: Crystal, path: Path) -> Atoms:
    """The atoms; those without a species (0) get that of the crystal, which must have one alone."""
    unknown = atoms.numbers == 0
    if not unknown.any():
        return atoms
    if len(crystal.species) > 1:
        raise ValueError(
            f"{path} does not say which species its {unknown.sum()} atoms are, and the crystal has "
            f"{' and '.join(crystal.species)}. Give the elements of its types 1, 2, ... in defect.types."
        )
    other = atoms.copy()
    other.numbers[unknown] = crystal.numbers[0]
    return other


def refuse_overlaps(atoms: Atoms, r0: float, path: Path) -> None:
    """Raise ValueError if two atoms lie on one site, periodic images included."""
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, OVERLAP_R0 * r0)
    if len(pairs) == 0:
        return
    first, second = int(pairs.first[0]), int(pairs.second[0])
    apart = float(np.linalg.norm(pairs.vector[0]))
    direct = float(np.linalg.norm(atoms.positions[second] - atoms.positions[first]))
    if direct > OVERLAP_R0 * r0:
        height = float(np.linalg.norm(atoms.cell.array[2]))
        cause = (
            f"one is the periodic image of the other, since the period is {height:.4f} Å: leave out the atoms that "
            "repeat others after a period"
        )
    else:
        cause = "leave one of them out"
    count = len(np.unique(pairs.first))
    raise ValueError(
        f"{count} atoms of {path} lie on a site with another atom: atoms {first} and {second} (counted from 0) are "
        f"{apart:.3f} Å apart, and nearest neighbours of the crystal {r0:.3f} Å. {cause[0].upper()}{cause[1:]}."
    )


def refuse_wrong_axes(atoms: Atoms, crystal: Crystal, frame: np.ndarray, path: Path) -> None:
    """Raise ValueError if most neighbours are not where the crystal has them; say which axes would do.

    Parameters
    ----------
    atoms : Atoms
    crystal : Crystal
        In its own axes.
    frame : (3, 3) float
        The rows are the crystal directions along x, y, z of the file.
    path : Path
    """
    r0 = crystal.nearest_neighbour_distance
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, NEAR_R0 * r0)
    if len(pairs) == 0:
        raise ValueError(
            f"No two atoms of {path} are neighbours: none are within {NEAR_R0 * r0:.2f} Å. Give the lattice constant "
            "of the file in defect.lattice_constant, or correct materials.*.crystal."
        )
    turned = crystal.rotated(frame)
    ideal = pairs_within(turned.basis, turned.cell, np.ones(3, bool), NEAR_R0 * r0).vector
    if _misfit(pairs.vector, ideal) <= MISFIT_R0 * r0:
        return
    angle, misfit = _best_turn(_sampled(pairs, len(atoms)), ideal)
    if misfit > MISFIT_R0 * r0:
        raise ValueError(
            f"Most neighbours of the atoms of {path} are not where the crystal has them, whichever way the file is "
            "turned about z. Leave defect.axes out, so that they are found, or correct defect.lattice_constant or "
            "materials.*.crystal."
        )
    raise ValueError(
        f"The crystal of {path} is turned by {np.rad2deg(angle):.1f}° about z against defect.axes. "
        f"{_other_axes(_about_z(angle) @ frame)}"
    )


def _lammps_format(path: Path) -> str | None:
    """The format of a file of LAMMPS by its content; None for others."""
    head = path.read_bytes()[:LONGEST_HEAD]
    if head.startswith(b"ITEM:"):
        return LAMMPS_DUMP
    return LAMMPS_DATA if re.search(rb"(?m)^\s*\d+\s+atom types\b", head) else None


def _complete_lammps(atoms: Atoms, path: Path, file_format: str, chosen: tuple[Types, int]) -> None:
    """What ASE leaves out: species by type, 0 where nothing says them, and numbers and corner of a dump."""
    types, frame = chosen
    columns: list[str] = []
    if file_format == LAMMPS_DUMP:
        blocks = path.read_text(encoding="utf-8", errors="replace").split("ITEM: ATOMS")
        head, *rows = blocks[1:][frame].splitlines()
        columns = head.split()
        if "id" in columns:
            words = (row.split() for row in rows[: len(atoms)])
            atoms.arrays["id"] = np.array([int(row[columns.index("id")]) for row in words])
        is_scaled = "xs" in columns or ("xsu" in columns and "xu" not in columns)
        if is_scaled and "x" not in columns:  # ASE counts scaled coordinates from the corner of the box
            atoms.positions += atoms.get_celldisp().ravel()
        for name in [name for name in atoms.arrays if not name.isidentifier()]:
            atoms.arrays[re.sub(r"\W+", "_", name).strip("_")] = atoms.arrays.pop(name)
    atoms.set_celldisp(np.zeros(3))
    atoms.arrays.pop("mmcharges", None)  # initial_charges has them
    atoms.info.pop("comment", None)
    kinds = atoms.arrays.get("type")
    if types is not None:
        if kinds is None or kinds.max() > len(types):
            told = "no types" if kinds is None else f"atoms of type {int(kinds.max())}"
            raise ValueError(
                f"{path} has {told}, and defect.types names {len(types)} elements. Name one for every type."
            )
        atoms.numbers = np.array([atomic_numbers[symbol] for symbol in types])[kinds - 1]
    elif file_format == LAMMPS_DATA:
        if not _states_species(path):
            atoms.numbers[:] = 0
    elif not {"element", "mass"} & set(columns):
        atoms.numbers[:] = 0


def _states_species(path: Path) -> bool:
    """Whether a LAMMPS data file says which elements its types are."""
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = {" ".join(line.split("#")[0].split()) for line in lines}
    if "Masses" in found:
        return True
    start = next((n for n, line in enumerate(lines) if line.strip().startswith("Atom Type Labels")), None)
    if start is None:
        return False
    labels = [
        line.split()[1] for line in lines[start + 1 :] if len(line.split()) == 2 and line.split()[0].isdigit()
    ]
    return bool(labels) and labels[0] in atomic_numbers


def _refuse_infinite(atoms: Atoms, path: Path) -> None:
    bad = np.flatnonzero(~np.isfinite(atoms.positions).all(axis=1))
    if len(bad):
        raise ValueError(
            f"{len(bad)} atoms of {path} have a position that is no finite number, the first is atom {bad[0]} (counted "
            f"from 0): {atoms.positions[bad[0]].tolist()}. Write the file again."
        )
    if not np.isfinite(atoms.cell.array).all():
        raise ValueError(
            f"The cell of {path} is no finite number: {atoms.cell.array.tolist()}. Write it again."
        )


def _refuse_outliers(atoms: Atoms, path: Path) -> None:
    """Atoms far from all others, or too many or too few in their space: a search for neighbours would not return."""
    apart = np.abs(atoms.positions - np.median(atoms.positions, axis=0)).max(axis=1)
    last = int(apart.argmax())
    if apart[last] > OUTLIER * (np.quantile(apart, 0.9) + OUTLIER):
        raise ValueError(
            f"Atom {last} of {path} (counted from 0) is {apart[last]:.3g} Å from the middle of the others: "
            f"{atoms.positions[last].tolist()}. Correct its position, or leave it out."
        )
    edges = np.ptp(atoms.positions, axis=0) + 1.0
    lengths = np.linalg.norm(atoms.cell.array, axis=1)
    space = float(np.prod(np.where(atoms.pbc & (lengths > 0.0), lengths, edges))) / len(atoms)
    if len(atoms) > 1 and not SPACE[0] < space < SPACE[1]:
        raise ValueError(
            f"{path} has {space:.3g} Å^3 of space for each of its {len(atoms)} atoms, and crystals have some 10. "
            "Positions and cell are in Å: write it again."
        )


def _misfit(vectors: np.ndarray, ideal: np.ndarray) -> float:
    """Median distance (Å) of vectors (p, 3) from the nearest of ideal (m, 3)."""
    nearest = np.full(len(vectors), np.inf)
    for vector in ideal:
        np.minimum(nearest, np.linalg.norm(vectors - vector, axis=1), out=nearest)
    return float(np.median(nearest))


def _sampled(pairs: Pairs, n_atoms: int) -> np.ndarray:
    """Vectors of the pairs of some atoms, spread over all."""
    chosen = np.zeros(n_atoms, bool)
    chosen[np.linspace(0, n_atoms - 1, min(SAMPLE, n_atoms)).astype(int)] = True
    return pairs.vector[chosen[pairs.first]]


def _best_turn(vectors: np.ndarray, ideal: np.ndarray) -> tuple[float, float]:
    """The smallest turn about z (radian) of the ideal vectors that fits best, and its misfit (Å)."""
    angles = np.deg2rad(np.arange(-180.0, 180.0, 0.5))
    misfits = np.array([_misfit(vectors, ideal @ _about_z(angle).T) for angle in angles])
    good = angles[misfits < misfits.min() + 1e-2]
    best = good[np.argmin(np.abs(good))]
    return float(best), float(misfits.min())


def _about_z(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _other_axes(frame: np.ndarray) -> str:
    """Axes of small indices along the rows of a frame (3, 3), or how to do without."""
    axes = [_miller(row) for row in frame]
    if any(axis is None for axis in axes):
        return "Leave defect.axes out: they are found then."
    return f"Write defect.axes: {axes}."


def _miller(direction: np.ndarray) -> list[int] | None:
    """The integers up to LARGEST_INDEX along a direction (3,), to a quarter of a degree; None if there are none."""
    for factor in range(1, LARGEST_INDEX + 1):
        integers = np.rint(factor * direction / np.abs(direction).max())
        if np.linalg.norm(np.cross(integers, direction)) < 5e-3 * np.linalg.norm(integers):
            return [int(n) for n in integers]
    return None
