"""Values and gradients of all basis functions: the rows of the linear regression for energy, forces and stress.

    E = sum_i B(i) . c,   F_k = -dE/dr_k,   stress = (1/V) sum_ij v_ij (x) dB(i)/dv_ij . c

with v_ij = r_j - r_i. Written for the fit, where every function is wanted; forces of a fitted potential
come much faster from `kernels`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from qmfront.crystal.neighbours import pairs_within
from qmfront.models.ace.basis import Basis, Function
from qmfront.models.ace.harmonics import real_harmonics
from qmfront.models.ace.radial import radial_functions
from qmfront.models.compiled import compiled

_VOIGT = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))


@dataclass(frozen=True)
class Products:
    """The functions of one centre species as sums of products of A channels, in flat arrays.

    channels : (n_A, 3) int
        Species mu, radial index n - 1, row l(l + 1) + m of the harmonics.
    factors : (n_terms, max_order) int
        Channels of each product; -1 where the order is smaller.
    coefficients : (n_terms,) float
    first_term : (n_functions + 1,) int
        Terms of function b are first_term[b] .. first_term[b + 1].
    l_max : int
    """

    channels: np.ndarray
    factors: np.ndarray
    coefficients: np.ndarray
    first_term: np.ndarray
    l_max: int


def flatten(functions: tuple[Function, ...]) -> Products:
    """Number the A channels that `functions` (all of one centre) use, and list their products."""
    index: dict[tuple[int, int, int], int] = {}
    for function in functions:
        for mu, n, l in zip(function.mus, function.ns, function.ls, strict=True):
            for m in range(-l, l + 1):
                index.setdefault((mu, l * (l + 1) + m, n - 1), 0)
    ordered = sorted(index)
    index = {channel: place for place, channel in enumerate(ordered)}
    width = max((function.order for function in functions), default=1)
    factors, coefficients, first = [], [], [0]
    for function in functions:
        for ms, coefficient in zip(function.ms, function.coefficients, strict=True):
            row = [
                index[mu, l * (l + 1) + int(m), n - 1]
                for mu, n, l, m in zip(function.mus, function.ns, function.ls, ms, strict=True)
            ]
            factors.append(row + [-1] * (width - len(row)))
            coefficients.append(coefficient)
        first.append(len(factors))
    channels = np.array([(mu, n, lm) for mu, lm, n in ordered], dtype=np.int64).reshape(-1, 3)
    l_max = max((max(function.ls) for function in functions), default=0)
    return Products(
        channels,
        np.array(factors, dtype=np.int64).reshape(-1, width),
        np.array(coefficients, dtype=float),
        np.array(first, dtype=np.int64),
        l_max,
    )


def functions_of(basis: Basis, centre: int) -> slice:
    """Where the functions of a centre species stand among all functions."""
    centres = [function.centre for function in basis.functions]
    start = centres.index(centre) if centre in centres else len(centres)
    return slice(start, start + centres.count(centre))


def site_basis(
    basis: Basis, vectors: np.ndarray, species: np.ndarray, *, centre: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Functions of one centre and their gradients.

    Parameters
    ----------
    vectors : (J, 3) float, Å
        From the centre to its neighbours; those beyond the cutoff contribute zero.
    species : (J,) int
        Species of the neighbours, positions in `basis.species`.
    centre : int
        Species of the centre.

    Returns
    -------
    values : (n,) float
        n functions of this centre species, `functions_of(basis, centre)` of all.
    gradients : (n, J, 3) float, 1/Å
        Derivatives with respect to the vectors.
    """
    vectors = np.ascontiguousarray(vectors, float)
    species = np.ascontiguousarray(species, np.int64)
    products = _products(basis, centre)
    phi, d_phi = _one_particle(basis, products, centre, vectors, species)
    a = phi.sum(1)
    values, slopes = _evaluate_products(a, products.factors, products.coefficients, products.first_term)
    gradients = slopes @ d_phi.reshape(len(a), -1)
    return values, gradients.reshape(len(values), len(vectors), 3)


@dataclass(frozen=True)
class Design:
    """Rows of the regression for one configuration; multiply the first axis with the coefficients.

    energy : (n_B,) float
        Sum of the functions over all atoms (E0 is not included).
    forces : (n_B, n, 3) float, 1/Å
    stress : (n_B, 6) float, 1/Å^3
        Voigt xx yy zz yz xz xy; zero where the cell has no volume.
    """

    energy: np.ndarray
    forces: np.ndarray
    stress: np.ndarray


