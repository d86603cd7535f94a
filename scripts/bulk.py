"""The perfect crystal of the reference model: material -> bulk.zarr."""

from qmfront import store
from qmfront.crystal.lattice import cubic_crystal
from qmfront.elasticity.bulk import Probe, bulk_of
from qmfront.logs import logged
from qmfront.models.calculator import build


def main(crystal: dict, spec: dict, force_constants: dict, samples: dict, path: str) -> None:
    guess = cubic_crystal(crystal["symbol"], crystal["structure"], crystal["lattice_constant_guess"])
    probe = Probe(
        reach=force_constants["reach"],
        displacement=force_constants["displacement"],
        strain_amplitude=samples["amplitude"],
        strain_count=samples["count"],
        seed=samples["seed"],
    )
    config = {"crystal": crystal, "qm": spec, "force_constants": force_constants, "samples": samples}
    store.save(path, "bulk", bulk_of(guess, build(spec), probe).arrays(), config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.params.crystal,
            snakemake.params.qm,
            snakemake.params.force_constants,
            snakemake.params.samples,
            snakemake.output.store,
        )
