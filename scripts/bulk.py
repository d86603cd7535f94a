"""The perfect crystal of the reference model: material -> bulk.zarr."""

from qmfront.config.material import Crystal, Probe
from qmfront.crystal.lattice import crystal_of
from qmfront.elasticity.bulk import bulk_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.logs import logged


def main(model: tuple[ModelSpec, Journal], settings: dict, path: str) -> None:
    crystal = Crystal.model_validate(settings["crystal"])
    guess = crystal_of(crystal)
    tally = Tally()
    bulk = bulk_of(guess, Journaled(*model, tally), Probe.model_validate(settings["probe"]))
    config = {"qm": model[0], **settings}
    store.save(path, BULK, bulk.arrays(), {"qm_calls": tally.calls}, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main((ModelSpec(**p.qm), journal), p.settings, snakemake.output.store)
