"""Fit of an ACE potential: training.zarr -> potential.json, fit.csv, certificate.zarr, uncertainty.zarr."""

from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import Surface, SurfaceSettings
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import POTENTIAL, TRAINING
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged
from qmfront.training import certificate, surface_certificate, uncertainty
from qmfront.training.fit import FitSettings, fit_potential, fit_table
from qmfront.training.observations import Observations


def main(inputs: dict, basis: dict, settings: dict, steps: dict, outputs: dict) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], BULK))
    functions = build_basis(bulk.crystal.species, **basis)
    observations = Observations.from_arrays(store.load(inputs["training"], TRAINING))
    fit = fit_potential(
        observations, bulk, functions, FitSettings.from_config(settings), strain_step=steps["strain"]
    )
    reference = [Surface.from_arrays(store.load(path, SURFACE)) for path in inputs["surfaces"]]
    surfaces = surface_certificate.compare_surfaces(bulk, fit, reference, SurfaceSettings(**steps["surface"]))
    calculator = ACE(fit.potential)
    probe = {"difference": fit.difference, "reach": steps["reach"], "displacement": steps["displacement"]}
    arrays = certificate.certificate_arrays(bulk, calculator, fit.mismatch, **probe) | surfaces.arrays()
    config = {"basis": basis, "settings": settings, "steps": steps}
    calculator.save(outputs["potential"], metadata={"relative_error": fit.relative_error})
    write_file(outputs["table"], fit_table(fit, surfaces.errors()))
    declared = certificate.DECLARED | surfaces.declared()
    store.save(outputs["certificate"], POTENTIAL.including(declared), arrays, config=config)
    spread = fit.uncertainty.arrays()
    store.save(outputs["uncertainty"], POTENTIAL.including(uncertainty.DECLARED), spread, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.basis, p.settings, p.steps, dict(snakemake.output.items()))
