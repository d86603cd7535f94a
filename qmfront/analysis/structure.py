"""The structure of one iteration of a case, from its stores."""

from collections.abc import Mapping
from pathlib import Path

from qmfront.analysis.convergence import convergence_table, last_bar
from qmfront.crystal.defect import Defect
from qmfront.storage.extxyz import write_extxyz
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.store import load


def write_iteration(case: Path, k: int, path: Path) -> None:
    """Write the structure of iteration k of a case as extended XYZ.

    Parameters
    ----------
    case : results/{case}
    path : of the file
    """
    folder = case / str(k)
    defect = Defect.from_arrays(load(case / "structure.zarr", STRUCTURE))
    write_structure(path, defect, folder, told=last_bar(convergence_table([folder])))


def write_structure(
    path: Path | str, defect: Defect, folder: Path | str, *, told: Mapping[str, bool | float | str]
) -> None:
    """Write the solution in results/{case}/{k} as extended XYZ, with regions, estimates and displacements.

    Parameters
    ----------
    told : how sure it is, see `last_bar`
    """
    atoms = defect.in_file(load(f"{folder}/solution.zarr", SOLUTION)["displacement"])
    write_extxyz(
        path,
        atoms,
        region=load(f"{folder}/partition.zarr", PARTITION)["region"],
        arrays={
            "eta": load(f"{folder}/estimate.zarr", ESTIMATE)["eta_site"],
            "displacement": atoms.arrays["displacement"],
        }
        | {name: atoms.arrays[name] for name in defect.state.arrays},
        info={**defect.state.header(), **told},
        keeps_cell=defect.is_of_file,
    )
