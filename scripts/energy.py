"""Energy of a solution by virtual work, with its error bar: solution.zarr -> energy.json."""

import json

from qmfront.config.stages import Buffer, Embedding, Estimate
from qmfront.coupling.force_mixing import Models
from qmfront.coupling.hybrid import Hybrid
from qmfront.crystal.defect import Defect
from qmfront.estimate.energy import solution_energy
from qmfront.estimate.residual import ResidualSettings
from qmfront.evaluate.forces import calculator_forces, journaled_forces
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.mismatch.model_difference import ModelDifference
from qmfront.models.ace.calculator import ACE
from qmfront.operators.operators import Operators
from qmfront.storage.layouts.mismatch import MISMATCH
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.store import load
from qmfront.storage.writing import write_file


def main(inputs: dict, spec: ModelSpec, settings: dict, journal: Journal, path: str) -> None:
    tally = Tally()
    hybrid = Hybrid(
        Defect.from_arrays(load(inputs["structure"], STRUCTURE)),
        Operators.from_arrays(load(inputs["operators"], OPERATORS)),
        Models(journaled_forces(spec, journal, tally), calculator_forces(ACE.load(inputs["potential"]))),
        Embedding.model_validate(settings["embedding"]),
    )
    found = solution_energy(
        hybrid,
        load(inputs["partition"], PARTITION)["region"],
        load(inputs["solution"], SOLUTION)["displacement"],
        ModelDifference.from_arrays(load(inputs["mismatch"], MISMATCH), hybrid.defect),
        ResidualSettings(
            (), Estimate.model_validate(settings["estimate"]), Buffer.model_validate(settings["buffer"])
        ),
    )
    write_file(path, json.dumps(found.numbers() | {"qm_calls": tally.calls}, indent=2) + "\n")


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, p, o = snakemake.input, snakemake.params, snakemake.output
        main(
            dict(i.items()),
            ModelSpec(**p.qm),
            p.settings,
            Journal.of_job(p.journal, snakemake.resources),
            o.table,
        )
