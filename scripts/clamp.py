"""What the clamp of a case costs: its last solution on a larger domain -> clamp.json."""

import json

from pydantic import TypeAdapter

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
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file

TOLERANCE = 1e-6


def main(inputs: dict, described: dict, factor: float, operators: dict, path: str) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    surface = Surface.from_arrays(store.load(inputs["surface"], SURFACE)) if "surface" in inputs else None
    case = Defect.from_arrays(store.load(inputs["structure"], STRUCTURE))
    larger, _ = defect_of(
        bulk,
        TypeAdapter(AnyDefect).validate_python(described["defect"]),
        Disc.model_validate(described["domain"]),
        surface=surface,
    )
    found = clamp_error(
        case,
        larger,
        assemble(larger, bulk, **operators).force_constant_map(larger.free, tolerance=TOLERANCE),
        calculator_forces(ACE.load(inputs["potential"])),
        store.load(inputs["solution"], SOLUTION)["displacement"],
    )
    numbers = {"factor": factor, "eta_clamp": found.eta, "eta_clamp_unbounded": found.unbounded(factor)}
    write_file(path, json.dumps(numbers, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.described, p.factor, p.operators, snakemake.output.table)
