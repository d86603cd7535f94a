"""The QM/MM equilibrium of an iteration."""

from qmfront.storage.layout import Declared, Kind

SOFT_MODES = {
    "soft_modes": Declared(
        "mode site component",
        "f",
        "Å/eV^0.5",
        "soft modes v of H v = lambda H_FC v of the MM model, orthonormal in H_FC",
        optional=True,
    ),
    "soft_curvature": Declared(
        "mode mode2",
        "f",
        "1",
        "v . H v for each two soft modes; of the mixed forces in a solution, of the MM model in a start",
        optional=True,
    ),
}

SOLUTION = Kind(
    "solution",
    {
        "displacement": Declared("site component", "f", "Å", "corrector u^H of the QM/MM model", "(2.10)"),
        "forces": Declared("site component", "f", "eV/Å", "mixed forces F^H at u^H", "(2.10)"),
        "history": Declared("call", "f", "eV/Å", "largest mixed force after each QM call"),
        "measure": Declared(
            "call", "f", "Å", "algebraic part of the estimator, ||D H_FC^-1 F^H||, after each QM call"
        ),
        "moved": Declared("", "f", "Å", "largest displacement of a site from where the solve started"),
        "unguided": Declared(
            "", "b", "1", "true where the MM model had no minimum that would tell the basin"
        ),
        **SOFT_MODES,
    },
)
