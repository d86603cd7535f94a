"""Front: a partition and the one that follows it -> {figure}.png, .pdf, .csv."""

from qmfront.crystal.defect import Defect
from qmfront.figures.snapshots import front_figure, front_table
from qmfront.figures.style import save
from qmfront.refine.fast_marching import Refinement
from qmfront.storage import store
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file


def main(inputs: dict, t_buf: float, outputs: dict) -> None:
    defect = Defect.from_arrays(store.load(inputs["structure"], STRUCTURE))
    region = store.load(inputs["partition"], PARTITION)["region"]
    found = store.load(inputs["refined"], PARTITION)
    refined = Refinement.from_arrays(found, threshold=found.attrs["threshold"])
    write_file(outputs["csv"], front_table(defect, region, refined).to_csv(index=False))
    save(front_figure(defect, refined, t_buf=t_buf), outputs["png"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.params.t_buf, dict(snakemake.output.items()))
