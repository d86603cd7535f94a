"""The arrays of every kind of store, declared here and nowhere else: dims, dtype, unit, meaning, equation."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

# Lengths that are the same in every store; all other dims take their length from the data, and agree within a store.
FIXED_DIMS = dict.fromkeys(("vector", "component", "component2", "i", "j", "k", "l"), 3)
DTYPES = {"f": "float64", "i": "int64", "b": "bool"}


@dataclass(frozen=True)
class Declared:
    """One array of a store.

    dims : names separated by spaces, one per axis; "" is a scalar
    kind : "f" float64, "i" int64, "b" bool
    unit : "Å", "eV/Å^2", ...; "1" if there is none
    long_name, equation : what it is, and the equation of the paper that defines it
    optional : a store is complete without it
    infinite : may hold infinity (never NaN)
    """

    dims: str
    kind: Literal["f", "i", "b"]
    unit: str
    long_name: str
    equation: str = ""
    optional: bool = False
    infinite: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The dims, one name per axis."""
        return tuple(self.dims.split())


BULK = {
    "lattice_constant": Declared("", "f", "Å", "lattice constant of the cubic cell"),
    "r0": Declared("", "f", "Å", "nearest-neighbour distance"),
    "cell": Declared("vector component", "f", "Å", "primitive cell, rows are vectors"),
    "basis": Declared("atom component", "f", "Å", "positions in the primitive cell"),
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
}

SURFACE = {
    "plane": Declared("component", "i", "1", "normal of the surface in cubic axes"),
    "energy": Declared("", "f", "eV/Å^2", "energy of the relaxed surface per area"),
    "energy_unrelaxed": Declared("", "f", "eV/Å^2", "energy of the flat surface per area"),
    "relaxation": Declared("", "f", "1", "change of the first interlayer spacing relative to the bulk"),
    "cell": Declared("vector component", "f", "Å", "cell of the slab, rows; the third is its normal"),
    "positions": Declared("atom component", "f", "Å", "atoms of the relaxed slab, lower face first"),
    "numbers": Declared("atom", "i", "1", "atomic numbers in the slab"),
    "path": Declared("wave", "f", "1/Å", "wave numbers along the first reciprocal vector of the face"),
    "omega2": Declared("wave branch", "f", "eV/Å^2", "eigenvalues of the slab's dynamical matrix, no masses"),
}

STRUCTURE = {
    "sites": Declared("site component", "f", "Å", "reference lattice sites l", "(2.1)"),
    "predictor": Declared("site component", "f", "Å", "far-field predictor u0", "(2.1), (B.2)"),
    "numbers": Declared("site", "i", "1", "atomic numbers"),
    "free": Declared("site", "b", "1", "true where the site relaxes, false where it is clamped"),
    "region": Declared("site", "i", "1", "first partition: 0 QM, 1 buffer, 2 MM, 3 far field"),
    "stencil_first": Declared("pair", "i", "1", "site l of a nearest-neighbour pair", "(2.3)"),
    "stencil_second": Declared("pair", "i", "1", "site l + rho of a nearest-neighbour pair", "(2.3)"),
    "stencil_vector": Declared("pair component", "f", "Å", "vector rho of a nearest-neighbour pair", "(2.3)"),
    "cell": Declared("vector component", "f", "Å", "cell; only rows of periodic directions matter"),
    "pbc": Declared("vector", "b", "1", "true in periodic directions"),
    "frame": Declared("vector component", "f", "1", "rows e1, e2, e3 of the case in crystal axes"),
    "core": Declared("component", "f", "Å", "position of the defect core"),
    "r0": Declared("", "f", "Å", "nearest-neighbour distance of the bulk"),
    "crack_tip": Declared(
        "", "f", "Å", "the body is cracked along x2 = 0, x1 < crack_tip; -inf without a crack", infinite=True
    ),
    "period": Declared(
        "",
        "f",
        "Å",
        "edge of the cubic cells of a periodic box; infinite for straight defects",
        infinite=True,
    ),
    "volume": Declared("", "f", "Å^3", "volume per site of the bulk", optional=True),
    "basis_index": Declared(
        "site", "i", "1", "atom of the primitive cell that the site repeats", optional=True
    ),
}

