"""The QM solution on the whole domain."""

from qmfront.storage.layout import Declared, Kind

REFERENCE = Kind(
    "reference",
    {
        "displacement": Declared("site component", "f", "Å", "reference corrector u_bar", "(2.7)"),
        "forces": Declared(
            "site component", "f", "eV/Å", "forces of the QM model at the reference corrector", "(2.7)"
        ),
        "core": Declared("component", "f", "Å", "position of the relaxed core"),
        "tip": Declared("", "f", "Å", "x1 of the relaxed crack tip", optional=True),
        "lowest_eigenvalue": Declared(
            "", "f", "1", "lowest eigenvalue of the Hessian relative to H_FC, H v = lambda H_FC v"
        ),
        "lowest_mode": Declared("site component", "f", "1", "mode of the lowest eigenvalue, largest entry 1"),
        "history": Declared("call", "f", "eV/Å", "largest force after each call"),
    },
)
