"""The QM solution on the whole domain: structure.zarr, operators.zarr -> reference.zarr."""

from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Embedding, Reference
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.reference import reference_solution
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.reference import REFERENCE
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.start import START
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


@dataclass(frozen=True)
class Files:
    """What is read: a solution or a minimum of the potential to start from, or neither."""

    structure: str
    operators: str
    start: str | None = None
    begun: str | None = None

    def displacement(self) -> np.ndarray | None:
        """Where the descent starts, (n, 3) Å; None for the predictor."""
        if self.start is not None:
            return store.load(self.start, SOLUTION)["displacement"]
        return None if self.begun is None else store.load(self.begun, START)["displacement"]


@dataclass(frozen=True)
class Settings:
    """How it is found, and how the QM model sees the body."""

    reference: Reference
    embedding: Embedding


def main(files: Files, qm: ModelSpec, settings: Settings, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    forces = journaled_forces(qm, journal, tally)
    hybrid = Hybrid(
        Defect.from_arrays(store.load(files.structure, STRUCTURE)),
        Operators.from_arrays(store.load(files.operators, OPERATORS)),
        Models(forces, forces),
        settings.embedding,
    )
    with seconds.of("reference"):
        found = reference_solution(hybrid, settings.reference, files.displacement())
    run = {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds}
    store.save(path, REFERENCE, found.arrays(), {"qm_calls": tally.calls}, run=run, config=(qm, settings))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, files = snakemake.params, given(Files, snakemake.input)
        journal = Journal.of_job(p.journal, snakemake.resources)
        settings = given(Settings, {"reference": p.settings, "embedding": p.embedding})
        main(files, ModelSpec(**p.qm), settings, journal, snakemake.output.store)
