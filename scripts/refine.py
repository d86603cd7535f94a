"""Mark and refine (Algorithm 2): estimate.zarr and the old partition -> the partition of the next iteration."""

from qmfront.crystal.defect import Defect
from qmfront.refine.next_partition import RefineSettings, refined_arrays
from qmfront.storage import store
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, settings: dict, path: str) -> None:
    seconds = Seconds()
    with seconds.of("refine"):
        arrays, attrs = refined_arrays(
            Defect.from_arrays(store.load(inputs["structure"], "structure")),
            store.load(inputs["estimate"], "estimate"),
            store.load(inputs["partition"], "partition")["region"],
            store.load(inputs["solution"], "solution")["displacement"],
            settings=RefineSettings.from_config(settings),
        )
    store.save(path, "partition", arrays, {**attrs, "seconds": dict(seconds)}, config=settings)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.params.settings, snakemake.output.store)