OPERATORS = {
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
}

REFERENCE = {
    "displacement": Declared("site component", "f", "Å", "reference corrector u_bar", "(2.7)"),
    "forces": Declared(
        "site component", "f", "eV/Å", "forces of the QM model at the reference corrector", "(2.7)"
    ),
    "core": Declared("component", "f", "Å", "position of the relaxed core"),
    "tip": Declared("", "f", "Å", "x1 of the relaxed crack tip", optional=True),
    "lowest_eigenvalue": Declared(
        "", "f", "1", "lowest eigenvalue of the Hessian relative to H_FC, H v = lambda H_FC v"
    ),
    "lowest_mode": Declared("site component", "f", "1", "mode of the lowest eigenvalue, largest entry 1"),
    "history": Declared("call", "f", "eV/Å", "largest force after each call"),
}

SOLUTION = {
    "displacement": Declared("site component", "f", "Å", "corrector u^H of the QM/MM model", "(2.10)"),
    "forces": Declared("site component", "f", "eV/Å", "mixed forces F^H at u^H", "(2.10)"),
    "history": Declared("call", "f", "eV/Å", "largest mixed force after each QM call"),
    "measure": Declared(
        "call", "f", "Å", "algebraic part of the estimator, ||D H_FC^-1 F^H||, after each QM call"
    ),
}

LOCALITY = {
    "width": Declared("buffer", "f", "Å", "width of the buffer"),
    "n_atoms": Declared("buffer", "i", "1", "atoms of QM region and buffer"),
    "error": Declared("buffer", "f", "eV/Å", "largest force error on the QM region"),
    "error_subtracted": Declared(
        "buffer", "f", "eV/Å", "the same with the forces of the perfect crystal subtracted"
    ),
    "change": Declared(
        "alternative", "f", "eV/Å", "largest change of the forces by other arguments of the model"
    ),
}

RESIDUAL = {
    "exact": Declared("site component", "f", "eV/Å", "exact residual force", "(2.7)", optional=True),
    "cauchy_born": Declared("site component", "f", "eV/Å", "Cauchy-Born residual force", optional=True),
    "paper": Declared("site component", "f", "eV/Å", "residual force of the paper", "(3.7)", optional=True),
}

FAR_FIELD = {
    "sites": Declared("sample", "i", "1", "sites at whose strains the homogeneous lattices were compared"),
    "lacking": Declared(
        "sample component component2", "f", "eV", "dP of the two lattices minus that of the polynomial dW"
    ),
}

