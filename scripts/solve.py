"""The QM/MM equilibrium (2.10) of one iteration -> partition.zarr, solution.zarr."""

from qmfront.coupling.solve import SolveSettings, solution_arrays
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.refine.next_partition import partition_of
from qmfront.storage import store
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds

KINDS = ("structure", "operators", "mismatch")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, outputs: dict) -> None:
    seconds = Seconds(tally := Tally())
    read = {kind: store.load(inputs[kind], kind) for kind in KINDS}
    refined = store.load(inputs["refined"], "partition") if "refined" in inputs else None
    defect, partition = Defect.from_arrays(read["structure"]), partition_of(read["structure"], refined)
    start = store.load(inputs["start"], "solution")["displacement"] if "start" in inputs else None
    with seconds.of("solve"):
        arrays = solution_arrays(
            defect,
            Operators.from_arrays(read["operators"]),
            partition["region"],
            (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
            start=start,
            difference=ModelDifference.from_arrays(read["mismatch"], defect).for_stop().forces,
            settings=SolveSettings.from_config(settings),
        )
    marks = {} if refined is None else dict(refined.attrs)
    store.save(outputs["partition"], "partition", partition, {"seconds": {}, **marks}, config=settings)
    attrs = {"seconds": dict(seconds), "qm_calls": tally.calls, "qm_seconds": tally.cpu_seconds}
    store.save(outputs["store"], "solution", arrays, attrs, config={"qm": spec, "solve": settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(
            dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), dict(o.items())
        )
