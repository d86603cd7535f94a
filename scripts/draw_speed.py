"""Speed: estimate.zarr and the partition that follows from it -> {figure}.png, .pdf, .csv."""

from qmfront.crystal.defect import Defect
from qmfront.figures.snapshots import estimator_figure, estimator_table
from qmfront.figures.style import save
from qmfront.refine.fast_marching import Refinement
from qmfront.storage import store
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(inputs: dict, outputs: dict) -> None:
    refined = store.load(inputs["refined"], PARTITION)
    data = (
        Defect.from_arrays(store.load(inputs["structure"], STRUCTURE)),
        store.load(inputs["estimate"], ESTIMATE)["eta_site"],
        store.load(inputs["partition"], PARTITION)["region"],
        Refinement.from_arrays(refined, threshold=refined.attrs["threshold"]),
    )
    write_file(outputs["csv"], estimator_table(*data).to_csv(index=False))
    save(estimator_figure(*data), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), dict(snakemake.output.items()))
