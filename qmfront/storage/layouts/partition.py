"""The regions of an iteration, and the front that led to them."""

from qmfront.storage.layout import Declared, Kind

PARTITION = Kind(
    "partition",
    {
        "region": Declared("site", "i", "1", "0 QM, 1 buffer, 2 MM, 3 far field", "(4.4)"),
        "speed": Declared("x y", "f", "Å", "speed of the front on the grid", "(4.3)", optional=True),
        "arrival": Declared(
            "x y", "f", "1", "arrival time of the front on the grid", "(4.2)", optional=True, infinite=True
        ),
        "level_set": Declared(
            "x y", "f", "Å", "signed distance to the QM region, negative inside", optional=True
        ),
        "grid_x": Declared("x", "f", "Å", "first coordinate of the grid", optional=True),
        "grid_y": Declared("y", "f", "Å", "second coordinate of the grid", optional=True),
        "arrival_site": Declared(
            "site", "f", "1", "arrival time at the sites", "(4.2)", optional=True, infinite=True
        ),
        "speed_site": Declared("site", "f", "Å", "speed of the front at the sites", "(4.3)", optional=True),
    },
)
