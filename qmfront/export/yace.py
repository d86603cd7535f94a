"""A fitted ACE potential in the format `.yace` of PACE, which LAMMPS reads by `pair_style pace`: an exact conversion.

Radial functions are those of the format (`ChebExpCos`). Its harmonics are complex, Y_l^m with Y_0^0 = 1 and the phase
of Condon and Shortley, ours are real (`models.ace.harmonics`): with Y_real = U Y_complex

    sum_m c_m prod_a A_(l_a m_a)  =  Re sum_m' C_m' prod_a A_(l_a m'_a),   C_m' = sum_m c_m prod_a U_(m_a m'_a).

C is real, since the coupling is invariant and the sum of the l is even, and it vanishes unless sum m' = 0. There a
product and that of all -m' have the same real part, so that one of the two is kept, with twice the coefficient.
What the format cannot hold is the repulsion at short range, which is a pair potential beside it (`lammps_models`).
"""

from collections.abc import Iterator
from itertools import product

import numpy as np

from qmfront.models.ace.basis import Basis, Function
from qmfront.models.ace.potential import Potential
from qmfront.models.ace.radial import Bond

RADIAL = "ChebExpCos"
SPLINE_STEP = 4e-4
"""Å; PACE tabulates radial functions. The cubic splines of this step change forces of some eV/Å by some 1e-9."""
NEGLIGIBLE = 1e-13
"""Coefficients below this, over the largest of their function, are rounding."""
INVARIANT = 1e-10
"""The same for what an invariant function does not have: the couplings are known in some 14 digits."""
SQRT_2 = float(np.sqrt(2.0))
LINEAR_EMBEDDING = (
    "{ndensity: 1, FS_parameters: [1.0, 1.0], npoti: FinnisSinclairShiftedScaled, rho_core_cutoff: 100000.0, "
    "drho_core_cutoff: 250.0}"
)

Channels = tuple[tuple[int, int, int], ...]
"""(species, n, l) of every factor of a product."""
Product = tuple[int, ...]
"""m of every factor."""


def yace(potential: Potential) -> str:
    """The text of a `.yace` file with the energy of a potential, its repulsion excepted.

    Raises
    ------
    ValueError
        If a function is no invariant of rotations and inversion, which the format could not hold.
    """
    basis = potential.basis
    lines = [
        f"elements: [{', '.join(basis.species)}]",
        f"E0: {_numbers(potential.reference_energies)}",
        f"deltaSplineBins: {_number(SPLINE_STEP)}",
        "embeddings:",
        *(f"  {place}: {LINEAR_EMBEDDING}" for place in range(len(basis.species))),
        "bonds:",
        *(f"  [{bond.centre}, {bond.neighbour}]: {_bond(bond, _largest_l(basis))}" for bond in basis.bonds),
        "functions:",
    ]
    for centre in range(len(basis.species)):
        lines.append(f"  {centre}:")
        lines += [f"    - {line}" for line in _functions(potential, centre)]
    return "\n".join(lines) + "\n"


def _bond(bond: Bond, l_max: int) -> str:
    """One ordered pair of species: R_nl = g_n."""
    identity = np.eye(bond.n_radial)
    rows = ", ".join(f"[{', '.join([_numbers(row)] * (l_max + 1))}]" for row in identity)
    return (
        f"{{nradmax: {bond.n_radial}, lmax: {l_max}, nradbasemax: {bond.n_radial}, radbasename: {RADIAL}, "
        f"radparameters: [{_number(bond.decay)}], radcoefficients: [{rows}], prehc: 0.0, lambdahc: 1.0, "
        f"rcut: {_number(bond.cutoff)}, dcut: {_number(bond.taper)}, rcut_in: 0.0, dcut_in: 1.0e-05, "
        "inner_cutoff_type: distance}"
    )


def _functions(potential: Potential, centre: int) -> Iterator[str]:
    """One line for each tuple of channels of a centre species, those of a single factor first."""
    found: dict[Channels, dict[Product, float]] = {}
    for function, coefficient in zip(potential.basis.functions, potential.coefficients, strict=True):
        if function.centre != centre:
            continue
        channels = tuple(zip(function.mus, function.ns, function.ls, strict=True))
        products = found.setdefault(channels, {})
        for ms, value in complex_products(function).items():
            products[ms] = products.get(ms, 0.0) + float(coefficient) * value
    for channels, products in sorted(found.items(), key=lambda item: (len(item[0]), item[0])):
        yield _line(centre, channels, products)


def _line(centre: int, channels: Channels, products: dict[Product, float]) -> str:
    mus, ns, ls = (list(column) for column in zip(*channels, strict=True))
    ms = [m for key in products for m in key]
    return (
        f"{{mu0: {centre}, rank: {len(channels)}, ndensity: 1, num_ms_combs: {len(products)}, mus: {mus}, ns: {ns}, "
        f"ls: {ls}, ms_combs: {ms}, ctildes: {_numbers(np.array(list(products.values())))}}}"
    )


def complex_products(function: Function) -> dict[Product, float]:
    """C_m of a function: products of complex A channels by their m, of which it is the real part.

    Of two products that are equal, since equal channels were exchanged or all m have the other sign, one is kept.

    Raises
    ------
    ValueError
        If C is not real, or a product is not invariant to rotations about z.
    """
    channels = tuple(zip(function.mus, function.ns, function.ls, strict=True))
    whole: dict[Product, complex] = {}
    for ms, weight in zip(function.ms.tolist(), function.coefficients.tolist(), strict=True):
        for terms in product(*map(_complex_parts, ms)):
            key = _sorted(tuple(m for m, _ in terms), channels)
            whole[key] = whole.get(key, 0.0) + weight * complex(np.prod([factor for _, factor in terms]))
    largest = max(map(abs, whole.values()))
    folded: dict[Product, float] = {}
    for key, value in sorted(whole.items()):
        if abs(value) <= NEGLIGIBLE * largest:
            continue
        if sum(key) or abs(value.imag) > INVARIANT * largest:
            raise ValueError(
                f"A function with l = {list(function.ls)} is no invariant: its product with m = {list(key)} is "
                f"{value:.1e}. The file of the potential was changed by hand; fit again."
            )
        kept = max(key, _sorted(tuple(-m for m in key), channels))
        folded[kept] = folded.get(kept, 0.0) + value.real
    return folded


def _complex_parts(m: int) -> list[tuple[int, complex]]:
    """The one or two complex harmonics that the real one is made of, and its factors."""
    if m == 0:
        return [(0, 1.0)]
    phase, size = (1.0 if m > 0 else -1.0j), abs(m)
    return [(size, phase * (-1) ** size / SQRT_2), (-size, phase.conjugate() / SQRT_2)]


def _sorted(ms: Product, channels: Channels) -> Product:
    return tuple(ms[a] for a in sorted(range(len(ms)), key=lambda a: (channels.index(channels[a]), -ms[a])))


def _largest_l(basis: Basis) -> int:
    return max(max(function.ls) for function in basis.functions)


def _numbers(values: np.ndarray) -> str:
    return f"[{', '.join(map(_number, values))}]"


def _number(value: float) -> str:
    """In 17 digits, with a point: without, some readers of YAML take 1e-05 for a word."""
    return f"{float(value):.16e}"
