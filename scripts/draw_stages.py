"""Stages: structure.zarr and the partitions of all iterations -> {figure}.png, .pdf, .csv."""

from qmfront.crystal.defect import Defect
from qmfront.figures.atoms import defect_symbol
from qmfront.figures.space import space_stages_figure
from qmfront.figures.stages import nearest_stages, stages_figure, stages_table
from qmfront.figures.style import save
from qmfront.storage import store
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(inputs: dict, n_qm: list[int], chosen: dict, outputs: dict) -> None:
    defect = Defect.from_arrays(store.load(inputs["structure"], STRUCTURE))
    regions = [store.load(path, PARTITION)["region"] for path in inputs["partitions"]]
    stages = nearest_stages(regions, n_qm)
    symbol = defect_symbol(defect.frame, **chosen)
    write_file(outputs["csv"], stages_table(defect, regions, stages).to_csv(index=False))
    shown = [regions[k] for k in stages]
    flat = stages_figure(defect, shown, symbol=symbol) if defect.dimension == 2 else None
    save(flat or space_stages_figure(defect, shown), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.n_qm, p.defect, dict(snakemake.output.items()))
