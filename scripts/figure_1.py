"""Figure 1: structure.zarr, solution.zarr, partition.zarr -> figure_1.png, .pdf, .csv."""

from qmfront import store
from qmfront.crystal.defect import Defect
from qmfront.durable import write_file
from qmfront.figures.snapshots import decomposition_figure, region_table
from qmfront.figures.style import save
from qmfront.logs import logged


def main(inputs: dict, burgers: list[float], outputs: dict) -> None:
    defect = Defect.from_arrays(store.load(inputs["structure"], "structure"))
    displacement = store.load(inputs["solution"], "solution")["displacement"]
    region = store.load(inputs["partition"], "partition")["region"]
    write_file(outputs["csv"], region_table(defect, displacement, region).to_csv(index=False))
    save(decomposition_figure(defect, displacement, region, burgers=burgers), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.params.burgers, dict(snakemake.output.items()))
