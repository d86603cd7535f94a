"""What homogeneous lattices at the strains of a case say about dW."""

from qmfront.storage.layout import Declared, Kind

FAR_FIELD = Kind(
    "far_field",
    {
        "exponents": Declared(
            "term strain",
            "i",
            "1",
            "exponents of the strain components in a better dW; none if it was good enough",
        ),
        "coefficients": Declared("term", "f", "eV", "coefficients of that dW"),
    },
)
