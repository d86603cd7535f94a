"""The QM/MM equilibrium of an iteration."""

from qmfront.storage.layout import Declared, Kind

SOLUTION = Kind(
    "solution",
    {
        "displacement": Declared("site component", "f", "Å", "corrector u^H of the QM/MM model", "(2.10)"),
        "forces": Declared("site component", "f", "eV/Å", "mixed forces F^H at u^H", "(2.10)"),
        "history": Declared("call", "f", "eV/Å", "largest mixed force after each QM call"),
        "measure": Declared(
            "call", "f", "Å", "algebraic part of the estimator, ||D H_FC^-1 F^H||, after each QM call"
        ),
    },
)
