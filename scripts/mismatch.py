"""Force constants by which the models of a case differ, on its sites: structure.zarr -> mismatch.zarr."""

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.mismatch.linear import assembled_mismatch, linear_mismatch
from qmfront.storage import store
from qmfront.storage.logs import logged


def main(inputs: dict, path: str) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], "bulk"))
    linear = linear_mismatch(bulk, store.load(inputs["certificate"], "potential"))
    defect = Defect.from_arrays(store.load(inputs["structure"], "structure"))
    store.save(path, "mismatch", assembled_mismatch(linear, defect))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.output.store)
