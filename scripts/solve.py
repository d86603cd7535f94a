"""The QM/MM equilibrium (2.10) of one iteration -> partition.zarr, solution.zarr."""

import logging
from dataclasses import dataclass

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
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class Files:
    """What is read: a minimum of the potential to begin with, or the iteration before, or neither."""

    structure: str
    operators: str
    mismatch: str
    potential: str
    begun: str | None = None
    start: str | None = None
    refined: str | None = None


@dataclass(frozen=True)
class Settings:
    """When a solve ends, and how the QM model sees its cluster."""

    solve: Solve
    embedding: Embedding


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    partition: str
    store: str


def main(files: Files, qm: ModelSpec, settings: Settings, journal: Journal, outputs: Outputs) -> None:
    seconds = Seconds(tally := Tally())
    structure = store.load(files.structure, STRUCTURE)
    refined = None if files.refined is None else store.load(files.refined, PARTITION)
    start, first = _start(files)
    partition = {"region": (first or structure)["region"]} if refined is None else dict(refined)
    hybrid = Hybrid(
        Defect.from_arrays(structure),
        Operators.from_arrays(store.load(files.operators, OPERATORS)),
        Models(journaled_forces(qm, journal, tally), calculator_forces(ACE.load(files.potential))),
        settings.embedding,
    )
    difference = ModelDifference.from_arrays(store.load(files.mismatch, MISMATCH), hybrid.defect)
    with seconds.of("solve"):
        found = solve(
            hybrid, partition["region"], difference.for_stop().forces, start=start, settings=settings.solve
        )
    atoms = hybrid.defect.body.atoms(found.displacement)
    for warning in warnings_of_solution(qm, atoms, hybrid.defect.free):
        logging.getLogger(__name__).warning("%s", warning)
    marks, run = ({}, {"seconds": {}}) if refined is None else (refined.attrs, refined.run)
    store.save(outputs.partition, PARTITION, partition, marks, run=run, config=settings.solve)
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    attrs = found.attributes(tally.calls)
    store.save(outputs.store, SOLUTION, found.arrays(), attrs, run=run, config=(qm, settings))


def _start(files: Files) -> tuple[Solution | MMMinimum | None, store.Store | None]:
    """Where the solve starts, and the store with the partition of the first one."""
    if files.begun is not None:
        first = store.load(files.begun, START)
        return MMMinimum.from_arrays(first), first
    return None if files.start is None else Solution.from_arrays(store.load(files.start, SOLUTION)), None


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, p = snakemake, snakemake.params
        journal = Journal.of_job(p.journal, s.resources)
        settings = given(Settings, {"solve": p.settings, "embedding": p.embedding})
        main(given(Files, s.input), ModelSpec(**p.qm), settings, journal, given(Outputs, s.output))
