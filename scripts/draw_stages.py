"""Stages: structure.zarr and the partitions of all iterations -> {figure}.png, .pdf, .csv."""

from dataclasses import dataclass

from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import MarkedDefect, defect_symbol
from qmfront.figures.space import space_stages_figure
from qmfront.figures.stages import nearest_stages, stages_figure, stages_table
from qmfront.figures.style import FigureFiles
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Inputs:
    """What is read."""

    structure: str
    partitions: tuple[str, ...]


def main(inputs: Inputs, n_qm: list[int], chosen: MarkedDefect, files: FigureFiles) -> None:
    defect = Defect.from_arrays(store.load(inputs.structure, STRUCTURE))
    regions = [store.load(path, PARTITION)["region"] for path in inputs.partitions]
    stages = nearest_stages(regions, n_qm)
    symbol = defect_symbol(defect.frame, chosen)
    shown = [regions[k] for k in stages]
    flat = stages_figure(defect, shown, symbol=symbol) if defect.dimension == 2 else None
    files.write(flat or space_stages_figure(defect, shown), stages_table(defect, regions, stages))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(
            given(Inputs, snakemake.input),
            p.n_qm,
            given(MarkedDefect, p.defect),
            given(FigureFiles, snakemake.output),
        )
