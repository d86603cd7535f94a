"""Fit of an ACE potential: training.zarr -> potential.json, fit.csv, certificate.zarr, uncertainty.zarr."""

from dataclasses import dataclass

from qmfront.config.job_settings import FitSettings
from qmfront.elasticity import certificate
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import Surface
from qmfront.models.ace.calculator import ACE
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL, TRAINING
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds
from qmfront.storage.writing import unlink_partial, write_file
from qmfront.training import uncertainty
from qmfront.training.certificate import certificate_of
from qmfront.training.fit import fit_table
from qmfront.training.observations import Observations
from qmfront.training.recipe import fit_by_recipe
from qmfront.training.surface_certificate import compare_surfaces


@dataclass(frozen=True)
class Files:
    """What is read."""

    bulk: str
    training: str
    surfaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outputs:
    """What is written."""

    potential: str
    table: str
    certificate: str
    uncertainty: str


def main(files: Files, settings: FitSettings, outputs: Outputs) -> None:
    bulk = Bulk.from_arrays(store.load(files.bulk, BULK))
    observations = Observations.from_arrays(store.load(files.training, TRAINING))
    seconds, steps, slab = Seconds(), settings.force_constants, settings.surface
    with seconds.of("fit"):
        fit = fit_by_recipe(observations, bulk, settings.basis, settings.fitting)
    reference = [Surface.from_arrays(store.load(path, SURFACE)) for path in files.surfaces]
    with seconds.of("certificate"):
        surfaces = compare_surfaces(bulk, fit, reference, slab, displacement=steps.displacement)
        certified = certificate_of(bulk, fit, steps)
    unlink_partial(outputs.potential)
    ACE(fit.potential).save(outputs.potential, metadata={"relative_error": fit.relative_error})
    write_file(outputs.table, fit_table(fit, surfaces.errors()))
    arrays = certified.arrays() | surfaces.arrays() | fit.arrays()
    declared = certificate.DECLARED | surfaces.declared() | fit.declared()
    run = {"seconds": dict(seconds)}
    store.save(outputs.certificate, POTENTIAL.including(declared), arrays, run=run, config=settings)
    spread = fit.uncertainty.arrays()
    store.save(outputs.uncertainty, POTENTIAL.including(uncertainty.DECLARED), spread, config=settings)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s, settings = snakemake, given(FitSettings, snakemake.params.settings)
        main(given(Files, s.input), settings, given(Outputs, s.output))
