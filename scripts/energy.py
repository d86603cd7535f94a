"""Energy of a solution by virtual work, or of its solutes over the host, with its error bar -> energy.json."""

import json
from dataclasses import dataclass

import numpy as np

from qmfront.config.stages import Buffer, Embedding, Energy, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.estimate.energy import solution_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.substitution import (
    HostState,
    SolutionState,
    remaining_relaxation,
    substitution_energy,
)
from qmfront.evaluate.forces import calculator_energy, calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.store import load
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Files:
    """What is read; of the host of a case what is needed of its last iteration."""

    structure: str
    operators: str
    bulk: str
    potential: str
    mismatch: str
    partition: str
    solution: str
    residual: str
    estimate: str
    host_structure: str | None = None
    host_partition: str | None = None
    host_solution: str | None = None
    host_residual: str | None = None
    host_estimate: str | None = None


@dataclass(frozen=True)
class Settings:
    """Which energy, and how forces along the path are evaluated."""

    energy: Energy
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
    solution = _state(files.partition, files.solution, files.residual, files.estimate, settings.estimate)
    difference = ModelDifference.from_arrays(load(files.mismatch, MISMATCH), hybrid.defect)
    residual = ResidualSettings((), settings.estimate, settings.buffer)
    if settings.energy.of == "relaxation":
        own = solution_energy(hybrid, solution.region, solution.displacement, difference, residual)
        numbers = own.numbers()
    else:
        energy = calculator_energy(Journaled(qm, journal, tally))
        host = _host(files, hybrid.defect, settings.estimate)
        over = substitution_energy(hybrid, solution, host, difference, energy, settings=residual)
        numbers = over.numbers()
    write_file(path, json.dumps(numbers | {"qm_calls": tally.calls}, indent=2) + "\n")


def _host(files: Files, defect: Defect, estimate: Estimate) -> HostState:
    """The host of a case, or the perfect crystal."""
    if files.host_structure is None:
        return HostState.perfect(defect, Bulk.from_arrays(load(files.bulk, BULK)).crystal.numbers)
    places = (files.host_partition, files.host_solution, files.host_residual, files.host_estimate)
    partition, solution, residual, phi = map(str, places)
    state = _state(partition, solution, residual, phi, estimate)
    return HostState.repeated(defect, Defect.from_arrays(load(files.host_structure, STRUCTURE)), state)


def _state(partition: str, solution: str, residual: str, phi: str, estimate: Estimate) -> SolutionState:
    """A solution, and by how much equilibrium is below it."""
    forces = np.asarray(load(residual, RESIDUAL)[estimate.residual])
    relaxation = remaining_relaxation(forces, load(phi, ESTIMATE)["phi"])
    region, displacement = load(partition, PARTITION)["region"], load(solution, SOLUTION)["displacement"]
    return SolutionState(region, displacement, relaxation)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p, journal = snakemake.params, Journal.of_job(snakemake.params.journal, snakemake.resources)
        files, settings = given(Files, snakemake.input), given(Settings, p.settings)
        main(files, ModelSpec(**p.qm), settings, journal, snakemake.output.table)
