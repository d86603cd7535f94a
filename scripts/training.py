"""Observations of the reference model for a potential: bulk.zarr -> training.zarr; scattered: QM calls -> a count."""

import json
from dataclasses import dataclass

from qmfront.config.material import ForceConstantSteps, RelaxedSlab
from qmfront.config.potential import Training
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.scatter import Scattered
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import TRAINING
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file
from qmfront.training.observations import Observations, observations_of


@dataclass(frozen=True)
class Files:
    """What is read; with a field, stresses are observed at its strains."""

    bulk: str
    field: str | None = None


@dataclass(frozen=True)
class Settings:
    """What is asked of the model."""

    training: Training
    force_constants: ForceConstantSteps
    slab: RelaxedSlab


def main(files: Files, calculator: Journaled, settings: Settings) -> Observations:
    return observations_of(
        Bulk.from_arrays(store.load(files.bulk, BULK)),
        calculator,
        settings.training,
        settings.force_constants,
        slab=settings.slab,
        defect=None if files.field is None else Defect.from_arrays(store.load(files.field, STRUCTURE)),
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        o, p, tally = snakemake.output, snakemake.params, Tally()
        files, settings = given(Files, snakemake.input), given(Settings, p.settings)
        qm, journal = ModelSpec(**p.qm), Journal.of_job(p.journal, snakemake.resources)
        if snakemake.rule == "scatter":
            number = int(snakemake.wildcards.number)
            part = Scattered(qm, journal, tally, number=number, total=p.total)
            main(files, part, settings)
            counts = {"qm_calls": tally.calls, "computed": tally.computed, "skipped": part.skipped}
            write_file(o.table, json.dumps(counts, indent=2) + "\n")
        else:
            found = main(files, Journaled(qm, journal, tally), settings)
            kind, attrs = TRAINING.including(found.declared()), {"qm_calls": tally.calls}
            store.save(o.store, kind, found.arrays(), attrs, config=(qm, settings))
