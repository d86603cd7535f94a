"""What follows a solve: residual, error estimate, decision, front and next partition (Algorithm 1, lines 3 to 7)."""

import json

from qmfront.config.stages import Buffer, Embedding, Estimate
from qmfront.coupling.anderson import Solution
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import summary
from qmfront.estimate.exact_layer import Layer, LayeredSettings
from qmfront.estimate.iteration import estimated_iteration
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.refine.decision import decision, report
from qmfront.refine.next_partition import RefineSettings, next_partition
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged, tell
from qmfront.storage.provenance import content_hash
from qmfront.storage.store import load, save
from qmfront.storage.timing import Seconds


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, outputs: dict) -> None:
    seconds, estimate = Seconds(tally := Tally()), Estimate.model_validate(settings["estimate"])
    residual = ResidualSettings(
        tuple(settings["residuals"]), estimate, Buffer.model_validate(settings["buffer"])
    )
    region, stored = load(inputs["partition"], "partition")["region"], load(inputs["solution"], "solution")
    hybrid = Hybrid(
        Defect.from_arrays(load(inputs["structure"], "structure")),
        Operators.from_arrays(load(inputs["operators"], "operators")),
        Models(journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        Embedding.model_validate(settings["embedding"]),
    )
    found = estimated_iteration(
        hybrid,
        region,
        solution := Solution.from_arrays(stored),
        ModelDifference.from_arrays(load(inputs["mismatch"], "mismatch"), hybrid.defect),
        settings=LayeredSettings(
            residual, Layer.of(load(inputs["before"], "residual")) if "before" in inputs else None
        ),
        seconds=seconds,
    )
    attrs, corrections = found.attributes(seconds, tally.calls, model=estimate.hessian.model)
    save(outputs["residual"], "residual", found.residuals, attrs, config={"qm": spec, **settings})
    save(outputs["estimate"], "estimate", found.arrays(), corrections, config=settings)
    calls, algebraic = stored.attrs["qm_calls"], solution.measure[-1]
    numbers = summary(found.estimates, region, estimate, algebraic=algebraic, qm_calls=calls)
    write_file(outputs["table"], json.dumps(numbers, indent=2) + "\n")
    content = decision(numbers, settings["k"], **settings["adapt"])
    with seconds.of("refine"):
        arrays, marks = next_partition(
            hybrid.defect,
            found.arrays(),
            region,
            solution.displacement,
            stop=content["stop"],
            settings=RefineSettings.from_config(settings),
        )
    marks |= {"seconds": {"refine": seconds.get("refine", 0.0)}}
    save(outputs["refined"], "partition", arrays, marks, config=settings)
    content |= {"next": content_hash(arrays["region"])}
    write_file(outputs["decision"], json.dumps(content, indent=2) + "\n")
    tell(report(settings["case"], content, numbers))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(
            dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), dict(o.items())
        )
