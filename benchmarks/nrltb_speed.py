"""Time per force call of NRL tight binding beside LAPACK's generalised eigensolver alone and QUIP, one thread.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.nrltb_speed [n_max]

writes benchmarks/nrltb_speed.csv and nrltb_speed.png. CPU time, the best of several rounds in which the codes take
turns. Diamond silicon, a = 5.4263 Å, rattled by 0.05 Å; one k-point, Gamma (real) and (1/4, 1/4, 1/4) (complex). A
force call finds neighbours, fills H and S, solves, and gives energies, forces and virial at mu = 5.80 eV, kT = 0.1 eV.
LAPACK is dsygvd or zhegvd with all eigenvectors on the same matrices, without copies, from SciPy's OpenBLAS. QUIP
(quippy-ase, with its own OpenBLAS, one call) takes part if it is installed, up to 216 atoms in the complex case. Memory
is the peak that NumPy allocates during a call.
"""

import importlib.util
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from ase import Atoms
from ase.build import bulk
from scipy.linalg import lapack

from qmfront.figures.style import SERIES_STYLES, styled
from qmfront.models.nrltb import environment
from qmfront.models.nrltb.electrons import Electrons
from qmfront.models.nrltb.evaluate import evaluate, structure
from qmfront.models.nrltb.kpoints import KPoints, phases
from qmfront.models.nrltb.matrices import Blocks, hamiltonian_overlap
from qmfront.models.nrltb.parameters import HOPPING, OVERLAP, load_parameters
from qmfront.models.nrltb.radial import radial_functions
from qmfront.models.nrltb.slater_koster import blocks

LATTICE_CONSTANT, RATTLE = 5.4263, 0.05  # Å
REPEATS = ((2, 2, 2), (3, 3, 2), (3, 3, 3), (4, 4, 3), (4, 4, 4), (5, 5, 4))  # 64 .. 800 atoms
POINTS = {"real": (0.0, 0.0, 0.0), "complex": (0.25, 0.25, 0.25)}
SILICON = load_parameters("silicon")


@dataclass(frozen=True)
class Row:
    """Seconds of CPU time for one force call; memory in MiB; how far QUIP's band energy is away, eV."""

    n_atoms: int
    arithmetic: str
    nrltb_s: float
    gvd_s: float
    quip_s: float
    nrltb_mib: float
    quip_energy_difference: float


def main(n_max: int) -> None:
    """All sizes up to n_max atoms; table, figure, summary."""
    rows = []
    for repeat in REPEATS:
        atoms = bulk("Si", a=LATTICE_CONSTANT, cubic=True) * repeat
        atoms.rattle(RATTLE, seed=1)
        for arithmetic, point in POINTS.items():
            if len(atoms) <= n_max:
                rows.append(measure(atoms, arithmetic, np.array([point])))
                print(rows[-1], flush=True)
    table = pd.DataFrame([asdict(row) for row in rows])
    table["ratio_to_gvd"] = table.nrltb_s / table.gvd_s
    table["ratio_to_quip"] = table.nrltb_s / table.quip_s
    folder = Path(__file__).parent
    table.to_csv(folder / "nrltb_speed.csv", index=False, float_format="%.4g")
    draw(table, folder / "nrltb_speed.png")
    print(table.to_string(index=False))


def measure(atoms: Atoms, arithmetic: str, points: np.ndarray) -> Row:
    """One size and arithmetic; every code in every round."""
    electrons = Electrons(KPoints(points, np.ones(1)))
    arrays = atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers
    solver = lapack.dsygvd if arithmetic == "real" else lapack.zhegvd

    def call() -> object:
        return evaluate(SILICON, structure(SILICON, *arrays), electrons)

    call()  # loads the machine code
    tracemalloc.start()
    call()
    memory = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    best = {"nrltb": np.inf, "gvd": np.inf}
    for _ in range(10 if len(atoms) < 200 else 3):
        H, S = matrices(atoms, points[0])
        best["nrltb"] = min(best["nrltb"], seconds(call))
        best["gvd"] = min(
            best["gvd"], seconds(lambda H=H, S=S: solver(H, S, uplo="L", overwrite_a=1, overwrite_b=1))
        )
    quip, difference = np.nan, np.nan
    if importlib.util.find_spec("quippy") and (arithmetic == "real" or len(atoms) <= 216):
        quip, energy = quip_call(atoms, points)
        cold = evaluate(SILICON, structure(SILICON, *arrays), Electrons(KPoints(points, np.ones(1)), mu=None))
        difference = energy - cold.energy
    return Row(len(atoms), arithmetic, best["nrltb"], best["gvd"], quip, memory, difference)


def matrices(atoms: Atoms, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """H and S of the structure, what the eigensolver alone is given."""
    known = structure(SILICON, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)
    values, _ = radial_functions(SILICON, known.kind, known.bonds)
    rho = environment.density(known.kind, known.bonds, values, len(SILICON.species))
    levels = environment.levels(SILICON, known.kind, rho).energy
    hopping, overlap = (blocks(known.bonds, values[:, part]) for part in (HOPPING, OVERLAP))
    shared = Blocks(known.bonds, known.images, hopping, overlap, levels)
    return hamiltonian_overlap(shared, phases(point, known.images))


def quip_call(atoms: Atoms, points: np.ndarray) -> tuple[float, float]:
    """CPU seconds of one force call of QUIP with the same parameters, and the band energy of neutral atoms, eV."""
    from tests.models.nrltb.quippy_oracle import calculator
    from tests.models.nrltb.structures import silicon_content

    other = atoms.copy()
    other.calc = calculator(silicon_content(), kT=0.1, points=points, weights=np.ones(1))
    took = seconds(other.get_forces)
    return took, other.get_potential_energy()


def seconds(task: Callable[[], object]) -> float:
    """CPU time of one call."""
    start = time.process_time()
    task()
    return time.process_time() - start


def draw(table: pd.DataFrame, path: Path) -> None:
    """Seconds against the number of atoms, real and complex side by side."""
    series = {"quip_s": "QUIP", "gvd_s": "LAPACK gvd alone", "nrltb_s": "NRLTB, energy and forces"}
    with styled():
        figure, panels = plt.subplots(1, 2, figsize=(6.6, 3.0), layout="constrained", sharey=True)
        for axes, (arithmetic, part) in zip(panels, table.groupby("arithmetic", sort=False), strict=True):
            for (column, label), style in zip(series.items(), SERIES_STYLES, strict=False):
                style.draw(axes, part.n_atoms, part[column], label=label)
            axes.set(xscale="log", yscale="log", xlabel="atoms", title=f"{arithmetic} k-point")
            axes.set_xticks(part.n_atoms, part.n_atoms.astype(str))
            axes.minorticks_off()
        panels[0].set(ylabel="CPU seconds per force call")
        panels[0].legend(fontsize="x-small", loc="upper left")
        figure.savefig(path, dpi=200)
    plt.close(figure)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 800)
