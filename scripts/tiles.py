"""Tiles of a periodic domain, spread over jobs: structure.zarr -> tiles.zarr."""

from qmfront.config.stages import Divide
from qmfront.coupling.divide_and_conquer import shared_tiles
from qmfront.crystal.defect import Defect
from qmfront.storage import store
from qmfront.storage.layouts.divided import TILES
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


def main(structure: str, settings: Divide, path: str) -> None:
    defect = Defect.from_arrays(store.load(structure, STRUCTURE))
    found = shared_tiles(defect.body, tile_cells=settings.tile_cells, jobs=settings.jobs)
    store.save(path, TILES, found.arrays(), config=settings)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        settings = Divide.model_validate(snakemake.params.settings)
        main(snakemake.input.structure, settings, snakemake.output.store)
