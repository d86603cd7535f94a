"""Observations of the reference model for one potential: bulk.zarr -> training.zarr."""

from qmfront import store
from qmfront.elasticity.bulk import Bulk
from qmfront.logs import logged
from qmfront.models.calculator import build
from qmfront.training.fit import declared_observations, training_arrays
from qmfront.training.rattled import RattledSampling
from qmfront.training.surfaces import SurfaceSampling


def main(bulk: str, spec: dict, lattice: dict, others: dict, path: str) -> None:
    arrays = training_arrays(
        Bulk.from_arrays(store.load(bulk, "bulk")),
        build(spec),
        **lattice,
        surfaces=others["surfaces"] and SurfaceSampling(**others["surfaces"]),
        rattles=others["rattled"] and RattledSampling(**others["rattled"]),
    )
    config = {"qm": spec, "lattice": lattice, **others}
    store.save(path, "training", arrays, config=config, declared=declared_observations(list(arrays)))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.bulk,
            snakemake.params.qm,
            snakemake.params.lattice,
            snakemake.params.others,
            snakemake.output.store,
        )
