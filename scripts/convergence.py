"""What came out of a case -> convergence.csv, with the true error of every iteration, and relaxed.extxyz for OVITO."""

from dataclasses import dataclass

from qmfront.analysis.convergence import convergence_table, last_bar
from qmfront.analysis.structure import write_structure
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import true_error
from qmfront.storage.job import given
from qmfront.storage.layouts.reference import REFERENCE
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.store import load
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Files:
    """What is read, beside the folders of the iterations."""

    structure: str
    reference: str | None = None


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    table: str
    xyz: str


def main(files: Files, folders: list[str], outputs: Outputs) -> None:
    defect = Defect.from_arrays(load(files.structure, STRUCTURE))
    solutions = [load(f"{folder}/solution.zarr", SOLUTION)["displacement"] for folder in folders]
    errors = None
    if files.reference is not None:
        wanted = load(files.reference, REFERENCE)["displacement"]
        errors = [true_error(found, wanted, defect.stencil) for found in solutions]
    table = convergence_table(folders, errors)
    write_structure(outputs.xyz, defect, folders[-1], told=last_bar(table))
    write_file(outputs.table, table.to_csv(index=False))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        folders, outputs = snakemake.params.folders, given(Outputs, snakemake.output)
        main(given(Files, snakemake.input), folders, outputs)
