"""What both models differ by on the sites of a case."""

from qmfront.storage.layout import Declared, Kind

MISMATCH = Kind(
    "mismatch",
    {
        "exponents": Declared("term strain", "i", "1", "exponents of the strain components in dW"),
        "coefficients": Declared("term", "f", "eV", "coefficients of dW"),
        "polynomial_error": Declared(
            "", "f", "1", "relative error of dW at strains of the case, if it was asked", optional=True
        ),
        "blocks": Declared(
            "block component component2",
            "f",
            "eV/Å^2",
            "difference of the force constants, by row and column",
        ),
        "columns": Declared("block", "i", "1", "block column of each block"),
        "pointer": Declared("bound", "i", "1", "first block of each block row"),
        "linear_predictor": Declared(
            "site component", "f", "eV/Å", "linearised difference of the forces at u = 0"
        ),
        "stiffness": Declared("i j k l", "f", "eV", "difference of the moduli that is in the blocks too"),
        "relative": Declared(
            "", "f", "1", "norm of the difference of the force constants over the norm of those of QM"
        ),
    },
)
