"""Divide and conquer: tiles, the forces of a job, and those of all."""

from qmfront.storage.layout import Declared, Kind

TILES = Kind(
    "tiles",
    {
        "tile": Declared("site", "i", "1", "tile of the site"),
        "job": Declared("site", "i", "1", "job that computes the force on the site"),
    },
)

PATCH = Kind(
    "patch",
    {
        "sites": Declared("place", "i", "1", "sites whose forces were computed"),
        "forces": Declared(
            "place component", "f", "eV/Å", "QM forces on them, each from the box of its tile"
        ),
    },
)

DIVIDED = Kind(
    "divided",
    {"forces": Declared("site component", "f", "eV/Å", "QM forces by divide and conquer")},
)
