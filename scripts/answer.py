"""The answer of the mixed Hessian to the residual of one iteration: residual.zarr -> answer.zarr."""

import numpy as np

from qmfront import store
from qmfront.coupling.embedding import Embedding
from qmfront.coupling.force_mixing import hybrid_forces
from qmfront.crystal.defect import Defect
from qmfront.estimate.answer import hessian_answer
from qmfront.estimate.estimates import CG_TOLERANCE
from qmfront.estimate.operators import Operators
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.logs import logged
from qmfront.models.ace.calculator import ACE

KINDS = ("structure", "operators", "partition", "solution", "residual")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    read, tally = {kind: store.load(inputs[kind], kind) for kind in KINDS}, Tally()
    defect = Defect.from_arrays(read["structure"])
    qm = journaled_forces(spec, journal, tally)
    models = {"qm": qm, "mm": calculator_forces(ACE.load(inputs["potential"]))}
    embedding = Embedding(**settings["embedding"])
    phi = hessian_answer(
        hybrid_forces(defect.body, read["partition"]["region"], **models, embedding=embedding),
        read["solution"]["displacement"],
        np.array(read["residual"][settings["residual"]]),
        Operators.from_arrays(read["operators"]).force_constant_map(defect.free, tolerance=CG_TOLERANCE),
        steps=settings["hessian_steps"],
    )
    store.save(path, "answer", {"phi": phi}, {"qm_calls": tally.calls}, config={"qm": spec, **settings})


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.store)
