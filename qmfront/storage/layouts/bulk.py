"""Measured constants of the perfect crystal."""

from qmfront.storage.layout import Declared, Kind

BULK = Kind(
    "bulk",
    {
        "lattice_constant": Declared("", "f", "Å", "length of the first vector of the conventional cell"),
        "r0": Declared("", "f", "Å", "nearest-neighbour distance"),
        "cell": Declared("vector component", "f", "Å", "primitive cell, rows are vectors"),
        "basis": Declared("atom component", "f", "Å", "positions in the primitive cell"),
        "conventional": Declared(
            "vector lattice",
            "i",
            "1",
            "conventional cell in primitive vectors; cubic if missing",
            optional=True,
        ),
        "numbers": Declared("atom", "i", "1", "atomic numbers in the primitive cell"),
        "moduli": Declared(
            "i j k l", "f", "eV/Å^3", "elastic moduli C_ijkl, second derivative of W_cb per volume"
        ),
        "fc_first": Declared("fc", "i", "1", "basis atom at which the force-constant pair starts"),
        "fc_second": Declared("fc", "i", "1", "basis atom at which the force-constant pair ends"),
        "fc_vector": Declared("fc component", "f", "Å", "vector rho of the force-constant pair"),
        "fc_matrix": Declared("fc component component2", "f", "eV/Å^2", "force constants d2E/du(l)du(l+rho)"),
        "strain": Declared(
            "sample component component2", "f", "1", "deformation F - I of the sample", optional=True
        ),
        "strain_stress": Declared(
            "sample component component2",
            "f",
            "eV/Å^3",
            "first Piola-Kirchhoff stress dW_cb/dF of the sample",
            optional=True,
        ),
        "strain_shift": Declared(
            "sample atom component", "f", "Å", "internal shifts of the basis in the sample", optional=True
        ),
    },
)
