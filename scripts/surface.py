"""A free surface of the reference model: bulk.zarr -> surfaces/{material}_{plane}.zarr."""

import logging

from qmfront.config.job_settings import SurfaceSettings
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import surface_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.job import given
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged


def main(bulk: str, qm: ModelSpec, journal: Journal, settings: SurfaceSettings, path: str) -> None:
    tally = Tally()
    surface = surface_of(
        Bulk.from_arrays(store.load(bulk, BULK)),
        Journaled(qm, journal, tally),
        settings.plane,
        settings.slab,
        displacement=settings.displacement,
        termination=settings.termination,
    )
    logging.getLogger(__name__).info("%s", surface)
    store.save(
        path,
        SURFACE,
        surface.arrays(),
        {"qm_calls": tally.calls, "told": str(surface)},
        config=(qm, settings),
    )


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        settings = given(SurfaceSettings, p.settings)
        main(snakemake.input.bulk, ModelSpec(**p.qm), journal, settings, snakemake.output.store)
