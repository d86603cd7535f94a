"""Decomposition: structure.zarr, solution.zarr, partition.zarr -> {figure}.png, .pdf, .csv."""

from dataclasses import dataclass

from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import MarkedDefect, defect_symbol
from qmfront.figures.snapshots import decomposition_figure, region_table
from qmfront.figures.space import space_figure
from qmfront.figures.style import FigureFiles
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Inputs:
    """What is read."""

    structure: str
    solution: str
    partition: str


def main(inputs: Inputs, chosen: MarkedDefect, files: FigureFiles) -> None:
    defect = Defect.from_arrays(store.load(inputs.structure, STRUCTURE))
    displacement = store.load(inputs.solution, SOLUTION)["displacement"]
    region = store.load(inputs.partition, PARTITION)["region"]
    symbol = defect_symbol(defect.frame, chosen)
    flat = (
        decomposition_figure(defect, displacement, region, symbol=symbol) if defect.dimension == 2 else None
    )
    files.write(
        flat or space_figure(defect, displacement, region), region_table(defect, displacement, region)
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            given(Inputs, snakemake.input),
            given(MarkedDefect, snakemake.params.defect),
            given(FigureFiles, snakemake.output),
        )
