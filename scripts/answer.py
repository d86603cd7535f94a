"""The answers of the Hessian to the residuals of one iteration: residual.zarr -> answer.zarr."""

from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.estimate.hessian_correction import answers
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.logs import logged

KINDS = ("structure", "operators", "partition", "solution", "residual")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    read, tally = {kind: store.load(inputs[kind], kind) for kind in KINDS}, Tally()
    found = answers(
        Defect.from_arrays(read["structure"]),
        Operators.from_arrays(read["operators"]),
        *(read["partition"]["region"], read["solution"]["displacement"], read["residual"]),
        (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        **settings["hessian"],
        chosen=settings["residual"],
        embedding=Embedding(**settings["embedding"]),
    )
    attrs = {"qm_calls": tally.calls, "steps": {name: answer.steps for name, answer in found.items()}}
    arrays = {name: answer.displacement for name, answer in found.items()}
    store.save(path, "answer", arrays, attrs, config={"qm": spec, **settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.store)
