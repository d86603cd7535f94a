"""H_FC, L and the linearised forces of a case: structure.zarr, bulk.zarr (and potential.json) -> operators.zarr."""

from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.training.force_constant_completion import completed


def main(inputs: dict, constants: dict, laplacian: dict, path: str) -> None:
    bulk, reach = Bulk.from_arrays(store.load(inputs["bulk"], BULK)), constants["reach"]
    if "potential" in inputs:
        potential = ACE.load(inputs["potential"])
        bulk = completed(bulk, potential, displacement=constants["displacement"])
        reach = potential.force_range
    operators = assemble(
        Defect.from_arrays(store.load(inputs["structure"], STRUCTURE)),
        bulk,
        reach=reach,
        decay=laplacian["A"],
        cutoff_r0=laplacian["cutoff_r0"],
    )
    store.save(path, OPERATORS, operators.arrays(), config={"reach": reach, "laplacian": laplacian})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.constants, p.laplacian, snakemake.output.store)
