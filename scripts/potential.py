"""Fit of an ACE potential: training.zarr -> potential.json, fit.csv, certificate.zarr, uncertainty.zarr."""

from qmfront.config.material import ForceConstantSteps, SurfaceSlab
from qmfront.config.potential import Basis, Fitting
from qmfront.elasticity import certificate
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import Surface
from qmfront.models.ace.calculator import ACE
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL, TRAINING
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.storage.writing import unlink_partial, write_file
from qmfront.training import uncertainty
from qmfront.training.certificate import certificate_of
from qmfront.training.fit import fit_table
from qmfront.training.observations import Observations
from qmfront.training.recipe import fit_by_recipe
from qmfront.training.surface_certificate import compare_surfaces


def main(inputs: dict, settings: dict, outputs: dict) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    basis = Basis.model_validate(settings["basis"])
    observations = Observations.from_arrays(store.load(inputs["training"], TRAINING))
    fit = fit_by_recipe(observations, bulk, basis, Fitting.model_validate(settings["fitting"]))
    steps = ForceConstantSteps.model_validate(settings["force_constants"])
    slab = SurfaceSlab.model_validate(settings["surface"])
    reference = [Surface.from_arrays(store.load(path, SURFACE)) for path in inputs["surfaces"]]
    surfaces = compare_surfaces(bulk, fit, reference, slab, displacement=steps.displacement)
    unlink_partial(outputs["potential"])
    ACE(fit.potential).save(outputs["potential"], metadata={"relative_error": fit.relative_error})
    write_file(outputs["table"], fit_table(fit, surfaces.errors()))
    arrays = certificate_of(bulk, fit, steps).arrays() | surfaces.arrays() | fit.arrays()
    declared = certificate.DECLARED | surfaces.declared() | fit.declared()
    store.save(outputs["certificate"], POTENTIAL.including(declared), arrays, config=settings)
    spread = fit.uncertainty.arrays()
    store.save(outputs["uncertainty"], POTENTIAL.including(uncertainty.DECLARED), spread, config=settings)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        s = snakemake
        main(dict(s.input.items()), s.params.settings, dict(s.output.items()))
