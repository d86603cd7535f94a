"""Fit of an ACE potential: training.zarr -> potential.json, fit.csv, certificate.zarr."""

from qmfront import store
from qmfront.durable import write_file
from qmfront.elasticity.bulk import Bulk
from qmfront.logs import logged
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.training.certificate import DECLARED, certificate_arrays
from qmfront.training.fit import FitSettings, fit_potential, fit_table


def main(inputs: dict, basis: dict, settings: dict, steps: dict, outputs: dict) -> None:
    bulk = Bulk.from_arrays(store.load(inputs["bulk"], "bulk"))
    functions = build_basis(
        [steps["symbol"]],
        cutoff=basis["cutoff"],
        max_degree=basis["max_degree"],
        l_weight=basis["angular_weight"],
        decay=basis["radial_lambda"],
    )
    targets = dict(store.load(inputs["training"], "training"))
    fit = fit_potential(
        targets, bulk, functions, FitSettings.from_config(settings), strain_step=steps["strain"]
    )
    calculator = ACE(fit.potential)
    arrays = certificate_arrays(
        bulk, calculator, fit.mismatch, reach=steps["reach"], displacement=steps["displacement"]
    )
    config = {"basis": basis, "settings": settings, "steps": steps}
    calculator.save(outputs["potential"], metadata={"relative_error": fit.relative_error})
    write_file(outputs["table"], fit_table(fit))
    store.save(outputs["certificate"], "potential", arrays, config=config, declared=DECLARED)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        main(dict(snakemake.input.items()), p.basis, p.settings, p.steps, dict(snakemake.output.items()))
