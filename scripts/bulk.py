"""The perfect crystal of the reference model: material -> bulk.zarr."""

from qmfront.config.job_settings import BulkSettings
from qmfront.crystal.lattice import crystal_of
from qmfront.elasticity.bulk import bulk_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.logs import logged
from qmfront.storage.timing import Seconds


def main(qm: ModelSpec, journal: Journal, settings: BulkSettings, path: str) -> None:
    seconds = Seconds(tally := Tally())
    with seconds.of("bulk"):
        bulk = bulk_of(crystal_of(settings.crystal), Journaled(qm, journal, tally), settings.probe)
    run = {"seconds": dict(seconds)}
    store.save(path, BULK, bulk.arrays(), {"qm_calls": tally.calls}, run=run, config=(qm, settings))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(ModelSpec(**p.qm), journal, given(BulkSettings, p.settings), snakemake.output.store)
