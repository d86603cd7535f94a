"""Energies, forces and virial of a compiled ACE potential: numba, explicit SIMD, one thread.

Atoms go in blocks of four. For each atom the neighbours are packed by species into vectors of four lanes
(`one_particle`) and contracted to the A channels (`contraction`). The polynomial of the channels then runs for the
four atoms at once, one per lane (`polynomial`), and its derivatives give the forces (`contraction`).
"""

import numba
import numpy as np

from qmfront.models.ace.contraction import density, gradient
from qmfront.models.ace.memory import Neighbourhood, Scratch, Sums
from qmfront.models.ace.one_particle import harmonics, pack, radial
from qmfront.models.ace.polynomial import polynomial
from qmfront.models.ace.program import Program
from qmfront.models.ace.simd import LANES, store


@numba.njit(cache=True)
def evaluate_sites(
    program: Program, work: Scratch, atoms: np.ndarray, near: Neighbourhood, sums: Sums
) -> int:
    """Add the site energies of `atoms` (m,), all of the program's species, and their gradients to `sums`.

    Returns
    -------
    int
        -1, or the first pair that is too close or not a number.
    """
    stride = LANES * program.n_rows
    slot_size = len(work.rows) // LANES
    for block in range(0, len(atoms), LANES):
        n_slots = min(LANES, len(atoms) - block)
        for slot in range(LANES):
            base = slot * slot_size
            if slot < n_slots:
                bad = pack(program, work, slot, base, atoms[block + slot], near, sums)
                if bad >= 0:
                    return bad
            else:
                work.segments[slot, :] = 0
            for mu in range(len(program.bonds)):
                first, last = work.segments[slot, mu], work.segments[slot, mu + 1]
                for at in range(base + first * stride, base + last * stride, stride):
                    radial(program, work.rows, at, mu)
                    harmonics(program, work.rows, at)
                density(program, work, slot, base + first * stride, base + last * stride, mu)
        store(work.harmonics, 0, polynomial(program, work))
        for slot in range(n_slots):
            sums.energies[atoms[block + slot]] += work.harmonics[slot]
        for slot in range(n_slots):
            gradient(program, work, slot, slot * slot_size, atoms[block + slot], sums)
    return -1
