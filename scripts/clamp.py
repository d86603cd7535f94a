"""What the clamp of a case costs: its last solution on a larger domain -> clamp.json."""

import json
from dataclasses import dataclass

from qmfront.config.defect import DescribedDefect
from qmfront.config.stages import Laplacian
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defects import defect_of
from qmfront.elasticity.surface import Surface
from qmfront.estimate.clamp_error import clamp_error
from qmfront.evaluate.forces import calculator_forces
from qmfront.models.ace.calculator import ACE
from qmfront.operators.assembly import assemble
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file

TOLERANCE = 1e-6


@dataclass(frozen=True)
class Files:
    """What is read."""

    bulk: str
    structure: str
    solution: str
    potential: str
    surface: str | None = None


@dataclass(frozen=True)
class Settings:
    """The defect on a domain so many times as large; how far (Å) H_FC reaches, and L."""

    described: DescribedDefect
    factor: float
    reach: float
    laplacian: Laplacian


def main(files: Files, settings: Settings, path: str) -> None:
    bulk, described = Bulk.from_arrays(store.load(files.bulk, BULK)), settings.described
    surface = None if files.surface is None else Surface.from_arrays(store.load(files.surface, SURFACE))
    larger, _ = defect_of(bulk, described.defect, described.domain, surface=surface, rim=described.rim)
    decay, cutoff_r0 = settings.laplacian.A, settings.laplacian.cutoff_r0
    assembled = assemble(larger, bulk, reach=settings.reach, decay=decay, cutoff_r0=cutoff_r0)
    found = clamp_error(
        Defect.from_arrays(store.load(files.structure, STRUCTURE)),
        larger,
        assembled.force_constant_map(larger.free, tolerance=TOLERANCE),
        calculator_forces(ACE.load(files.potential)),
        store.load(files.solution, SOLUTION)["displacement"],
    )
    factor = settings.factor
    numbers = {"factor": factor, "eta_clamp": found.eta, "eta_clamp_unbounded": found.unbounded(factor)}
    write_file(path, json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        files, settings = given(Files, snakemake.input), given(Settings, snakemake.params)
        main(files, settings, snakemake.output.table)