MISMATCH = {
    "exponents": Declared("term strain", "i", "1", "exponents of the strain components in dW"),
    "coefficients": Declared("term", "f", "eV", "coefficients of dW"),
    "correction": Declared(
        "site component component2", "f", "eV", "what the stress of dW lacks in the far field", optional=True
    ),
    "blocks": Declared(
        "block component component2", "f", "eV/Å^2", "difference of the force constants, by row and column"
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
}

ESTIMATE = {
    "phi": Declared("site component", "f", "Å", "Riesz representative of the residual force", "(3.8)"),
    "eta_site": Declared(
        "site", "f", "Å", "site contribution eta_l to the estimator; they add up to eta", "(4.1)"
    ),
    "work_site": Declared("site", "f", "eV", "work F_l . phi_l of the residual force on its representative"),
}

PARTITION = {
    "region": Declared("site", "i", "1", "0 QM, 1 buffer, 2 MM, 3 far field", "(4.4)"),
    "speed": Declared("x y", "f", "Å", "speed of the front on the grid", "(4.3)", optional=True),
    "arrival": Declared(
        "x y", "f", "1", "arrival time of the front on the grid", "(4.2)", optional=True, infinite=True
    ),
    "level_set": Declared(
        "x y", "f", "Å", "signed distance to the QM region, negative inside", optional=True
    ),
    "grid_x": Declared("x", "f", "Å", "first coordinate of the grid", optional=True),
    "grid_y": Declared("y", "f", "Å", "second coordinate of the grid", optional=True),
    "arrival_site": Declared(
        "site", "f", "1", "arrival time at the sites", "(4.2)", optional=True, infinite=True
    ),
    "speed_site": Declared("site", "f", "Å", "speed of the front at the sites", "(4.3)", optional=True),
}

TILES = {
    "tile": Declared("site", "i", "1", "tile of the site"),
    "job": Declared("site", "i", "1", "job that computes the force on the site"),
}

PATCH = {
    "sites": Declared("place", "i", "1", "sites whose forces were computed"),
    "forces": Declared("place component", "f", "eV/Å", "QM forces on them, each from the box of its tile"),
}

DIVIDED = {"forces": Declared("site component", "f", "eV/Å", "QM forces by divide and conquer")}

# Stores of an open kind also take arrays that are not listed here; `save` is then handed their declarations.
OPEN_KINDS = ("training", "potential")
LAYOUT: dict[str, dict[str, Declared]] = {
    "bulk": BULK,
    "surface": SURFACE,
    "training": {},
    "potential": {},
    "structure": STRUCTURE,
    "operators": OPERATORS,
    "reference": REFERENCE,
    "locality": LOCALITY,
    "solution": SOLUTION,
    "far_field": FAR_FIELD,
    "residual": RESIDUAL,
    "mismatch": MISMATCH,
    "estimate": ESTIMATE,
    "partition": PARTITION,
    "tiles": TILES,
    "patch": PATCH,
    "divided": DIVIDED,
}


def checked(arrays: Mapping[str, Any], layout: Mapping[str, Declared], kind: str) -> dict[str, np.ndarray]:
    """Copies of the arrays in declared dtype and C order.

    Raises
    ------
    ValueError unless names, number of axes, lengths, dtypes and values fit the layout of this kind.
    """
    if unknown := sorted(set(arrays) - set(layout)):
        raise ValueError(
            f"{', '.join(unknown)} not declared for {kind!r}. Declare in store_layout.py or leave out."
        )
    if missing := [name for name, spec in layout.items() if not spec.optional and name not in arrays]:
        raise ValueError(f"{kind!r} lacks {', '.join(missing)}.")
    lengths = dict(FIXED_DIMS)
    owners = dict.fromkeys(FIXED_DIMS, "the convention")
    values = {}
    for name, value in arrays.items():
        spec, array = layout[name], np.asarray(value)
        if array.ndim != len(spec.names):
            raise ValueError(f"{name} has shape {array.shape}, but its dims are ({', '.join(spec.names)}).")
        for dim, length in zip(spec.names, array.shape, strict=True):
            if lengths.setdefault(dim, length) != length:
                raise ValueError(f"{name} has {length} along {dim!r}, but {owners[dim]} has {lengths[dim]}.")
            owners.setdefault(dim, name)
        values[name] = _cast(name, array, spec)
    return values


def _cast(name: str, array: np.ndarray, spec: Declared) -> np.ndarray:
    accepted = {"f": "fiu", "i": "iu", "b": "b"}[spec.kind]
    if array.dtype.kind not in accepted:
        raise ValueError(f"{name} is {array.dtype}, but {DTYPES[spec.kind]} is declared.")
    array = np.array(array, DTYPES[spec.kind], order="C")
    if spec.kind == "f":
        bad = np.isnan(array) if spec.infinite else ~np.isfinite(array)
        if bad.any():
            first = tuple(int(k) for k in np.argwhere(bad)[0])
            raise ValueError(f"{name} has {bad.sum()} values that are not finite, the first at {first}.")
    return array
