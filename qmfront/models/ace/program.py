"""Compile a potential into the flat tables that `kernels` runs.

The site energy is a polynomial of the A channels. All products are sorted and merged into a prefix tree,

    E = c_0 + sum_a A_a (c_a + sum_b A_b (c_ab + sum_c A_c c_abc)),

so that one depth-first pass gives the energy and all dE/dA: on the way down the product of the prefix, on the
way up the value of each subtree. It works for any correlation order. The harmonics of the kernels are not
normalised; their norms are absorbed in the coefficients.
"""

import math
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from qmfront.models.ace.basis import Function
from qmfront.models.ace.design import functions_of
from qmfront.models.ace.harmonics import normalisation
from qmfront.models.ace.potential import Potential
from qmfront.models.ace.radial import Bond
from qmfront.models.ace.simd import LANES

RADIAL_TILE = 3  # radial functions that `kernels` contracts at once
ANGULAR_TILE = 4


class Layout(NamedTuple):
    """Rows of one vector of four neighbours in the working memory, four doubles each, as offsets in doubles.

    0 : e_x e_y e_z 1/r r;   values : g_k;   slopes : g'_k;   harmonics : Y_lm;   polynomials : q_lm, m > 0
    stride : doubles per vector of neighbours
    """

    n_radial: int
    l_max: int
    values: int
    slopes: int
    harmonics: int
    polynomials: int
    stride: int


class Program(NamedTuple):
    """Tables of one centre species; K radial functions (a multiple of RADIAL_TILE), S species.

    layout : Layout
    n_channels : int
    bonds : (S, 6) float
        Cutoff and taper (Å); a, b, c, d of e = exp(a r), 2 x = b - c e, 2 dx/dr = d e.
    limits : (3,) float
        Minimum distance (Å), strength (eV) and radius (Å) of the repulsion.
    legendre : (L, 2) float
        Factors of the recursion for (l, m), 0 <= m <= l, at row l(l + 1)/2 + m.
    row_start, row_length : (S, K) int
        Channels (k, lm) stand at row_start[mu, k] + lm for lm < row_length[mu, k].
    full, first : (S, T) int
        Number of radial functions that have all four harmonics of an angular tile, or its first one at least.
    node_depth, node_channel, node_value, first_leaf : (N,), (N,), (N,), (N + 1,)
        Inner nodes of the tree in depth-first order; node 0 is the root.
    leaf_channel, leaf_value : (M,), (M,)
    """

    layout: Layout
    n_channels: int
    bonds: np.ndarray
    limits: np.ndarray
    legendre: np.ndarray
    row_start: np.ndarray
    row_length: np.ndarray
    full: np.ndarray
    first: np.ndarray
    node_depth: np.ndarray
    node_channel: np.ndarray
    node_value: np.ndarray
    first_leaf: np.ndarray
    leaf_channel: np.ndarray
    leaf_value: np.ndarray


@lru_cache(maxsize=32)
def compiled(potential: Potential, centre: int) -> Program:
    """Tables of the centre species `centre` (position in `potential.basis.species`), computed once per potential."""
    basis = potential.basis
    rows = functions_of(basis, centre)
    functions = basis.functions[rows]
    n_species = len(basis.species)
    bonds = basis.bonds[centre * n_species : (centre + 1) * n_species]
    start, length, l_max = _channel_rows(functions, n_species)
    products = _merged_products(functions, np.asarray(potential.coefficients, float)[rows], start, l_max)
    tiles = np.arange(0, (l_max + 1) ** 2, ANGULAR_TILE)
    repulsion = potential.repulsion
    strength, radius = (repulsion.strength, repulsion.radius) if repulsion else (0.0, 0.0)
    return Program(
        _layout(start.shape[1], l_max),
        int(start[-1, -1] + length[-1, -1]),
        np.array([_bond_constants(bond) for bond in bonds]),
        np.array([potential.minimum_distance, strength, radius]),
        _legendre_factors(l_max),
        start,
        length,
        np.stack([np.sum(length >= tile + ANGULAR_TILE, axis=1) for tile in tiles], axis=1),
        np.stack([np.sum(length > tile, axis=1) for tile in tiles], axis=1),
        *_prefix_tree(products, float(potential.reference_energies[centre])),
    )


