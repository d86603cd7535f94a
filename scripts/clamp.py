"""What the clamp of a case costs: its last solution on a larger domain -> clamp.json."""

import json
from dataclasses import dataclass

from qmfront.config.defect import AnyDefect, Disc
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
class Described:
    """The defect on the larger domain."""

    defect: AnyDefect
    domain: Disc


@dataclass(frozen=True)
class Reach:
    """How far H_FC (Å) and L (r0) reach, and the decay of the weights of L."""

    reach: float
    decay: float
    cutoff_r0: float


def main(files: Files, described: Described, factor: float, operators: Reach, path: str) -> None:
    bulk = Bulk.from_arrays(store.load(files.bulk, BULK))
    larger, _ = defect_of(
        bulk,
        described.defect,
        described.domain,
        surface=None if files.surface is None else Surface.from_arrays(store.load(files.surface, SURFACE)),
    )
    assembled = assemble(
        larger, bulk, reach=operators.reach, decay=operators.decay, cutoff_r0=operators.cutoff_r0
    )
    found = clamp_error(
        Defect.from_arrays(store.load(files.structure, STRUCTURE)),
        larger,
        assembled.force_constant_map(larger.free, tolerance=TOLERANCE),
        calculator_forces(ACE.load(files.potential)),
        store.load(files.solution, SOLUTION)["displacement"],
    )
    numbers = {"factor": factor, "eta_clamp": found.eta, "eta_clamp_unbounded": found.unbounded(factor)}
    write_file(path, json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, files = snakemake.params, given(Files, snakemake.input)
        described, operators = given(Described, p.described), given(Reach, p.operators)
        main(files, described, p.factor, operators, snakemake.output.table)
