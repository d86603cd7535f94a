"""A free surface of the reference model: bulk.zarr -> surfaces/{material}_{plane}.zarr."""

from qmfront.config.material import SurfaceSlab
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import surface_of
from qmfront.evaluate.journal import Journal, Tally
from qmfront.evaluate.journaled import Journaled
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.storage import store
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.surface import SURFACE
from qmfront.storage.logs import logged


def main(path_of_bulk: str, model: tuple[ModelSpec, Journal], settings: dict, path: str) -> None:
    tally = Tally()
    surface = surface_of(
        Bulk.from_arrays(store.load(path_of_bulk, BULK)),
        Journaled(*model, tally),
        settings["plane"],
        SurfaceSlab.model_validate(settings["slab"]),
        displacement=settings["displacement"],
    )
    config = {"qm": model[0], **settings}
    store.save(path, SURFACE, surface.arrays(), {"qm_calls": tally.calls}, config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        p = snakemake.params
        journal = Journal.of_job(p.journal, snakemake.resources)
        main(snakemake.input.bulk, (ModelSpec(**p.qm), journal), p.settings, snakemake.output.store)