def _layout(n_radial: int, l_max: int) -> Layout:
    """Offsets for n_radial radial functions and harmonics up to l_max."""
    rows = np.cumsum([5, n_radial, n_radial, (l_max + 1) ** 2, l_max * (l_max + 1) // 2]) * LANES
    return Layout(n_radial, l_max, *rows.tolist())


def _bond_constants(bond: Bond) -> tuple[float, ...]:
    """A row of `Program.bonds`."""
    scale, tail = 2.0 / -np.expm1(-bond.decay), np.exp(-bond.decay)
    rate = bond.decay / bond.cutoff
    return bond.cutoff, bond.taper, -rate, 2.0 + 2.0 * scale * tail, 2.0 * scale, 2.0 * scale * rate


def _channel_rows(functions: tuple[Function, ...], n_species: int) -> tuple[np.ndarray, np.ndarray, int]:
    """row_start and row_length (S, K) of `Program`, and l_max. Rows shorten as k grows."""
    used = [factor for f in functions for factor in zip(f.mus, f.ns, f.ls, strict=True)]
    l_max = max((l for _, _, l in used), default=0)
    n_radial = max((n for _, n, _ in used), default=1)
    n_radial = -(-n_radial // RADIAL_TILE) * RADIAL_TILE
    length = np.ones((n_species, n_radial), dtype=np.int64)
    for mu, n, l in used:
        last = -(-n // RADIAL_TILE) * RADIAL_TILE
        length[mu, :last] = np.maximum(length[mu, :last], (l + 1) ** 2)
    start = np.concatenate([[0], np.cumsum(length.ravel())[:-1]]).reshape(length.shape)
    return start, length, l_max


def _merged_products(
    functions: tuple[Function, ...], coefficients: np.ndarray, start: np.ndarray, l_max: int
) -> dict[tuple[int, ...], float]:
    """Sorted tuples of channels with their coefficients, harmonics not normalised."""
    norm = normalisation(l_max).tolist()
    products: dict[tuple[int, ...], float] = {}
    for function, weight in zip(functions, coefficients, strict=True):
        rows = [
            int(start[mu, n - 1]) + l * (l + 1)
            for mu, n, l in zip(function.mus, function.ns, function.ls, strict=True)
        ]
        for ms, coefficient in zip(function.ms.tolist(), function.coefficients, strict=True):
            key = tuple(sorted(row + m for row, m in zip(rows, ms, strict=True)))
            factor = math.prod(norm[l][abs(m)] for l, m in zip(function.ls, ms, strict=True))
            products[key] = products.get(key, 0.0) + float(weight * coefficient * factor)
    return products


def _prefix_tree(products: dict[tuple[int, ...], float], constant: float) -> tuple[np.ndarray, ...]:
    """The last six tables of `Program`; frequent channels come first, so that prefixes are shared."""
    frequency = Counter(channel for key in products if len(key) > 2 for channel in key)
    tree: dict = {"value": constant, "children": {}}
    for key, value in products.items():
        node = tree
        for channel in sorted(key, key=lambda c: (-frequency[c], c)):
            node = node["children"].setdefault(channel, {"value": 0.0, "children": {}})
        node["value"] += value
    nodes: list[tuple[int, int, float]] = []
    first_leaf, leaves = [0], []

    def visit(node: dict, channel: int, depth: int) -> None:
        nodes.append((depth, channel, node["value"]))
        inner = []
        for child_channel, child in sorted(node["children"].items()):
            if child["children"]:
                inner.append((child_channel, child))
            else:
                leaves.append((child_channel, child["value"]))
        first_leaf.append(len(leaves))
        for child_channel, child in inner:
            visit(child, child_channel, depth + 1)

    visit(tree, 0, 0)
    depth, channel, value = (np.array(column) for column in zip(*nodes, strict=True))  # type: ignore[assignment]
    leaf_channel = np.array([leaf[0] for leaf in leaves], dtype=np.int64)
    leaf_value = np.array([leaf[1] for leaf in leaves], dtype=float)
    return depth, channel, value, np.array(first_leaf), leaf_channel, leaf_value  # type: ignore[return-value]


def _legendre_factors(l_max: int) -> np.ndarray:
    """(2l - 1)/(l - m) and (l + m - 1)/(l - m) for m < l; (2l - 1)!! and 0 for m = l."""
    factors, double = np.zeros(((l_max + 1) * (l_max + 2) // 2, 2)), 1.0
    for l in range(l_max + 1):
        double *= max(2 * l - 1, 1)
        for m in range(l):
            factors[l * (l + 1) // 2 + m] = (2 * l - 1) / (l - m), (l + m - 1) / (l - m)
        factors[l * (l + 1) // 2 + l, 0] = double
    return factors
