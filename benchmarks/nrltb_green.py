"""Poles of the Fermi function on strips against diagonalisation: time and memory of one force call of NRLTB.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.nrltb_green [n_max]

writes benchmarks/nrltb_green.csv. Discs of diamond silicon around a line along [110], periodic along it with 3.84 Å,
vacuum around, rattled by 0.05 Å; one complex k-point at a quarter of the reciprocal period; mu = 5.80 eV, kT = 0.1 eV.
CPU time of one call of each, in turns. Memory is the peak that NumPy allocates during that call.
"""

import sys
import time
import tracemalloc
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from qmfront.models.nrltb import NRLTB
from qmfront.models.nrltb.strips import cut_strips
from tests.models.nrltb.structures import disc

RADII = (17.0, 22.3, 31.5, 40.7, 47.3)  # Å


@dataclass(frozen=True)
class Row:
    """CPU seconds and MiB of one force call; differences poles - dense in eV/Å, eV per atom and electrons."""

    n_atoms: int
    n_strips: int
    largest_strip: int
    dense_s: float
    poles_s: float
    dense_mib: float
    poles_mib: float
    force_difference: float
    free_energy_difference: float
    electron_difference: float


def main(n_max: int) -> None:
    """All sizes up to n_max atoms; the table is written after each."""
    rows = []
    for radius in RADII:
        atoms = disc(radius)
        if len(atoms) > n_max:
            break
        if not rows:  # loads the machine code
            measure(atoms)
        rows.append(measure(atoms))
        table = pd.DataFrame([asdict(row) for row in rows])
        table.insert(5, "speedup", table.dense_s / table.poles_s)
        table.to_csv(Path(__file__).with_name("nrltb_green.csv"), index=False, float_format="%.4g")
        print(rows[-1], flush=True)
    print(table.to_string(index=False))


def measure(atoms: Atoms) -> Row:
    """One size, both solvers."""
    found = {solver: call(atoms, solver) for solver in ("poles", "dense")}
    (poles_s, poles_mib, poles), (dense_s, dense_mib, dense) = found["poles"], found["dense"]
    strips = cut_strips(atoms.positions, atoms.cell.array, atoms.pbc, NRLTB().cutoff)
    return Row(
        n_atoms=len(atoms),
        n_strips=len(strips.sizes),
        largest_strip=int(np.diff(strips.starts).max()),
        dense_s=dense_s,
        poles_s=poles_s,
        dense_mib=dense_mib,
        poles_mib=poles_mib,
        force_difference=float(np.abs(poles["forces"] - dense["forces"]).max()),
        free_energy_difference=(poles["free_energy"] - dense["free_energy"]) / len(atoms),
        electron_difference=poles["n_electrons"] - dense["n_electrons"],
    )


def call(atoms: Atoms, solver: str) -> tuple[float, float, dict[str, np.ndarray]]:
    """CPU seconds, peak MiB and results of one force call."""
    calculator = NRLTB(kpts_shift=(0.0, 0.0, 0.25), solver=solver)
    tracemalloc.start()
    start = time.process_time()
    calculator.get_property("forces", atoms)
    seconds = time.process_time() - start
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    return seconds, memory, calculator.results


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1400)
