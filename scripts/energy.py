"""Energy of a solution by virtual work, with its error bar: solution.zarr -> energy.json."""

import json

from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.estimate.energy import solution_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.logs import logged

KINDS = ("structure", "operators", "partition", "solution", "mismatch")


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    read = {kind: store.load(inputs[kind], kind) for kind in KINDS}
    tally = Tally()
    found = solution_energy(
        read["solution"]["displacement"],
        defect := Defect.from_arrays(read["structure"]),
        Operators.from_arrays(read["operators"]),
        read["partition"]["region"],
        (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        difference=ModelDifference.from_arrays(read["mismatch"], defect),
        settings=ResidualSettings(**settings["residual"]),
        embedding=Embedding(**settings["embedding"]),
    )
    write_file(path, json.dumps(found.numbers() | {"qm_calls": tally.calls}, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.table)
