"""A defect on its domain, with the first partition."""

from qmfront.storage.layout import Declared, Kind

STRUCTURE = Kind(
    "structure",
    {
        "sites": Declared("site component", "f", "Å", "reference lattice sites l", "(2.1)"),
        "predictor": Declared("site component", "f", "Å", "far-field predictor u0", "(2.1), (B.2)"),
        "numbers": Declared("site", "i", "1", "atomic numbers"),
        "free": Declared("site", "b", "1", "true where the site relaxes, false where it is clamped"),
        "region": Declared("site", "i", "1", "first partition: 0 QM, 1 buffer, 2 MM, 3 far field"),
        "stencil_first": Declared("pair", "i", "1", "site l of a nearest-neighbour pair", "(2.3)"),
        "stencil_second": Declared("pair", "i", "1", "site l + rho of a nearest-neighbour pair", "(2.3)"),
        "stencil_vector": Declared(
            "pair component", "f", "Å", "vector rho of a nearest-neighbour pair", "(2.3)"
        ),
        "cell": Declared("vector component", "f", "Å", "cell; only rows of periodic directions matter"),
        "pbc": Declared("vector", "b", "1", "true in periodic directions"),
        "frame": Declared("vector component", "f", "1", "rows e1, e2, e3 of the case in crystal axes"),
        "core": Declared("component", "f", "Å", "position of the defect core"),
        "r0": Declared("", "f", "Å", "nearest-neighbour distance of the bulk"),
        "crack_tip": Declared(
            "",
            "f",
            "Å",
            "the body is cracked along x2 = 0, x1 < crack_tip; -inf without a crack",
            infinite=True,
        ),
        "period": Declared(
            "component",
            "f",
            "Å",
            "edges of the cells of a periodic box; infinite for straight defects",
            infinite=True,
        ),
        "origin": Declared("component", "f", "Å", "origin of the frame of the case in the user's file"),
        "turn": Declared(
            "vector component", "f", "1", "rows e1, e2, e3 in the axes of the user's file", optional=True
        ),
        "image": Declared(
            "site component", "f", "Å", "what takes sites to their images in the user's file", optional=True
        ),
        "frames": Declared("grain i j", "f", "1", "the frame of every grain", optional=True),
        "grain": Declared("site", "i", "1", "grain of the lattice that the site is of", optional=True),
        "volume": Declared("", "f", "Å^3", "volume per site of the bulk", optional=True),
        "basis_index": Declared(
            "site", "i", "1", "atom of the primitive cell that the site repeats", optional=True
        ),
    },
    is_open=True,
)
