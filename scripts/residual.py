"""Residual forces of one iteration: solution.zarr -> residual.zarr."""

from qmfront import store
from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.estimate.differences import differences
from qmfront.estimate.operators import Operators
from qmfront.estimate.residuals import ResidualSettings, residual_arrays
from qmfront.evaluate.forces import journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.logs import logged
from qmfront.timing import Seconds


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    defect = Defect.from_arrays(store.load(inputs["structure"], "structure"))
    bulk, certificate = store.load(inputs["bulk"], "bulk"), store.load(inputs["certificate"], "potential")
    known = store.load(inputs["far_field"], "far_field") if "far_field" in inputs else None
    arrays = residual_arrays(
        store.load(inputs["solution"], "solution"),
        defect,
        Operators.from_arrays(store.load(inputs["operators"], "operators")),
        store.load(inputs["partition"], "partition")["region"],
        journaled_forces(spec, journal, tally),
        **differences(bulk, certificate, defect, known),
        settings=ResidualSettings(**settings["residual"]),
        embedding=Embedding(**settings["embedding"]),
        seconds=seconds,
    )
    attrs = {"seconds": dict(seconds), "qm_calls": tally.calls}
    store.save(path, "residual", arrays, attrs, config={"qm": spec, **settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(dict(snakemake.input.items()), p.qm, p.settings, journal, snakemake.output.store)
