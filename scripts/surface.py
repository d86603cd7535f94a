"""A free surface of the reference model: bulk.zarr -> surfaces/{material}_{plane}.zarr."""

from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import SurfaceSettings, surface_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged


def main(bulk: str, model: tuple[dict, Journal], plane: list[int], settings: dict, path: str) -> None:
    tally, crystal = Tally(), Bulk.from_arrays(store.load(bulk, BULK))
    surface = surface_of(crystal, Journaled(*model, tally), plane, SurfaceSettings(**settings))
    config = {"qm": model[0], "plane": plane, "settings": settings}
    store.save(path, SURFACE, surface.arrays(), {"qm_calls": tally.calls}, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(snakemake.input.bulk, (p.qm, journal), p.plane, p.settings, snakemake.output.store)
