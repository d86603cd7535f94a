"""Tiles of a periodic domain, spread over jobs: structure.zarr -> tiles.zarr."""

from qmfront.coupling.divide_and_conquer import shared_tiles
from qmfront.crystal.defect import Defect
from qmfront.storage import store
from qmfront.storage.layouts.divided import TILES
from qmfront.storage.layouts.structure import STRUCTURE
from qmfront.storage.logs import logged


def main(structure: str, settings: dict, path: str) -> None:
    defect = Defect.from_arrays(store.load(structure, STRUCTURE))
    store.save(path, TILES, shared_tiles(defect.body, **settings).arrays(), config=settings)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(snakemake.input.structure, snakemake.params.settings, snakemake.output.store)
