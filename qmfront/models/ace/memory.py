"""The arrays that the kernels read and write, bundled."""

from typing import NamedTuple

import numpy as np

from qmfront.models.ace.program import Program
from qmfront.models.ace.simd import LANES


class Neighbourhood(NamedTuple):
    """A list of pairs at moved positions; the vector of pair p is vectors[p] + moved[second[p]] - moved[i].

    starts : (n + 1,) int
        Pairs of atom i are starts[i] .. starts[i + 1].
    second : (p,) int
    vectors : (p, 3) float, Å
    moved : (n, 3) float, Å
    species : (n,) int
    """

    starts: np.ndarray
    second: np.ndarray
    vectors: np.ndarray
    moved: np.ndarray
    species: np.ndarray


class Sums(NamedTuple):
    """What the kernels add to: energies (n,), eV; forces (n, 3), eV/Å; virial (3, 3), eV."""

    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray


class Scratch(NamedTuple):
    """Working memory of one call, for a block of four atoms.

    rows : per atom and vector of four neighbours the rows of `program.Layout`
    indices : (4, capacity) int
        Atom in every lane, -1 for an empty one.
    segments : (4, S + 1) int
        Vectors of species mu are segments[:, mu] .. segments[:, mu + 1].
    channels, slopes : A and dE/dA, one atom per lane
    stack : prefix products and values of the path in the tree
    """

    rows: np.ndarray
    indices: np.ndarray
    segments: np.ndarray
    channels: np.ndarray
    slopes: np.ndarray
    stack: np.ndarray


def scratch(program: Program, n_neighbours: int) -> Scratch:
    """Working memory for atoms with at most n_neighbours neighbours."""
    n_species, depth = len(program.bonds), int(program.node_depth.max()) + 2
    n_vectors = n_neighbours // LANES + n_species + 1
    return Scratch(
        _aligned(LANES * n_vectors * program.layout.stride),
        np.zeros((LANES, n_vectors * LANES), dtype=np.int64),
        np.zeros((LANES, n_species + 1), dtype=np.int64),
        _aligned(program.n_channels * LANES),
        _aligned(program.n_channels * LANES),
        _aligned(2 * depth * LANES),
    )


def _aligned(size: int) -> np.ndarray:
    """Zeros that start on a cache line."""
    raw = np.zeros(size + 8)
    offset = (-raw.ctypes.data // 8) % 8
    return raw[offset : offset + size]
