"""The structure of one iteration of a case, from its stores."""

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
    """Write the structure of iteration k of a case as extended XYZ, with regions, estimates and how sure they are.

    Parameters
    ----------
    case : results/{case}
    path : of the file
    """
    folder = case / str(k)
    defect = Defect.from_arrays(load(case / "structure.zarr", STRUCTURE))
    displacement = load(folder / "solution.zarr", SOLUTION)["displacement"]
    atoms = defect.body.atoms(displacement)
    atoms.positions += defect.origin
    write_extxyz(
        path,
        atoms,
        region=load(folder / "partition.zarr", PARTITION)["region"],
        arrays={"eta": load(folder / "estimate.zarr", ESTIMATE)["eta_site"], "displacement": displacement}
        | dict(defect.state.arrays),
        info=defect.state.header() | last_bar(convergence_table([folder])),
    )
