"""Observations of the reference model for one potential: bulk.zarr -> training.zarr."""

from qmfront import store
from qmfront.elasticity.bulk import Bulk
from qmfront.logs import logged
from qmfront.models.calculator import build
from qmfront.training.fit import declared_observations, training_arrays


def main(bulk: str, spec: dict, matching: int, strain_step: float, reach: float, path: str) -> None:
    arrays = training_arrays(
        Bulk.from_arrays(store.load(bulk, "bulk")),
        build(spec),
        matching=matching,
        strain_step=strain_step,
        reach=reach,
    )
    config = {"qm": spec, "matching": matching, "strain_step": strain_step, "reach": reach}
    store.save(path, "training", arrays, config=config, declared=declared_observations(list(arrays)))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.bulk,
            snakemake.params.qm,
            snakemake.params.matching,
            snakemake.params.strain_step,
            snakemake.params.reach,
            snakemake.output.store,
        )
