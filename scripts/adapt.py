"""What follows a solve: residual, error estimate, decision, front and next partition (Algorithm 1, lines 3 to 7)."""

import json

from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import summary
from qmfront.estimate.exact_layer import Layer
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

KINDS = ("structure", "mismatch", "solution", "operators", "partition")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, outputs: dict) -> None:
    read = {kind: load(inputs[kind], kind) for kind in KINDS}
    defect, region = Defect.from_arrays(read["structure"]), read["partition"]["region"]
    seconds = Seconds(tally := Tally())
    found = estimated_iteration(
        read["solution"],
        defect,
        Operators.from_arrays(read["operators"]),
        region,
        (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        seconds=seconds,
        before=Layer.of(load(inputs["before"], "residual")) if "before" in inputs else None,
        settings=ResidualSettings(**settings["residual"]),
        estimate=settings["estimate"],
        difference=ModelDifference.from_arrays(read["mismatch"], defect),
        embedding=Embedding(**settings["embedding"]),
    )
    attrs, corrections = found.attributes(
        seconds, tally.calls, model=settings["estimate"]["hessian"]["model"]
    )
    save(outputs["residual"], "residual", found.residuals, attrs, config={"qm": spec, **settings})
    save(outputs["estimate"], "estimate", found.arrays(), corrections, config=settings)
    numbers = summary(found.estimates, region, read["solution"], chosen=found.chosen)
    write_file(outputs["table"], json.dumps(numbers, indent=2) + "\n")
    content = decision(numbers, settings["k"], **settings["adapt"])
    with seconds.of("refine"):
        arrays, marks = next_partition(
            defect,
            found.arrays(),
            region,
            read["solution"]["displacement"],
            stop=content["stop"],
            settings=RefineSettings.from_config(settings["refine"]),
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
