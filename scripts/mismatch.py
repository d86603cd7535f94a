"""Force constants by which the models of a case differ, on its sites: structure.zarr -> mismatch.zarr."""

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.mismatch.linear import assembled_mismatch, linear_mismatch
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


def main(inputs: dict, path: str) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    linear = linear_mismatch(bulk, store.load(inputs["certificate"], POTENTIAL))
    defect = Defect.from_arrays(store.load(inputs["structure"], STRUCTURE))
    store.save(path, MISMATCH, assembled_mismatch(linear, defect))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(dict(snakemake.input.items()), snakemake.output.store)
