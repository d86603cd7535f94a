"""Residual forces of one iteration: solution.zarr -> residual.zarr."""

from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.estimate.exact_layer import Layer, residual_with_layer
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import differences
from qmfront.operators.operators import Operators
from qmfront.storage.logs import logged
from qmfront.storage.store import load, save
from qmfront.storage.timing import Seconds

KINDS = ("structure", "bulk", "far_field", "solution", "operators", "partition")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    certificate = load(inputs["certificate"], "potential")
    read = {kind: load(inputs[kind], kind) for kind in KINDS if kind in inputs}
    arrays, layer = residual_with_layer(
        read["solution"],
        defect := Defect.from_arrays(read["structure"]),
        Operators.from_arrays(read["operators"]),
        read["partition"]["region"],
        seconds=(seconds := Seconds(tally := Tally())),
        qm=journaled_forces(spec, journal, tally),
        before=Layer.of(load(inputs["before"], "residual")) if "before" in inputs else None,
        settings=ResidualSettings(**settings["residual"]),
        differ=differences(read["bulk"], certificate, defect, read.get("far_field")),
        embedding=Embedding(**settings["embedding"]),
    )
    attrs = {"seconds": dict(seconds), "qm_calls": tally.calls, "layer": layer.attributes()}
    save(path, "residual", arrays, attrs, config={"qm": spec, **settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.store)
