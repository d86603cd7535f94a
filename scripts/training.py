"""Observations of the reference model for one potential: bulk.zarr -> training.zarr."""

from qmfront.elasticity.bulk import Bulk
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.potential import TRAINING
from qmfront.storage.logs import logged
from qmfront.training.observations import field_strains, training_arrays
from qmfront.training.observe.rattled import RattledSampling
from qmfront.training.observe.slabs import SurfaceSampling


def main(inputs: dict, model: tuple[dict, Journal], lattice: dict, others: dict, path: str) -> None:
    tally = Tally()
    observations = training_arrays(
        Bulk.from_arrays(store.load(inputs["bulk"], BULK)),
        Journaled(*model, tally),
        **lattice,
        surfaces=others["surfaces"] and SurfaceSampling(**others["surfaces"]),
        rattles=others["rattled"] and RattledSampling(**others["rattled"]),
        strains=field_strains(inputs.get("field"), others["field_samples"]),
    )
    config = {"qm": model[0], "lattice": lattice, **others}
    kind = TRAINING.including(observations.declared())
    store.save(path, kind, observations.arrays(), {"qm_calls": tally.calls}, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(dict(snakemake.input.items()), (p.qm, journal), p.lattice, p.others, snakemake.output.store)
