"""H_FC, L and the linearised forces of a case: structure.zarr, bulk.zarr (and potential.json) -> operators.zarr."""

from dataclasses import dataclass

from qmfront.config.material import ForceConstantSteps
from qmfront.config.stages import Laplacian
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.training.force_constant_completion import completed


@dataclass(frozen=True)
class Files:
    """What is read; with a potential, force constants go on beyond those of the QM model."""

    structure: str
    bulk: str
    potential: str | None = None


def main(files: Files, steps: ForceConstantSteps, laplacian: Laplacian, path: str) -> None:
    bulk, reach = Bulk.from_arrays(store.load(files.bulk, BULK)), steps.reach
    if files.potential is not None:
        potential = ACE.load(files.potential)
        bulk = completed(bulk, potential, displacement=steps.displacement)
        reach = potential.force_range
    operators = assemble(
        Defect.from_arrays(store.load(files.structure, STRUCTURE)),
        bulk,
        reach=reach,
        decay=laplacian.A,
        cutoff_r0=laplacian.cutoff_r0,
    )
    store.save(path, OPERATORS, operators.arrays(), config=(reach, laplacian))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, files = snakemake.params, given(Files, snakemake.input)
        steps = ForceConstantSteps.model_validate(p.constants)
        main(files, steps, Laplacian.model_validate(p.laplacian), snakemake.output.store)
