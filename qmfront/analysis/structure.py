"""The structure of one iteration of a case, from its stores, with what is known of every atom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from qmfront.analysis.convergence import convergence_table, last_bar
from qmfront.crystal.defect import Defect
from qmfront.storage.extxyz import drawn_box, write_extxyz
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.store import load

TABLE = "convergence.csv"
Told = Mapping[str, bool | float | str]


@dataclass(frozen=True, eq=False)
class FinishedIteration:
    """The solution of an iteration with its regions and estimates, in the axes of the user's file.

    atoms : Atoms
        y = l + u0 + u, (2.1), with the array `displacement` (u, Å) and the state of the atoms; of the cell only rows of
        periodic directions matter, unless it is that of a file.
    defect : Defect
    region : (n,) int
        0 QM, 1 buffer, 2 MM, 3 far field.
    eta : (n,) float, Å
        eta_l of (4.1); they add up to eta.
    residual : (n, 3) float, eV/Å
        The residual force that the estimate is made of.
    told : name -> bool, float or str
        How sure it is, see `last_bar`.
    """

    atoms: Atoms
    defect: Defect
    region: np.ndarray
    eta: np.ndarray
    residual: np.ndarray
    told: Told

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """The cell (3, 3), Å, around the atoms in free directions, and its corner (3,), Å."""
        cell, pbc = self.atoms.cell, np.asarray(self.atoms.pbc, bool)
        if self.defect.is_of_file and cell.rank == 3:
            return np.array(cell.array), np.zeros(3)
        return drawn_box(self.atoms.positions, np.array(cell.array), pbc)


def solved_iterations(case: Path) -> list[int]:
    """Numbers k of the iterations in results/{case} that have an estimate, ascending."""
    return sorted(int(path.parent.name) for path in case.glob("[0-9]*/estimate.zarr"))


def finished_iteration(case: Path, k: int) -> FinishedIteration:
    """Iteration k of results/{case}; its true error is told where the convergence table has it."""
    table, folder = case / TABLE, case / str(k)
    rows = pd.read_csv(table).fillna({"reasons": ""}) if table.is_file() else pd.DataFrame({"k": []})
    row = rows[rows["k"] == k]
    told = last_bar(row if len(row) else convergence_table([folder]))
    return _iteration(Defect.from_arrays(load(case / "structure.zarr", STRUCTURE)), folder, told)


def write_structure(path: Path | str, defect: Defect, folder: Path | str, *, told: Told) -> None:
    """Write the solution in results/{case}/{k} as extended XYZ, with regions, estimates and displacements.

    Parameters
    ----------
    told : how sure it is, see `last_bar`
    """
    write_iteration(path, _iteration(defect, Path(folder), told))


def write_iteration(path: Path | str, found: FinishedIteration) -> None:
    """Write an iteration as extended XYZ: columns region, region_id, eta, residual, displacement, and its state."""
    atoms, state = found.atoms, found.defect.state
    write_extxyz(
        path,
        atoms,
        region=found.region,
        arrays={
            "eta": found.eta,
            "residual": found.residual,
            "displacement": atoms.arrays["displacement"],
        }
        | {name: atoms.arrays[name] for name in state.arrays},
        info={**state.header(), **found.told},
        keeps_cell=found.defect.is_of_file,
    )


def _iteration(defect: Defect, folder: Path, told: Told) -> FinishedIteration:
    numbers = json.loads((folder / "estimate.json").read_text(encoding="utf-8"))
    residual = load(folder / "residual.zarr", RESIDUAL)[numbers["residual"]]
    return FinishedIteration(
        defect.in_file(load(folder / "solution.zarr", SOLUTION)["displacement"]),
        defect,
        load(folder / "partition.zarr", PARTITION)["region"],
        load(folder / "estimate.zarr", ESTIMATE)["eta_site"],
        residual if defect.turn is None else residual @ defect.turn,
        told,
    )
