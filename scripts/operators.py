"""H_FC, L and the linearised forces of a case: structure.zarr, bulk.zarr -> operators.zarr."""

from qmfront import store
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.estimate.assembly import assemble
from qmfront.logs import logged


def main(structure: str, bulk: str, reach: float, laplacian: dict, path: str) -> None:
    operators = assemble(
        Defect.from_arrays(store.load(structure, "structure")),
        Bulk.from_arrays(store.load(bulk, "bulk")),
        reach=reach,
        decay=laplacian["A"],
        cutoff_r0=laplacian["cutoff_r0"],
    )
    store.save(path, "operators", operators.arrays(), config={"reach": reach, "laplacian": laplacian})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.structure,
            snakemake.input.bulk,
            snakemake.params.reach,
            snakemake.params.laplacian,
            snakemake.output.store,
        )
