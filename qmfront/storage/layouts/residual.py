"""Residual forces of an iteration."""

from qmfront.storage.layout import Declared, Kind

RESIDUAL = Kind(
    "residual",
    {
        "exact": Declared("site component", "f", "eV/Å", "exact residual force", "(2.7)", optional=True),
        "cauchy_born": Declared("site component", "f", "eV/Å", "Cauchy-Born residual force", optional=True),
        "paper": Declared(
            "site component", "f", "eV/Å", "residual force of the paper", "(3.7)", optional=True
        ),
    },
)
