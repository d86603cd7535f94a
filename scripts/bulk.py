"""The perfect crystal of the reference model: material -> bulk.zarr."""

from dataclasses import dataclass

from qmfront.config.material import Crystal, Probe
from qmfront.crystal.lattice import crystal_of
from qmfront.elasticity.bulk import bulk_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.logs import logged


@dataclass(frozen=True)
class Settings:
    """What is measured."""

    crystal: Crystal
    probe: Probe


def main(qm: ModelSpec, journal: Journal, settings: Settings, path: str) -> None:
    tally = Tally()
    bulk = bulk_of(crystal_of(settings.crystal), Journaled(qm, journal, tally), settings.probe)
    store.save(path, BULK, bulk.arrays(), {"qm_calls": tally.calls}, config=(qm, settings))


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(ModelSpec(**p.qm), journal, given(Settings, p.settings), snakemake.output.store)
