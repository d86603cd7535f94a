"""What homogeneous lattices at far-field strains say about dW."""

from qmfront.storage.layout import Declared, Kind

FAR_FIELD = Kind(
    "far_field",
    {
        "sites": Declared(
            "sample", "i", "1", "sites at whose strains the homogeneous lattices were compared"
        ),
        "lacking": Declared(
            "sample component component2", "f", "eV", "dP of the two lattices minus that of the polynomial dW"
        ),
    },
)
