"""The force error against the width of the buffer."""

from qmfront.storage.layout import Declared, Kind

LOCALITY = Kind(
    "locality",
    {
        "width": Declared("buffer", "f", "Å", "width of the buffer"),
        "n_atoms": Declared("buffer", "i", "1", "atoms of QM region and buffer"),
        "error": Declared("buffer", "f", "eV/Å", "largest force error on the QM region"),
        "error_subtracted": Declared(
            "buffer", "f", "eV/Å", "the same with the forces of the perfect crystal subtracted"
        ),
        "change": Declared(
            "alternative", "f", "eV/Å", "largest change of the forces by other arguments of the model"
        ),
    },
)
