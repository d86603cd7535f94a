"""A finished iteration for LAMMPS: a data file, an input script, and the models of the case beside them.

The regions are groups (qm, buffer, mm, clamp), eta_l and the residual force of every atom are its properties `d_eta`
and `d2_residual`, and clamped atoms have no force. LAMMPS wants a lower triangular cell: positions and vectors turn
with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses, atomic_numbers, chemical_symbols

from qmfront.analysis.structure import FinishedIteration
from qmfront.coupling.partition import BUFFER, FAR_FIELD, MM, QM
from qmfront.export.lammps_models import NoPairStyle, PairStyle

DATA, INPUT, DUMP = "structure.data", "in.lammps", "forces.dump"
GROUPS = {"qm": QM, "buffer": BUFFER, "mm": MM, "clamp": FAR_FIELD}
"""Name of a group and the region that it is."""
SITES = "Sites"
"""Section of the data file with region, eta and residual."""
STRAIGHT = 1e-12
"""Entries of a cell that are smaller, over its largest, are rounding of a right angle."""


@dataclass(frozen=True, eq=False)
class LammpsBox:
    """The cell and the atoms in the axes of LAMMPS.

    cell : (3, 3) float, Å
        Lower triangular, positive diagonal.
    origin : (3,) float, Å
    turn : (3, 3) float
        v_lammps = turn @ v; a reflection if the cell is left-handed.
    """

    cell: np.ndarray
    origin: np.ndarray
    turn: np.ndarray

    @classmethod
    def of(cls, cell: np.ndarray, origin: np.ndarray) -> "LammpsBox":
        """From the cell (3, 3) and its corner (3,), Å."""
        cell = np.where(np.abs(cell) > STRAIGHT * np.abs(cell).max(), cell, 0.0)
        if np.all(np.diag(cell) > 0) and not np.any(np.triu(cell, 1)):
            return cls(cell, np.asarray(origin, float), np.eye(3))
        orthogonal, upper = np.linalg.qr(cell.T)
        sign = np.sign(np.diag(upper))
        turn = (orthogonal * sign).T
        return cls(np.tril((upper * sign[:, None]).T), turn @ origin, turn)

    def turned(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors or positions (n, 3) in the axes of LAMMPS."""
        return vectors @ self.turn.T

    def lines(self) -> list[str]:
        """Of the header of a data file."""
        corners = zip("xyz", self.origin, self.origin + np.diag(self.cell), strict=True)
        lines = [f"{low:.16e} {high:.16e} {axis}lo {axis}hi" for axis, low, high in corners]
        tilts = self.cell[[1, 2, 2], [0, 0, 1]]
        return [*lines, f"{_joined(tilts)} xy xz yz"] if np.any(tilts) else lines


def data_file(found: FinishedIteration, species: Sequence[str], *, title: str) -> str:
    """Atoms, and section `Sites` with region, eta (Å) and residual (eV/Å); species are those of the types 1, 2, ..."""
    box = LammpsBox.of(*found.box)
    types = {symbol: number for number, symbol in enumerate(species, 1)}
    atoms = [types[chemical_symbols[number]] for number in found.atoms.numbers]
    positions, residual = box.turned(found.atoms.positions), box.turned(found.residual)
    lines = [f"# {title}", "", f"{len(atoms)} atoms", f"{len(types)} atom types", *box.lines()]
    lines += ["", "Masses", ""]
    lines += [
        f"{number} {atomic_masses[atomic_numbers[symbol]]:.6f} # {symbol}" for symbol, number in types.items()
    ]
    lines += ["", "Atoms # atomic", ""]
    lines += [
        f"{n} {kind} {_joined(at)}" for n, (kind, at) in enumerate(zip(atoms, positions, strict=True), 1)
    ]
    lines += ["", SITES, ""]
    rows = zip(found.region, found.eta, residual, strict=True)
    lines += [f"{n} {region} {eta:.16e} {_joined(force)}" for n, (region, eta, force) in enumerate(rows, 1)]
    return "\n".join(lines) + "\n"


