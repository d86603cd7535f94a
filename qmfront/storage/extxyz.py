"""Structures for viewers: extended XYZ with region, estimator and displacement of every site."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from qmfront.storage.writing import write_file

# A column of extended XYZ cannot hold a space, so "far field" of the reports is far_field here.
REGIONS = ("QM", "buffer", "MM", "far_field")
VACUUM = 5.0  # Å between the outermost atoms and the box in free directions; drawn, without effect
JSON = "_JSON"
"""ASE reads texts that begin with it as JSON."""
LETTERS = {"f": "R", "i": "I", "b": "L", "U": "S"}


def write_extxyz(
    path: Path | str,
    atoms: Atoms,
    *,
    region: np.ndarray,
    arrays: Mapping[str, np.ndarray] | None = None,
    info: Mapping[str, bool | float | str] | None = None,
    keeps_cell: bool = False,
) -> None:
    """Write one frame of extended XYZ, all or nothing; ASE and OVITO read it.

    Numbers are written with 17 digits in exponent form: what is read back is what was written, and an estimator of
    1e-12 does not become zero. Free directions get a box around the atoms, with its corner as `Origin`, unless the
    atoms have a whole cell that is kept.

    Parameters
    ----------
    path : usually *.extxyz
    atoms : positions y = l + u0 + u, Å, (2.1); of their cell only rows of periodic directions matter, if it is not kept
    region : (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field; column `region` holds the words of REGIONS, `region_id` the numbers,
        by which OVITO can colour (older versions skip columns of words).
    arrays : name -> (n,) or (n, m) float, int, bool or str
        Further columns, such as `eta` (n,) and `displacement` (n, 3), Å.
    info : name -> bool, float or str
        Further entries of the header, such as eta=1e-3 and trusted=T; of texts Å becomes A, and quotes become '.

    Raises
    ------
    ValueError if lengths disagree, a number is not finite, a region is unknown, or a name or word holds a space.
    """
    positions, pbc = atoms.positions, np.asarray(atoms.pbc, bool)
    columns = {
        "species": np.array(chemical_symbols)[atoms.numbers],
        "pos": positions,
        "region": _region_words(np.asarray(region)),
        "region_id": np.asarray(region),
        **{name: np.asarray(array) for name, array in (arrays or {}).items()},
    }
    for name, array in columns.items():
        _check(name, array, len(positions))
    box, origin = np.asarray(atoms.cell.array, float), np.zeros(3)
    if not (keeps_cell and atoms.cell.rank == 3):
        box, origin = drawn_box(positions, box, pbc)
    flags = " ".join("T" if periodic else "F" for periodic in pbc)
    told = "".join(f" {name}={_entry(name, value)}" for name, value in (info or {}).items())
    lattice = f'Lattice="{joined(box)}" Origin="{joined(origin)}"'
    write_file(path, frame(columns, lattice, f'pbc="{flags}"{told}'))


def frame(columns: Mapping[str, np.ndarray], lattice: str, header: str) -> str:
    """The text of one frame: numbers in 17 digits, by which every float is read back bit by bit.

    columns : name -> (n,) or (n, m) float, int, bool or words
    lattice, header : the second line, before and after its `Properties`
    """
    kinds = ":".join(f"{n}:{LETTERS[a.dtype.kind]}:{a[0].size}" for n, a in columns.items())
    words = [column for array in columns.values() for column in _words(array)]
    lines = [" ".join(row) for row in zip(*words, strict=True)]
    return "\n".join([str(len(lines)), f"{lattice} Properties={kinds} {header}", *lines, ""])


def drawn_box(positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A right-handed cell (3, 3), Å, with the periodic rows and around the atoms in free directions; and its corner.

    The free rows are orthogonal to the periodic ones. The corner lies VACUUM outside the outermost atoms; along
    periodic rows it is the origin of the coordinates.
    """
    box, origin = cell.copy(), np.zeros(3)
    free = np.flatnonzero(~pbc)
    if len(free) == 0:
        return box, origin
    box[free] = _free_normals(cell, pbc)
    for axis in free:
        normal = box[axis].copy()
        height = positions @ normal
        box[axis] = normal * (np.ptp(height) + 2 * VACUUM)
        origin += normal * (height.min() - VACUUM)
    return box, origin


def _free_normals(cell: np.ndarray, pbc: np.ndarray) -> np.ndarray:
    """Unit vectors orthogonal to the periodic rows, nearest to the Cartesian axes of the free rows, right-handed."""
    periodic, free = cell[pbc], np.flatnonzero(~pbc)
    basis = np.linalg.svd(periodic)[2][len(periodic) :] if len(periodic) else np.eye(3)
    left, _, right = np.linalg.svd(np.eye(3)[free] @ basis.T)
    normals = left @ right @ basis
    full = cell.copy()
    full[free] = normals
    if np.linalg.det(full) < 0:
        normals[-1] *= -1
    return normals


def _region_words(region: np.ndarray) -> np.ndarray:
    if region.dtype.kind != "i" or np.any((region < 0) | (region >= len(REGIONS))):
        raise ValueError(
            f"region holds {np.unique(region)}; known are 0 to {len(REGIONS) - 1} ({', '.join(REGIONS)})."
        )
    return np.array(REGIONS)[region]


def _entry(name: str, value: bool | float | str) -> str:
    """A value of the header: not every reader takes more than ASCII there."""
    if not name.isidentifier():
        raise ValueError(f"Entry {name!r} cannot be written. Use letters, digits and underscores.")
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str) and value.startswith(JSON):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, str):
        plain = value.replace("Å", "A").replace('"', "'").encode("ascii", "replace").decode()
        return f'"{" ".join(plain.split())}"'
    if not np.isfinite(value):
        raise ValueError(f"{name} is {value}, not a finite number. Leave the entry out.")
    return f"{value:.16e}"


def _check(name: str, array: np.ndarray, n_sites: int) -> None:
    if not name.isidentifier():
        raise ValueError(f"Column name {name!r} cannot be written. Use letters, digits and underscores.")
    if array.dtype.kind not in LETTERS or array.ndim not in (1, 2) or len(array) != n_sites:
        raise ValueError(
            f"{name} is {array.dtype} of shape {array.shape}; {n_sites} sites need ({n_sites},) or ({n_sites}, m)."
        )
    if array.dtype.kind == "f" and not np.all(np.isfinite(array)):
        raise ValueError(
            f"{name} holds {np.sum(~np.isfinite(array))} numbers that are not finite. Leave the column out."
        )
    if array.dtype.kind == "U" and any(len(word.split()) != 1 for word in np.unique(array)):
        raise ValueError(
            f"{name} holds words that are empty or contain spaces; extended XYZ cannot. Replace them."
        )


def _words(array: np.ndarray) -> list[list[str]]:
    """The columns of an array, each as one word per site."""
    form = {"f": "{:.16e}", "i": "{:d}", "b": "{}", "U": "{}"}[array.dtype.kind]
    table = array.reshape(len(array), -1).T.tolist()
    if array.dtype.kind == "b":
        table = [["T" if value else "F" for value in column] for column in table]
    return [[form.format(value) for value in column] for column in table]


def joined(values: np.ndarray) -> str:
    """Numbers of the header, in 17 digits."""
    return " ".join(f"{value:.16e}" for value in values.ravel())
