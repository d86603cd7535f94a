"""The QM/MM equilibrium (2.10) of one iteration -> partition.zarr, solution.zarr."""

from qmfront.coupling.solve import SolveSettings, solution_arrays
from qmfront.crystal.defect import Defect
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import difference_map
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.refine.next_partition import partition_of
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.far_field import FAR_FIELD
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds

KINDS = (STRUCTURE, OPERATORS, BULK, FAR_FIELD, MISMATCH)


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, outputs: dict) -> None:
    seconds = Seconds(tally := Tally())
    read = {kind.name: store.load(inputs[kind.name], kind) for kind in KINDS if kind.name in inputs}
    refined = store.load(inputs["refined"], PARTITION) if "refined" in inputs else None
    defect, partition = Defect.from_arrays(read["structure"]), partition_of(read["structure"], refined)
    difference = difference_map(
        read["bulk"],
        store.load(inputs["certificate"], POTENTIAL),
        defect,
        read.get("far_field"),
        assembled=read["mismatch"],
    )
    start = store.load(inputs["start"], SOLUTION)["displacement"] if "start" in inputs else None
    with seconds.of("solve"):
        arrays = solution_arrays(
            defect,
            Operators.from_arrays(read["operators"]),
            partition["region"],
            (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
            start=start,
            difference=difference,
            settings=SolveSettings.from_config(settings),
        )
    marks, run = (refined.attrs, refined.run) if refined is not None else ({}, {"seconds": {}})
    store.save(outputs["partition"], PARTITION, partition, marks, run=run, config=settings)
    run, config = (
        {"seconds": dict(seconds), "qm_seconds": tally.cpu_seconds},
        {"qm": spec, "solve": settings},
    )
    store.save(outputs["store"], SOLUTION, arrays, {"qm_calls": tally.calls}, run=run, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(
            dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), dict(o.items())
        )
