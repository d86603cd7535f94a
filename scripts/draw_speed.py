"""Speed: estimate.zarr and the partition that follows from it -> {figure}.png, .pdf, .csv."""

from dataclasses import dataclass

from qmfront.crystal.defect import Defect
from qmfront.figures.snapshots import estimator_figure, estimator_table
from qmfront.figures.style import FigureFiles
from qmfront.refine.fast_marching import Refinement
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Inputs:
    """What is read."""

    structure: str
    estimate: str
    partition: str
    refined: str


def main(inputs: Inputs, files: FigureFiles) -> None:
    refined = store.load(inputs.refined, PARTITION)
    data = (
        Defect.from_arrays(store.load(inputs.structure, STRUCTURE)),
        store.load(inputs.estimate, ESTIMATE)["eta_site"],
        store.load(inputs.partition, PARTITION)["region"],
        Refinement.from_arrays(refined, threshold=refined.attrs["threshold"]),
    )
    files.write(estimator_figure(*data), estimator_table(*data))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(given(Inputs, snakemake.input), given(FigureFiles, snakemake.output))
