"""The QM/MM equilibrium (2.10) of one iteration -> partition.zarr, solution.zarr."""

import logging

from qmfront.config.stages import Embedding, Solve
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.mm_minimum import MMMinimum
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import solve
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.preflight.embedding import warnings_of_solution
from qmfront.refine.next_partition import partition_of
from qmfront.storage import store
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(inputs: dict, spec: ModelSpec, sections: tuple[dict, dict], journal: Journal, outputs: dict) -> None:
    seconds = Seconds(tally := Tally())
    structure = store.load(inputs["structure"], STRUCTURE)
    refined = store.load(inputs["refined"], PARTITION) if "refined" in inputs else None
    start, first = _start(inputs)
    partition, (settings, embedding) = partition_of(first or structure, refined), sections
    hybrid = Hybrid(
        Defect.from_arrays(structure),
        Operators.from_arrays(store.load(inputs["operators"], OPERATORS)),
        Models(journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        Embedding.model_validate(embedding),
    )
    difference = ModelDifference.from_arrays(store.load(inputs["mismatch"], MISMATCH), hybrid.defect)
    with seconds.of("solve"):
        found = solve(
            hybrid,
            partition["region"],
            difference.for_stop().forces,
            start=start,
            settings=Solve.model_validate(settings),
        )
    atoms = hybrid.defect.body.atoms(found.displacement)
    for warning in warnings_of_solution(spec, atoms, hybrid.defect.free):
        logging.getLogger(__name__).warning("%s", warning)
    marks, run = ({}, {"seconds": {}}) if refined is None else (refined.attrs, refined.run)
    store.save(outputs["partition"], PARTITION, partition, marks, run=run, config=settings)
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    config = {"qm": spec, "solve": settings, "embedding": embedding}
    attrs = found.attributes(tally.calls)
    store.save(outputs["store"], SOLUTION, found.arrays(), attrs, run=run, config=config)


def _start(inputs: dict) -> tuple[Solution | MMMinimum | None, store.Store | None]:
    """Where the solve starts, and the store with the partition of the first one."""
    if "begun" in inputs:
        first = store.load(inputs["begun"], START)
        return MMMinimum.from_arrays(first), first
    return (Solution.from_arrays(store.load(inputs["start"], SOLUTION)) if "start" in inputs else None), None


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(dict(i.items()), ModelSpec(**p.qm), (p.settings, p.embedding), journal, dict(o.items()))
