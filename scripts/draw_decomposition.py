"""Decomposition: structure.zarr, solution.zarr, partition.zarr -> {figure}.png, .pdf, .csv."""

from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import defect_symbol
from qmfront.figures.snapshots import decomposition_figure, region_table
from qmfront.figures.space import space_figure
from qmfront.figures.style import save
from qmfront.storage import store
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(inputs: dict, chosen: dict, outputs: dict) -> None:
    defect = Defect.from_arrays(store.load(inputs["structure"], STRUCTURE))
    displacement = store.load(inputs["solution"], SOLUTION)["displacement"]
    region = store.load(inputs["partition"], PARTITION)["region"]
    symbol = defect_symbol(defect.frame, **chosen)
    write_file(outputs["csv"], region_table(defect, displacement, region).to_csv(index=False))
    flat = (
        decomposition_figure(defect, displacement, region, symbol=symbol) if defect.dimension == 2 else None
    )
    save(flat or space_figure(defect, displacement, region), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.params.defect, dict(snakemake.output.items()))
