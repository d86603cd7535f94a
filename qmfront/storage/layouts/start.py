"""Where iteration 0 of a case starts: the minimum of the potential alone, and the first partition there."""

from qmfront.storage.layout import Declared, Kind
from qmfront.storage.layouts.solution import SOFT_MODES

START = Kind(
    "start",
    {
        "displacement": Declared("site component", "f", "Å", "corrector of the minimum of the MM model"),
        "energies": Declared(
            "try",
            "f",
            "eV",
            "energy of the minimum of every try over that of the predictor; infinite if it found none",
            infinite=True,
        ),
        "competing": Declared(
            "core site component",
            "f",
            "Å",
            "correctors of other minima, within the error of the MM model, among which the mixed forces decide",
            optional=True,
        ),
        "defective": Declared(
            "site",
            "b",
            "1",
            "true where the neighbourhood is not that of a strained crystal in one of the minima",
        ),
        "region": Declared("site", "i", "1", "first partition: 0 QM, 1 buffer, 2 MM, 3 far field"),
        **SOFT_MODES,
    },
)
