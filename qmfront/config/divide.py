"""How the QM forces on the whole domain are computed by divide and conquer."""

from qmfront.config.section import Section, key


class Divide(Section):
    """QM forces of a periodic domain, tile by tile, each from a periodic box around it; computed where asked for."""

    tile_cells: int = key("Cubic cells along the edge of a tile", unit="1", ge=1, le=100)
    box_cells: int = key(
        "Cubic cells along the edge of the box around a tile; a box that would tear the defect apart grows",
        unit="1",
        ge=1,
        le=100,
    )
    jobs: int = key("Jobs that the tiles are spread over", unit="1", ge=1, le=1000)
