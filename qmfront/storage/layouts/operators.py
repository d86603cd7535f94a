"""Force constants and Laplacian on the sites of a case."""

from qmfront.storage.layout import Declared, Kind

OPERATORS = Kind(
    "operators",
    {
        "blocks": Declared("block component component2", "f", "eV/Å^2", "blocks of H_FC by row and column"),
        "columns": Declared("block", "i", "1", "block column of each block of H_FC"),
        "pointer": Declared("bound", "i", "1", "first block of each block row of H_FC"),
        "linear_predictor": Declared(
            "site component", "f", "eV/Å", "linearised QM forces at the predictor, u = 0", "(3.7)"
        ),
        "laplacian": Declared("entry", "f", "eV/Å^2", "entries of L without stabilisation", "(3.2)"),
        "laplacian_columns": Declared("entry", "i", "1", "column of each entry of L", "(3.2)"),
        "laplacian_pointer": Declared("bound", "i", "1", "first entry of each row of L", "(3.2)"),
        "mu": Declared("", "f", "eV/Å^2", "scale mu of L", "(3.2)"),
        "nearest": Declared("", "f", "Å", "largest nearest-neighbour distance y_nn", "(3.2)"),
    },
)
