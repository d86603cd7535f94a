"""Energies, forces and virial of a compiled ACE potential: numba, explicit SIMD, one thread.

Atoms go in blocks of four. For each atom the neighbours are packed by species into vectors of four lanes
(`one_particle`) and contracted to the A channels (`contraction`). The polynomial of the channels then runs for the
four atoms at once, one per lane (`polynomial`), and its derivatives give the forces (`contraction`).
"""

import numba
import numpy as np

from qmfront.models.ace.contraction import density, gradient
from qmfront.models.ace.one_particle import harmonics, pack, radial, row_count
from qmfront.models.ace.polynomial import polynomial
from qmfront.models.ace.program import Program, Scratch
from qmfront.models.ace.simd import LANES, store


def scratch(program: Program, n_neighbours: int) -> Scratch:
    """Working memory for atoms with at most n_neighbours neighbours."""
    n_species, depth = len(program.bonds), int(program.node_depth.max()) + 2
    n_vectors = n_neighbours // LANES + n_species + 1
    rows = row_count(program.n_radial, program.l_max) * LANES * n_vectors * LANES
    return Scratch(
        _aligned(rows),
        np.zeros((LANES, n_vectors * LANES), dtype=np.int64),
        np.zeros((LANES, n_species + 1), dtype=np.int64),
        _aligned(program.n_channels * LANES),
        _aligned(program.n_channels * LANES),
        _aligned(3 * depth * LANES),
        _aligned((program.l_max + 1) ** 2 * LANES + 4 * LANES),
    )


def _aligned(size: int) -> np.ndarray:
    """Zeros that start on a cache line."""
    raw = np.zeros(size + 8)
    offset = (-raw.ctypes.data // 8) % 8
    return raw[offset : offset + size]


@numba.njit(cache=True)
def evaluate_sites(
    program: Program,
    work: Scratch,
    atoms: np.ndarray,
    starts: np.ndarray,
    second: np.ndarray,
    vectors: np.ndarray,
    species: np.ndarray,
    energies: np.ndarray,
    forces: np.ndarray,
    virial: np.ndarray,
) -> int:
    """Add the site energies of `atoms` (all of the program's species) and their gradients.

    Parameters
    ----------
    atoms : (m,) int
    starts : (n + 1,) int
        Pairs of atom i are starts[i] .. starts[i + 1].
    second, vectors : (p,) int, (3 p,) float in Å
        Neighbour and vector to it.
    species : (n,) int
    energies, forces, virial : (n,), (n, 3), (3, 3), added to

    Returns
    -------
    int
        -1, or the first pair that is too close or not a number.
    """
    stride = LANES * row_count(program.n_radial, program.l_max)
    slot_size = len(work.rows) // LANES
    for block in range(0, len(atoms), LANES):
        n_slots = min(LANES, len(atoms) - block)
        for slot in range(LANES):
            base = slot * slot_size
            if slot < n_slots:
                i = atoms[block + slot]
                bad = pack(
                    program, work, slot, base, stride, i, starts, second, vectors, species, energies, forces, virial
                )
                if bad >= 0:
                    return bad
            else:
                work.segments[slot, :] = 0
            for mu in range(len(program.bonds)):
                first, last = work.segments[slot, mu], work.segments[slot, mu + 1]
                for v in range(first, last):
                    radial(program, work.rows, base + v * stride, mu)
                    harmonics(program, work.rows, base + v * stride)
                density(program, work, slot, base + first * stride, base + last * stride, stride, mu)
        values = polynomial(program, work)
        store(work.harmonics, 0, values)
        for slot in range(n_slots):
            energies[atoms[block + slot]] += work.harmonics[slot]
        for slot in range(n_slots):
            gradient(program, work, slot, slot * slot_size, stride, atoms[block + slot], forces, virial)
    return -1