def design(
    positions: np.ndarray, cell: np.ndarray, pbc: np.ndarray, numbers: np.ndarray, basis: Basis
) -> Design:
    """Energy, force and stress rows of all basis functions for one configuration.

    Parameters
    ----------
    positions : (n, 3) float, Å
    cell : (3, 3) float, Å, rows
    pbc : (3,) bool
    numbers : (n,) int, atomic numbers

    Raises
    ------
    ValueError
        If an element is not in the basis.
    """
    species = basis.species_of(numbers)
    pairs = pairs_within(positions, cell, pbc, basis.cutoff)
    starts = np.searchsorted(pairs.first, np.arange(len(positions) + 1))
    n_functions = len(basis)
    energy, forces = np.zeros(n_functions), np.zeros((n_functions, len(positions), 3))
    virial = np.zeros((n_functions, 3, 3))
    for i in range(len(positions)):
        here = slice(starts[i], starts[i + 1])
        vectors, second = pairs.vector[here], pairs.second[here]
        rows = functions_of(basis, int(species[i]))
        values, gradients = site_basis(basis, vectors, species[second], centre=int(species[i]))
        energy[rows] += values
        _scatter(gradients, second, i, forces[rows])
        virial[rows] += np.swapaxes(gradients, 1, 2) @ vectors
    stress = np.zeros((n_functions, 6))
    volume = abs(np.linalg.det(cell))
    if volume > 0.0:
        stress = np.stack([virial[:, a, b] + virial[:, b, a] for a, b in _VOIGT], axis=1) / (2 * volume)
    return Design(energy, forces, stress)


@lru_cache(maxsize=64)
def _products(basis: Basis, centre: int) -> Products:
    """Flat form of the functions of a centre, computed once per basis object."""
    return flatten(basis.functions[functions_of(basis, centre)])


def _one_particle(
    basis: Basis, products: Products, centre: int, vectors: np.ndarray, species: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """phi (n_A, J) = g_n Y_lm for neighbours of the channel's species, and gradients (n_A, J, 3)."""
    distances = np.sqrt(np.sum(vectors**2, axis=1))
    harmonics, d_harmonics = real_harmonics(vectors, products.l_max)
    n_species, n_radial = len(basis.species), max(bond.n_radial for bond in basis.bonds)
    radial, d_radial = np.zeros((n_radial, len(vectors))), np.zeros((n_radial, len(vectors)))
    for mu in range(n_species):
        bond = basis.bonds[centre * n_species + mu]
        here = np.flatnonzero(species == mu)
        values, slopes = radial_functions(distances[here], bond.cutoff, bond.decay, bond.taper, bond.n_radial)
        radial[: bond.n_radial, here], d_radial[: bond.n_radial, here] = values, slopes
    return _combine(
        products.channels, species, vectors / distances[:, None], radial, d_radial, harmonics, d_harmonics
    )


@compiled
def _combine(
    channels: np.ndarray,
    species: np.ndarray,
    directions: np.ndarray,
    radial: np.ndarray,
    d_radial: np.ndarray,
    harmonics: np.ndarray,
    d_harmonics: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Products of radial functions and harmonics, and their gradients."""
    n_channels, n = len(channels), len(species)
    phi, d_phi = np.zeros((n_channels, n)), np.zeros((n_channels, n, 3))
    for a in range(n_channels):
        mu, k, lm = channels[a]
        for j in range(n):
            if species[j] == mu:
                g, dg, y = radial[k, j], d_radial[k, j], harmonics[lm, j]
                phi[a, j] = g * y
                for axis in range(3):
                    d_phi[a, j, axis] = g * d_harmonics[lm, j, axis] + dg * y * directions[j, axis]
    return phi, d_phi


@compiled
def _evaluate_products(
    a: np.ndarray, factors: np.ndarray, coefficients: np.ndarray, first_term: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Functions (n,) and their derivatives (n, n_A) with respect to the channels a (n_A,)."""
    n = len(first_term) - 1
    values, slopes = np.zeros(n), np.zeros((n, len(a)))
    for b in range(n):
        for t in range(first_term[b], first_term[b + 1]):
            product = coefficients[t]
            for f in factors[t]:
                if f >= 0:
                    product *= a[f]
            values[b] += product
            for place, f in enumerate(factors[t]):
                if f >= 0:
                    rest = coefficients[t]
                    for other, h in enumerate(factors[t]):
                        if h >= 0 and other != place:
                            rest *= a[h]
                    slopes[b, f] += rest
    return values, slopes


@compiled
def _scatter(gradients: np.ndarray, second: np.ndarray, centre: int, forces: np.ndarray) -> None:
    """Add minus the gradients to the forces on the neighbours, and their sum to the centre."""
    for b in range(len(gradients)):
        for j in range(len(second)):
            for axis in range(3):
                forces[b, second[j], axis] -= gradients[b, j, axis]
                forces[b, centre, axis] += gradients[b, j, axis]
