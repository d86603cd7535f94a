"""What follows a solve: residual, error estimate, decision, front and next partition (Algorithm 1, lines 3 to 7)."""

import json
import logging
from dataclasses import replace
from functools import partial
from pathlib import Path

from qmfront.config.stages import Adapt, Buffer, Embedding, Estimate, Refine
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.solution import Solution
from qmfront.coupling.stability import proof
from qmfront.crystal.defect import Defect
from qmfront.estimate.exact_layer import Layer, LayeredSettings
from qmfront.estimate.iteration import estimated_iteration
from qmfront.estimate.numbers import iteration_numbers
from qmfront.estimate.residual import ResidualSettings
from qmfront.estimate.trust import trust
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.plan.choices import mesh_choice
from qmfront.refine.decision import decision, report
from qmfront.refine.next_partition import SiteEstimates, advanced
from qmfront.refine.regions import PartitionSettings
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


def main(inputs: dict, spec: ModelSpec, settings: dict, journal: Journal, outputs: dict) -> None:
    seconds, estimate = Seconds(tally := Tally()), Estimate.model_validate(settings["estimate"])
    residual = ResidualSettings(
        tuple(settings["residuals"]), estimate, Buffer.model_validate(settings["buffer"])
    )
    region, stored = load(inputs["partition"], PARTITION)["region"], load(inputs["solution"], SOLUTION)
    hybrid = Hybrid(
        Defect.from_arrays(load(inputs["structure"], STRUCTURE)),
        Operators.from_arrays(load(inputs["operators"], OPERATORS)),
        Models(journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        Embedding.model_validate(settings["embedding"]),
    )
    found = estimated_iteration(
        hybrid,
        region,
        solution := Solution.from_arrays(stored),
        ModelDifference.from_arrays(load(inputs["mismatch"], MISMATCH), hybrid.defect),
        settings=LayeredSettings(
            residual, Layer.of(load(inputs["before"], RESIDUAL)) if "before" in inputs else None
        ),
        seconds=seconds,
    )
    attrs, corrections = found.attributes(tally.calls, model=estimate.hessian.model)
    own, config = {"seconds": {"estimate": seconds.pop("estimate")}}, {"qm": spec, **settings}
    save(outputs["residual"], RESIDUAL, found.residuals, attrs, run={"seconds": dict(seconds)}, config=config)
    save(outputs["estimate"], ESTIMATE, found.arrays(), corrections, run=own, config=settings)
    calls, algebraic = stored.attrs["qm_calls"], solution.measure[-1]
    verdict = partial(
        trust,
        solution,
        found.estimates.phi,
        r0=hybrid.defect.r0,
        eta=(_eta(inputs.get("numbers")), found.estimates.chosen),
        polynomial_error=found.polynomial_error,
    )
    numbers = iteration_numbers(
        found.estimates, region, estimate, verdict(), algebraic=algebraic, qm_calls=calls
    )
    adapt, refine = Adapt.model_validate(settings["adapt"]), Refine.model_validate(settings["refine"])
    if settings["k"] == 0:
        logging.getLogger(__name__).info(mesh_choice(refine, hybrid.defect.r0))
    with seconds.of("refine"):
        made, partition = advanced(
            decision(numbers.eta, numbers.n_qm, settings["k"], adapt, settled=numbers.trust.settled),
            hybrid.defect,
            SiteEstimates(found.estimates.eta_site, found.estimates.work_site),
            region,
            solution.displacement,
            PartitionSettings(refine, residual.buffer, hybrid.embedding),
        )
    if made.stop and adapt.prove:
        last = proof(hybrid, region, solution.displacement)
        numbers = replace(numbers, trust=verdict(proven=last.eigenvalue), proof_calls=last.calls)
    write_file(outputs["table"], numbers.text())
    own = {"seconds": {"refine": seconds.get("refine", 0.0)}}
    save(outputs["refined"], PARTITION, partition.arrays(), partition.attributes(), run=own, config=settings)
    write_file(outputs["decision"], made.text(content_hash(partition.region)))
    tell(report(settings["case"], made, numbers))


def _eta(path: str | None) -> float | None:
    """Of the iteration before, Å."""
    return None if path is None else json.loads(Path(path).read_text(encoding="utf-8"))["eta"]


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(
            dict(i.items()),
            ModelSpec(**p.qm),
            p.settings,
            Journal.of_job(p.journal, snakemake.resources),
            dict(o.items()),
        )
