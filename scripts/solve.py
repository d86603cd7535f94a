"""The QM/MM equilibrium (2.10) of one iteration: partition.zarr and the previous solution -> solution.zarr."""

from functools import partial

from qmfront import store
from qmfront.coupling.anderson import AndersonSettings
from qmfront.coupling.embedding import Embedding
from qmfront.coupling.hybrid import solution_arrays
from qmfront.crystal.defect import Defect
from qmfront.estimate.differences import differences
from qmfront.estimate.operators import Operators
from qmfront.estimate.residuals import model_difference
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.logs import logged
from qmfront.models.ace.calculator import ACE
from qmfront.timing import Seconds


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    seconds = Seconds(tally := Tally())
    models = (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"])))
    defect = Defect.from_arrays(store.load(inputs["structure"], "structure"))
    bulk, certificate = store.load(inputs["bulk"], "bulk"), store.load(inputs["certificate"], "potential")
    known = store.load(inputs["far_field"], "far_field") if "far_field" in inputs else None
    with seconds.of("solve"):
        arrays = solution_arrays(
            defect,
            Operators.from_arrays(store.load(inputs["operators"], "operators")),
            store.load(inputs["partition"], "partition")["region"],
            models,
            start=store.load(inputs["start"], "solution")["displacement"] if "start" in inputs else None,
            difference=partial(
                model_difference, defect=defect, **differences(bulk, certificate, defect, known)
            ),
            fraction=settings["algebraic_fraction"],
            settings=AndersonSettings(settings["memory"], settings["step_cap"], settings["max_calls"]),
            descent_force=settings["descent_force"],
            embedding=Embedding(**settings["embedding"]),
        )
    attrs = {"seconds": dict(seconds), "qm_calls": tally.calls, "qm_seconds": tally.cpu_seconds}
    store.save(path, "solution", arrays, attrs, config={"qm": spec, "solve": settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.store)
