"""A finished iteration for LAMMPS: a data file, an input script, and the models of the case beside them.

The regions are groups (qm, buffer, mm, clamp), eta_l and the residual force of every atom are its properties `d_eta`
and `d2_residual`, and clamped atoms have no force. LAMMPS wants a lower triangular cell: positions and vectors turn
with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

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


def data_file(
    found: FinishedIteration,
    species: Sequence[str],
    *,
    title: str,
    sections: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> str:
    """Atoms, and section `Sites` with region, eta (Å) and residual (eV/Å).

    Parameters
    ----------
    species : chemical symbols of the types 1, 2, ...
    sections : name -> one line per atom, further properties
    """
    box = LammpsBox.of(*found.box)
    types = {symbol: number for number, symbol in enumerate(species, 1)}
    kinds = [types[chemical_symbols[number]] for number in found.atoms.numbers]
    positions, residual = box.turned(found.atoms.positions), box.turned(found.residual)
    lines = [f"# {title}", "", f"{len(kinds)} atoms", f"{len(types)} atom types", *box.lines()]
    lines += ["", "Masses", ""]
    lines += [
        f"{number} {atomic_masses[atomic_numbers[symbol]]:.6f} # {symbol}" for symbol, number in types.items()
    ]
    atoms = [f"{kind} {_joined(at)}" for kind, at in zip(kinds, positions, strict=True)]
    rows = zip(found.region, found.eta, residual, strict=True)
    sites = [f"{region} {eta:.16e} {_joined(force)}" for region, eta, force in rows]
    for name, body in {"Atoms # atomic": atoms, SITES: sites, **sections}.items():
        lines += ["", name, "", *(f"{number} {row}" for number, row in enumerate(body, 1))]
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
    lines = [*head(found, title), *_about(models), *setting(found)]
    lines += ["", f"variable model index {' '.join(usable)}", "include ${model}.pair", *end()]
    return "\n".join(lines) + "\n"


def head(found: FinishedIteration, title: str) -> list[str]:
    """Remarks: what it is, and how sure."""
    told = [f"# {name} = {value}" for name, value in found.told.items()]
    return [f"# {title}", *(_ascii(line) for line in told)]


def setting(found: FinishedIteration, properties: Mapping[str, str] = MappingProxyType({})) -> list[str]:
    """Commands that read the data file and make groups and variables.

    Parameters
    ----------
    properties : name of a section -> its arguments of `fix property/atom`
    """
    flags = " ".join("p" if periodic else "f" for periodic in found.atoms.pbc)
    fixes = {SITES: "i_region d_eta d2_residual 3", **properties}
    lines = ["", "units metal", "atom_style atomic", "atom_modify map yes", f"boundary {flags}"]
    lines += ["box tilt large"]
    lines += [f"fix {name.lower()} all property/atom {text}" for name, text in fixes.items()]
    lines += [f"read_data {DATA} " + " ".join(f"fix {name.lower()} NULL {name}" for name in fixes)]
    lines += ["", "# regions; eta (A) and residual force (eV/A) of every atom"]
    for name, region in GROUPS.items():
        lines += [f'variable is_{name} atom "i_region == {region}"', f"group {name} variable is_{name}"]
        lines += [f"variable is_{name} delete"]
    lines += ["variable eta atom d_eta"]
    lines += ['variable residual atom "sqrt(d2_residual[1]^2+d2_residual[2]^2+d2_residual[3]^2)"']
    return lines


def end() -> list[str]:
    """Commands that hold the clamp and write the forces."""
    lines = ["", "# what is clamped stands for the crystal around", "fix clamped clamp setforce 0.0 0.0 0.0"]
    lines += ["", "thermo_style custom step pe fmax", "run 0"]
    columns = "id type x y z fx fy fz i_region d_eta d2_residual[1] d2_residual[2] d2_residual[3]"
    return [*lines, f"write_dump all custom {DUMP} {columns} modify sort id format float %.16e"]


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


def _about(models: Mapping[str, PairStyle | NoPairStyle]) -> list[str]:
    lines = []
    for name, model in models.items():
        if isinstance(model, NoPairStyle):
            lines.append(f"# model {name}: none, since {model.reason}")
        else:
            note = f"; {model.note}" if model.note else ""
            lines.append(f"# model {name} (-var model {name}): pair style {' and '.join(model.styles)}{note}")
    return [_ascii(line) for line in lines]


def _ascii(line: str) -> str:
    return line.replace("Å", "A").encode("ascii", "replace").decode()


def _joined(values: np.ndarray) -> str:
    return " ".join(f"{value:.16e}" for value in values)
