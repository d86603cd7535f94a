"""Observations of the reference model for a potential: bulk.zarr -> training.zarr; scattered: QM calls -> a count."""

import json

from qmfront.config.material import ForceConstantSteps, RelaxedSlab
from qmfront.config.potential import Training
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.scatter import Scattered
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import TRAINING
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file
from qmfront.training.observations import Observations, observations_of


def main(inputs: dict, calculator: Journaled, settings: dict) -> Observations:
    return observations_of(
        Bulk.from_arrays(store.load(inputs["bulk"], BULK)),
        calculator,
        Training.model_validate(settings["training"]),
        ForceConstantSteps.model_validate(settings["force_constants"]),
        slab=RelaxedSlab.model_validate(settings["slab"]),
        defect=Defect.from_arrays(store.load(inputs["field"], STRUCTURE)) if "field" in inputs else None,
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        i, o, p, tally = dict(snakemake.input.items()), snakemake.output, snakemake.params, Tally()
        model = (ModelSpec(**p.qm), Journal.of_job(p.journal, snakemake.resources), tally)
        if snakemake.rule == "scatter":
            part = Scattered(*model, number=int(snakemake.wildcards.number), total=p.total)
            main(i, part, p.settings)
            counts = {"qm_calls": tally.calls, "computed": tally.computed, "skipped": part.skipped}
            write_file(o.table, json.dumps(counts, indent=2) + "\n")
        else:
            found = main(i, Journaled(*model), p.settings)
            kind, config = TRAINING.including(found.declared()), {"qm": p.qm, **p.settings}
            store.save(o.store, kind, found.arrays(), {"qm_calls": tally.calls}, config=config)
