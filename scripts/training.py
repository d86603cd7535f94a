"""Observations of the reference model for a potential: bulk.zarr -> training.zarr; scattered: QM calls -> a count."""

import json
from dataclasses import dataclass

from qmfront.config.defect import DescribedDefect
from qmfront.config.job_settings import TrainingSettings
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.defects import defect_of
from qmfront.elasticity.surface import Surface
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.scatter import Scattered
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import TRAINING
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds
from qmfront.storage.writing import write_file
from qmfront.training.observations import Observations, observations_of


@dataclass(frozen=True)
class Files:
    """What is read; the surface is that of the plane of a crack at whose strains stresses are observed."""

    bulk: str
    surface: str | None = None


def main(files: Files, calculator: Journaled, settings: TrainingSettings) -> Observations:
    bulk = Bulk.from_arrays(store.load(files.bulk, BULK))
    return observations_of(
        bulk,
        calculator,
        settings.training,
        settings.force_constants,
        slab=settings.slab,
        defect=None if settings.field is None else _defect(files, bulk, settings.field),
    )


def _defect(files: Files, bulk: Bulk, described: DescribedDefect) -> Defect:
    """The defect at the strains of whose predictor stresses are observed."""
    surface = None if files.surface is None else Surface.from_arrays(store.load(files.surface, SURFACE))
    return defect_of(bulk, described.defect, described.domain, surface=surface, rim=described.rim)[0]


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        o, p, tally = snakemake.output, snakemake.params, Tally()
        files, settings = given(Files, snakemake.input), given(TrainingSettings, p.settings)
        qm, journal = ModelSpec(**p.qm), Journal.of_job(p.journal, snakemake.resources)
        if snakemake.rule == "scatter":
            number = int(snakemake.wildcards.number)
            part = Scattered(qm, journal, tally, number=number, total=p.total)
            main(files, part, settings)
            counts = {"qm_calls": tally.calls, "computed": tally.computed, "skipped": part.skipped}
            write_file(o.table, json.dumps(counts, indent=2) + "\n")
        else:
            with (seconds := Seconds(tally)).of("observations"):
                found = main(files, Journaled(qm, journal, tally), settings)
            kind, attrs = TRAINING.including(found.declared()), {"qm_calls": tally.calls}
            run = {"seconds": dict(seconds)}
            store.save(o.store, kind, found.arrays(), attrs, run=run, config=(qm, settings))
