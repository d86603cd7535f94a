"""The QM/MM equilibrium (2.10) of one iteration: partition.zarr and the previous solution -> solution.zarr."""

from qmfront.coupling.solve import SolveSettings, solution_arrays
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import difference_map
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds

KINDS = ("structure", "operators", "partition", "bulk", "far_field")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    read = {kind: store.load(inputs[kind], kind) for kind in KINDS if kind in inputs}
    defect = Defect.from_arrays(read["structure"])
    known = (read["bulk"], store.load(inputs["certificate"], "potential"), defect, read.get("far_field"))
    start = store.load(inputs["start"], "solution")["displacement"] if "start" in inputs else None
    with seconds.of("solve"):
        arrays = solution_arrays(
            defect,
            Operators.from_arrays(read["operators"]),
            read["partition"]["region"],
            (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
            start=start,
            difference=difference_map(*known),
            settings=SolveSettings.from_config(settings),
        )
    attrs = {"seconds": dict(seconds), "qm_calls": tally.calls, "qm_seconds": tally.cpu_seconds}
    store.save(path, "solution", arrays, attrs, config={"qm": spec, "solve": settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.store)
