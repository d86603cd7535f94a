"""Energies, forces and virial of a compiled ACE potential: numba, explicit SIMD, one thread.

Atoms go in blocks of four. For each atom the neighbours are packed by species into vectors of four lanes
(`one_particle`) and contracted to the A channels (`contraction`). The polynomial of the channels then runs for the
four atoms at once, one per lane (`polynomial`), and its derivatives give the forces (`contraction`).
"""

import numpy as np

from qmfront.models.ace.contraction import angular, contract, density, spread
from qmfront.models.ace.memory import Neighbourhood, Scratch, Sums
from qmfront.models.ace.one_particle import harmonics, pack, radial
from qmfront.models.ace.polynomial import polynomial
from qmfront.models.ace.program import Program
from qmfront.models.ace.simd import LANES
from qmfront.models.compiled import compiled


@compiled
def evaluate_sites(
    program: Program, work: Scratch, atoms: np.ndarray, near: Neighbourhood, sums: Sums
) -> int:
    """Add the site energies of `atoms` (m,), all of the program's species, and their gradients to `sums`.

    Returns
    -------
    int
        -1, or the first pair that is too close or not a number.
    """
    layout, rows, slot_size = program.layout, work.rows, len(work.rows) // LANES
    for block in range(0, len(atoms), LANES):
        n_slots = min(LANES, len(atoms) - block)
        for slot in range(LANES):
            base, i = slot * slot_size, -1
            if slot < n_slots:
                i = atoms[block + slot]
            bad = pack(program.bonds, program.limits, work, slot, base, layout.stride, i, near, sums)
            if bad >= 0:
                return bad
            for mu in range(len(program.bonds)):
                first = base + work.segments[slot, mu] * layout.stride
                last = base + work.segments[slot, mu + 1] * layout.stride
                radial(rows, first, last, layout, program.bonds[mu])
                harmonics(rows, first, last, layout, program.legendre)
                density(
                    rows,
                    first,
                    last,
                    layout,
                    program.row_start[mu],
                    program.row_length[mu],
                    work.channels,
                    slot,
                )
        values = polynomial(program, work)
        for slot in range(n_slots):
            i, base = atoms[block + slot], slot * slot_size
            sums.energies[i] += values[slot]
            for mu in range(len(program.bonds)):
                first = base + work.segments[slot, mu] * layout.stride
                last = base + work.segments[slot, mu + 1] * layout.stride
                contract(
                    rows,
                    first,
                    last,
                    layout,
                    program.row_start[mu],
                    program.full[mu],
                    program.first[mu],
                    work.slopes,
                    slot,
                )
                angular(rows, first, last, layout)
            last = base + work.segments[slot, len(program.bonds)] * layout.stride
            spread(rows, base, last, layout, work.indices[slot], i, sums)
    return -1
