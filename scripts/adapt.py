"""What follows a solve: residual, error estimate, decision, front and next partition (Algorithm 1, lines 3 to 7)."""

import json
import logging
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from qmfront.config.stages import Adapt, Buffer, Embedding, Estimate, Refine, Residual
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.solution import Solution
from qmfront.coupling.stability import proof
from qmfront.crystal.defect import Defect
from qmfront.estimate.exact_layer import Layer, LayeredSettings
from qmfront.estimate.iteration import estimated_iteration, judged
from qmfront.estimate.numbers import iteration_numbers
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.trust import Attained
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.plan.choices import mesh_choice
from qmfront.refine.decision import decision
from qmfront.refine.next_partition import SiteEstimates, advanced
from qmfront.refine.regions import PartitionSettings
from qmfront.refine.report import report
from qmfront.storage.job import given
from qmfront.storage.layouts.estimate import ESTIMATE
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged, tell
from qmfront.storage.provenance import content_hash
from qmfront.storage.store import load, save
from qmfront.storage.timing import Seconds
from qmfront.storage.writing import write_file


@dataclass(frozen=True)
class Files:
    """What is read; of the iteration before, if there was one, its numbers and the residual that tells the layer."""

    partition: str
    solution: str
    structure: str
    operators: str
    potential: str
    mismatch: str
    before: str | None = None
    numbers: str | None = None


@dataclass(frozen=True)
class Settings:
    """How the residual is computed, what is estimated, when the loop stops and how it goes on."""

    case: str
    k: int
    residuals: tuple[Residual, ...]
    estimate: Estimate
    buffer: Buffer
    embedding: Embedding
    adapt: Adapt
    refine: Refine


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    residual: str
    estimate: str
    table: str
    refined: str
    decision: str


def main(files: Files, qm: ModelSpec, settings: Settings, journal: Journal, outputs: Outputs) -> None:
    seconds, estimate, adapt = Seconds(tally := Tally()), settings.estimate, settings.adapt
    residual = ResidualSettings(settings.residuals, estimate, settings.buffer)
    region, stored = load(files.partition, PARTITION)["region"], load(files.solution, SOLUTION)
    hybrid = Hybrid(
        Defect.from_arrays(load(files.structure, STRUCTURE)),
        Operators.from_arrays(load(files.operators, OPERATORS)),
        Models(journaled_forces(qm, journal, tally), calculator_forces(ACE.load(files.potential))),
        settings.embedding,
    )
    layer = None if files.before is None else Layer.of(load(files.before, RESIDUAL))
    found = estimated_iteration(
        hybrid,
        region,
        solution := Solution.from_arrays(stored),
        ModelDifference.from_arrays(load(files.mismatch, MISMATCH), hybrid.defect),
        settings=LayeredSettings(residual, layer),
        seconds=seconds,
    )
    attrs, corrections = found.attributes(tally.calls, model=estimate.hessian.model)
    own, config = {"seconds": {"estimate": seconds.pop("estimate")}}, (qm, settings)
    run = {"seconds": dict(seconds)}
    save(outputs.residual, RESIDUAL, found.residuals, attrs, run=run, config=config)
    save(outputs.estimate, ESTIMATE, found.arrays(), corrections, run=own, config=settings)
    calls, algebraic = stored.attrs["qm_calls"], solution.measure[-1]
    verdict = partial(judged, found, hybrid, region, solution, _attained(files.numbers))
    numbers = iteration_numbers(
        found.estimates, region, estimate, verdict(), algebraic=algebraic, qm_calls=calls
    )
    if settings.k == 0:
        logging.getLogger(__name__).info(mesh_choice(settings.refine, hybrid.defect.r0))
    with seconds.of("refine"):
        made, partition = advanced(
            decision(numbers.eta, numbers.n_qm, settings.k, adapt, settled=numbers.trust.settled),
            hybrid.defect,
            SiteEstimates(found.estimates.marking_site, found.estimates.work_site),
            region,
            solution.displacement,
            PartitionSettings(settings.refine, settings.buffer, settings.embedding),
        )
    if made.stop and adapt.prove:
        last = proof(hybrid, region, solution.displacement)
        numbers = replace(numbers, trust=verdict(proven=last.eigenvalue), proof_calls=last.calls)
    write_file(outputs.table, numbers.text())
    own = {"seconds": {"refine": seconds.get("refine", 0.0)}}
    marks = partition.attributes()
    save(outputs.refined, PARTITION, partition.arrays(), marks, run=own, config=settings)
    write_file(outputs.decision, made.text(content_hash(partition.region)))
    tell(report(settings.case, made, numbers))


def _attained(path: str | None) -> Attained | None:
    """By the iteration before."""
    if path is None:
        return None
    numbers = json.loads(Path(path).read_text(encoding="utf-8"))
    return Attained(numbers["eta"], numbers["n_qm"], numbers["lowest_eigenvalue"])


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, p = snakemake, snakemake.params
        journal, settings = Journal.of_job(p.journal, s.resources), given(Settings, p.settings)
        main(given(Files, s.input), ModelSpec(**p.qm), settings, journal, given(Outputs, s.output))
