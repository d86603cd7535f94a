"""Energy of a solution by virtual work, with its error bar: solution.zarr -> energy.json."""

import json

from qmfront.coupling.embedding import Embedding
from qmfront.crystal.defect import Defect
from qmfront.estimate.energy import solution_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.mismatch.model_difference import differences
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.far_field import FAR_FIELD
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged

KINDS = (STRUCTURE, OPERATORS, PARTITION, SOLUTION, BULK, FAR_FIELD)


def main(inputs: dict, spec: dict, settings: dict, journal: Journal, path: str) -> None:
    read = {kind.name: store.load(inputs[kind.name], kind) for kind in KINDS if kind.name in inputs}
    certificate, tally = store.load(inputs["certificate"], POTENTIAL), Tally()
    found = solution_energy(
        read["solution"]["displacement"],
        defect := Defect.from_arrays(read["structure"]),
        Operators.from_arrays(read["operators"]),
        read["partition"]["region"],
        (journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        differences=differences(read["bulk"], certificate, defect, read.get("far_field")),
        settings=ResidualSettings(**settings["residual"]),
        embedding=Embedding(**settings["embedding"]),
    )
    write_file(path, json.dumps(found.numbers() | {"qm_calls": tally.calls}, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(dict(i.items()), p.qm, p.settings, Journal.of_job(p.journal, snakemake.resources), o.table)
