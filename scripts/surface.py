"""A free surface of the reference model: bulk.zarr -> surfaces/{material}_{plane}.zarr."""

from qmfront import store
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.surface import SurfaceSettings, surface_of
from qmfront.logs import logged
from qmfront.models.calculator import build


def main(bulk: str, spec: dict, plane: list[int], settings: dict, path: str) -> None:
    surface = surface_of(
        Bulk.from_arrays(store.load(bulk, "bulk")), build(spec), plane, SurfaceSettings(**settings)
    )
    config = {"qm": spec, "plane": plane, "settings": settings}
    store.save(path, "surface", surface.arrays(), config=config)


if __name__ == "__main__":
    with logged(snakemake.log[0]):
        main(
            snakemake.input.bulk,
            snakemake.params.qm,
            snakemake.params.plane,
            snakemake.params.settings,
            snakemake.output.store,
        )
