"""Front: a partition and the one that follows it -> {figure}.png, .pdf, .csv."""

from dataclasses import dataclass

from qmfront.crystal.defect import Defect
from qmfront.figures.snapshots import front_figure, front_table
from qmfront.figures.style import FigureFiles
from qmfront.refine.fast_marching import Refinement
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Inputs:
    """What is read."""

    structure: str
    partition: str
    refined: str


def main(inputs: Inputs, t_buf: float, files: FigureFiles) -> None:
    defect = Defect.from_arrays(store.load(inputs.structure, STRUCTURE))
    region = store.load(inputs.partition, PARTITION)["region"]
    found = store.load(inputs.refined, PARTITION)
    refined = Refinement.from_arrays(found, threshold=found.attrs["threshold"])
    files.write(front_figure(defect, refined, t_buf=t_buf), front_table(defect, region, refined))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(given(Inputs, snakemake.input), snakemake.params.t_buf, given(FigureFiles, snakemake.output))