def input_script(
    found: FinishedIteration, models: Mapping[str, PairStyle | NoPairStyle], *, title: str
) -> str:
    """The script: reads the data file, makes the groups, takes a model, and writes the forces as they are.

    Parameters
    ----------
    models : "qm" and "mm" -> how LAMMPS reads it
    """
    usable = [name for name, model in models.items() if isinstance(model, PairStyle)]
    flags = " ".join("p" if periodic else "f" for periodic in found.atoms.pbc)
    lines = [f"# {title}", *(f"# {line}" for line in _told(found)), *_about(models)]
    lines += [
        "",
        "units metal",
        "atom_style atomic",
        "atom_modify map yes",
        f"boundary {flags}",
        "box tilt large",
    ]
    lines += [
        "fix site all property/atom i_region d_eta d2_residual 3",
        f"read_data {DATA} fix site NULL {SITES}",
    ]
    lines += ["", "# regions; eta (A) and residual force (eV/A) of every atom"]
    for name, region in GROUPS.items():
        lines += [f'variable is_{name} atom "i_region == {region}"', f"group {name} variable is_{name}"]
        lines += [f"variable is_{name} delete"]
    lines += ["variable eta atom d_eta"]
    lines += ['variable residual atom "sqrt(d2_residual[1]^2+d2_residual[2]^2+d2_residual[3]^2)"']
    lines += ["", f"variable model index {' '.join(usable)}", "include ${model}.pair"]
    lines += ["", "# what is clamped stands for the crystal around", "fix clamped clamp setforce 0.0 0.0 0.0"]
    lines += ["", "thermo_style custom step pe fmax", "run 0"]
    columns = "id type x y z fx fy fz i_region d_eta d2_residual[1] d2_residual[2] d2_residual[3]"
    lines += [f"write_dump all custom {DUMP} {columns} modify sort id format float %.16e"]
    return "\n".join(lines) + "\n"


def lammps_files(
    found: FinishedIteration, models: Mapping[str, PairStyle | NoPairStyle], *, title: str
) -> dict[str, str | bytes]:
    """Name -> content of all files.

    Raises
    ------
    ValueError
        If LAMMPS can read none of the models, or they number the types differently.
    """
    usable = {name: model for name, model in models.items() if isinstance(model, PairStyle)}
    if not usable:
        raise ValueError(
            "; ".join(model.reason for model in models.values() if isinstance(model, NoPairStyle))
        )
    orders = {model.species for model in usable.values()}
    if len(orders) > 1:
        raise ValueError(f"The models number the elements differently: {' and '.join(map(str, orders))}.")
    files: dict[str, str | bytes] = {}
    for name, model in usable.items():
        files |= model.files
        files[f"{name}.pair"] = "\n".join(model.commands) + "\n"
    files[DATA] = data_file(found, orders.pop(), title=title)
    files[INPUT] = input_script(found, models, title=title)
    return files


def _told(found: FinishedIteration) -> list[str]:
    """How sure the structure is, in ASCII."""
    told = [f"{name} = {value}" for name, value in found.told.items()]
    return [line.replace("Å", "A").encode("ascii", "replace").decode() for line in told]


def _about(models: Mapping[str, PairStyle | NoPairStyle]) -> list[str]:
    lines = []
    for name, model in models.items():
        if isinstance(model, NoPairStyle):
            lines.append(f"# model {name}: none, since {model.reason}")
        else:
            note = f"; {model.note}" if model.note else ""
            lines.append(f"# model {name} (-var model {name}): pair style {' and '.join(model.styles)}{note}")
    return [line.replace("Å", "A") for line in lines]


def _joined(values: np.ndarray) -> str:
    return " ".join(f"{value:.16e}" for value in values)
