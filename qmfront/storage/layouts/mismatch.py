"""Difference of the force constants of both models on the sites of a case."""

from qmfront.storage.layout import Declared, Kind

MISMATCH = Kind(
    "mismatch",
    {
        "blocks": Declared(
            "block component component2",
            "f",
            "eV/Å^2",
            "difference of the force constants, by row and column",
        ),
        "columns": Declared("block", "i", "1", "block column of each block"),
        "pointer": Declared("bound", "i", "1", "first block of each block row"),
        "predictor": Declared("site component", "f", "eV/Å", "linearised difference of the forces at u = 0"),
    },
)
