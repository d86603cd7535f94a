"""Energy of a solution by virtual work, with its error bar: solution.zarr -> energy.json."""

import json
from dataclasses import dataclass

from qmfront.config.stages import Buffer, Embedding, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.crystal.defect import Defect
from qmfront.estimate.energy import solution_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage.job import given
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.store import load
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Files:
    """What is read."""

    structure: str
    operators: str
    potential: str
    partition: str
    solution: str
    mismatch: str


@dataclass(frozen=True)
class Settings:
    """How forces along the path are evaluated."""

    estimate: Estimate
    buffer: Buffer
    embedding: Embedding


def main(files: Files, qm: ModelSpec, settings: Settings, journal: Journal, path: str) -> None:
    tally = Tally()
    hybrid = Hybrid(
        Defect.from_arrays(load(files.structure, STRUCTURE)),
        Operators.from_arrays(load(files.operators, OPERATORS)),
        Models(journaled_forces(qm, journal, tally), calculator_forces(ACE.load(files.potential))),
        settings.embedding,
    )
    found = solution_energy(
        hybrid,
        load(files.partition, PARTITION)["region"],
        load(files.solution, SOLUTION)["displacement"],
        ModelDifference.from_arrays(load(files.mismatch, MISMATCH), hybrid.defect),
        ResidualSettings((), settings.estimate, settings.buffer),
    )
    write_file(path, json.dumps(found.numbers() | {"qm_calls": tally.calls}, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, journal = snakemake.params, Journal.of_job(snakemake.params.journal, snakemake.resources)
        files, settings = given(Files, snakemake.input), given(Settings, p.settings)
        main(files, ModelSpec(**p.qm), settings, journal, snakemake.output.table)
