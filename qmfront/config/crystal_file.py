"""Crystals from files: the cell as it is written, with the symmetry that spglib finds made exact.

A file has its coordinates to a few digits. Metric and positions are averaged over the operations of the space group,

    G = <R^T G R>,   x_a = <R^-1 (x_a' - t)>,   a' the atom onto which (R, t) takes a

so that what follows, which knows symmetry by 1e-7 Å, sees all of it. The orientation of the file is kept.
"""

import logging
from functools import lru_cache
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io import read

from qmfront.config.structure_text import reason_of, refuse_impossible_text
from qmfront.config.unit_cell import UnitCell

log = logging.getLogger(__name__)

SYMMETRY_TOLERANCE = 5e-3
"""Å; positions of a file that symmetry would bring together within this are."""
LARGEST_FILE = 2000
"""Atoms of the file."""
LARGEST_CELL = 64
"""Atoms of the primitive cell."""


def cell_of_file(path: Path) -> UnitCell:
    """The cell of a CIF, POSCAR or extended XYZ file as it is, its symmetry made exact.

    Raises
    ------
    ValueError
        If the file cannot be read, or is not a crystal with all sites occupied.
    """
    if not path.is_file():
        raise ValueError(f"no such file (looked for {path.resolve()})")
    return _read(path.resolve(), path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _read(path: Path, changed: int) -> UnitCell:
    atoms = _atoms(path)
    rotations, translations = operations(atoms)
    metric = np.mean([R.T @ (atoms.cell.array @ atoms.cell.array.T) @ R for R in rotations], axis=0)
    vectors = _oriented(metric, atoms.cell.array)
    places = _averaged(atoms, rotations, translations)
    pure = translations[[np.array_equal(R, np.eye(3)) for R in rotations]]
    pure = pure[np.lexsort(np.round(pure.T, 6))]
    first = _one_per_lattice_point(places, pure)
    if len(first) > LARGEST_CELL:
        raise ValueError(
            f"the primitive cell has {len(first)} atoms, more than the {LARGEST_CELL} of a crystal"
        )
    a, b, c = ((float(x), float(y), float(z)) for x, y, z in vectors)
    return UnitCell(
        (a, b, c),
        tuple((float(u), float(v), float(w)) for u, v, w in pure),
        tuple(atoms.get_chemical_symbols()[atom] for atom in first),
        tuple((float(u), float(v), float(w)) for u, v, w in places[first]),
    )


def operations(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (g, 3, 3) int and translations (g, 3) of the space group, in coordinates of the cell vectors."""
    import spglib

    cell = (atoms.cell.array, atoms.get_scaled_positions(), atoms.numbers)
    found = spglib.get_symmetry_dataset(cell, symprec=SYMMETRY_TOLERANCE)
    if found is None:
        raise ValueError("spglib finds no space group: two atoms are at one place, or the cell is no lattice")
    log.info("space group %s (%d)", found.international, found.number)
    translations = np.mod(found.translations + 1e-9, 1.0) - 1e-9
    identity = np.all(found.rotations == np.eye(3, dtype=int), axis=(1, 2))
    exact = translations[identity]
    exact = np.rint(exact * len(exact)) / len(exact)  # the translations make a group of this order
    translations[identity] = exact
    return found.rotations, translations


def _atoms(path: Path) -> Atoms:
    refuse_impossible_text(path, None)
    try:
        atoms = read(path, do_not_split_by_at_sign=True)
    except Exception as error:  # a reader of ASE may raise anything
        raise ValueError(f"{path} cannot be read: {reason_of(error)}") from error
    if isinstance(atoms, list):
        raise ValueError(f"{path} has several structures; write one")
    if not (np.isfinite(atoms.positions).all() and np.isfinite(atoms.cell.array).all()):
        raise ValueError(f"{path} has positions or a cell that are no finite numbers; write it again")
    if len(atoms) > LARGEST_FILE:
        raise ValueError(f"{path} has {len(atoms)} atoms; write the cell of the crystal alone")
    if abs(atoms.cell.volume) < 1e-3:
        raise ValueError(f"{path} has no cell of three vectors, so that it is no crystal")
    occupied = atoms.info.get("occupancy")
    if occupied and any(sum(site.values()) < 1 - 1e-3 or len(site) > 1 for site in occupied.values()):
        raise ValueError(f"{path} has sites that are occupied in part; give an ordered cell")
    return atoms


def _oriented(metric: np.ndarray, cell: np.ndarray) -> np.ndarray:
    """Vectors (3, 3) with a metric, turned as near as can be to a cell."""
    free = np.linalg.cholesky(metric)
    if np.linalg.det(free) * np.linalg.det(cell) < 0:
        free = -free
    left, _, right = np.linalg.svd(free.T @ cell)
    return free @ (left @ right)


def _averaged(atoms: Atoms, rotations: np.ndarray, translations: np.ndarray) -> np.ndarray:
    places = atoms.get_scaled_positions(wrap=False)
    total, count = np.zeros_like(places), 0
    for R, t in zip(rotations, translations, strict=True):
        moved = places @ R.T + t
        apart = moved[:, None] - places[None]
        apart -= np.rint(apart)
        length = np.linalg.norm(apart @ atoms.cell.array, axis=2)
        length[atoms.numbers[:, None] != atoms.numbers[None]] = np.inf
        target = length.argmin(axis=1)
        miss = apart[np.arange(len(places)), target]
        total -= miss @ np.linalg.inv(R).T  # x - R^-1 (x' - t), x' the atom at the image of x
        count += 1
    return places + total / count


def _one_per_lattice_point(places: np.ndarray, pure: np.ndarray) -> list[int]:
    """The first of the atoms that lattice translations bring onto each other, ascending."""
    chosen: list[int] = []
    for atom, place in enumerate(places):
        images = [place - places[other] - pure for other in chosen]
        same = [np.abs(each - np.rint(each)).max(axis=1).min() < 1e-3 for each in images]
        if not any(same):
            chosen.append(atom)
    return chosen
