"""A relaxed surface and its phonons."""

from qmfront.storage.layout import Declared, Kind

SURFACE = Kind(
    "surface",
    {
        "plane": Declared("component", "i", "1", "Miller indices of the surface"),
        "cuts": Declared(
            "termination side",
            "f",
            "1",
            "heights of the layers below and above each cut over the period of lattice planes; its own first",
        ),
        "cut_energy": Declared(
            "termination",
            "f",
            "eV/Å^2",
            "energy of the relaxed surface per area; infinite where it was not relaxed",
            infinite=True,
        ),
        "cut_energy_unrelaxed": Declared("termination", "f", "eV/Å^2", "energy of the flat surface per area"),
        "relaxation": Declared(
            "", "f", "1", "change of the first spacing of layers over their mean spacing in the bulk"
        ),
        "cell": Declared("vector component", "f", "Å", "cell of the slab, rows; the third is its normal"),
        "positions": Declared("atom component", "f", "Å", "atoms of the relaxed slab, lower face first"),
        "numbers": Declared("atom", "i", "1", "atomic numbers in the slab"),
        "face_atoms": Declared(
            "side", "i", "1", "how many of the first and of the last atoms make the two faces"
        ),
        "path": Declared("wave", "f", "1/Å", "wave numbers along the first reciprocal vector of the face"),
        "omega2": Declared(
            "wave branch", "f", "eV/Å^2", "eigenvalues of the slab's dynamical matrix, no masses"
        ),
    },
)
