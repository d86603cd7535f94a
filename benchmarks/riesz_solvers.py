"""How H_FC phi = F is solved: sparse LU against conjugate gradients with the factor of L, on cracks of growing size.

    python -m benchmarks.riesz_solvers [largest radius in r0]

writes benchmarks/riesz_solvers.csv. Both solve the same right-hand side, the forces of the predictor, in one run and
one thread; seconds are processor time. The LU (SuperLU, MMD ordering, symmetric mode, its best settings) is given up
beyond LARGEST_LU free sites, where it needs more memory than a case may take.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse.linalg import splu

from qmfront.config.material import ForceConstantSteps, Probe
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.elasticity.bulk import bulk_of
from qmfront.elasticity.straight_crack import StraightCrack, crack_defect
from qmfront.models.eam import EAM
from qmfront.operators.assembly import assemble
from qmfront.operators.riesz import ForceConstantMap

RADII = (15.0, 30.0, 50.0, 110.0)  # r0
TOLERANCES = (2e-2, 1e-6, 1e-8)
LARGEST_LU = 20000  # free sites
SURFACE_ENERGY = 0.1585  # eV/Å^2


def main(largest: float) -> None:
    """All radii up to the largest; table."""
    model = EAM(potential="W_zhou")
    steps = ForceConstantSteps(reach=model.force_range, displacement=1e-3)
    bulk = bulk_of(cubic_crystal("W", "bcc", 3.165), model, Probe(force_constants=steps))
    rows = []
    for radius in (r for r in RADII if r <= largest):
        crack = StraightCrack((0, 0, 1), (1, 1, 0), 0.86, (0.0, 0.0), radius, 15.0)
        defect = crack_defect(bulk, crack, surface_energy=SURFACE_ENERGY)
        rows.append(measure(defect, bulk, model))
        print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.4g")


def measure(defect: Defect, bulk, model: EAM) -> dict[str, float]:
    """Seconds and sizes of one domain."""
    row: dict[str, float] = {"n_sites": defect.n_sites, "n_free": int(defect.free.sum())}
    operators, row["assembly_s"] = timed(
        lambda: assemble(defect, bulk, reach=model.force_range, decay=3.0, cutoff_r0=2.5)
    )
    forces = np.array(model.get_forces(defect.body.atoms(np.zeros_like(defect.sites))))
    riesz, row["factor_l_s"] = timed(lambda: operators.force_constant_map(defect.free, tolerance=1e-8))
    row["nonzeros_l"] = riesz.laplacian.factor.nnz
    for tolerance in TOLERANCES:
        looser = ForceConstantMap(riesz.free, riesz.matrix, riesz.laplacian, tolerance)
        phi, row[f"cg_{tolerance:.0e}_s"] = timed(lambda chosen=looser: chosen.solve(forces))
    row["peak_before_lu_gb"] = peak()
    if row["n_free"] <= LARGEST_LU:
        matrix = riesz.matrix.tocsc()
        factor, row["factor_h_s"] = timed(
            lambda: splu(
                matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
            )
        )
        exact, row["lu_solve_s"] = timed(lambda: factor.solve(forces[defect.free].ravel()))
        row["nonzeros_h"] = factor.nnz
        row["peak_after_lu_gb"] = peak()
        row["cg_relative_error"] = np.linalg.norm(phi[defect.free].ravel() - exact) / np.linalg.norm(exact)
    return row


def timed(work):
    """What work() gives, and the processor seconds that it took."""
    start = time.process_time()
    return work(), time.process_time() - start


def peak() -> float:
    """Largest memory of this process so far, GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else RADII[-1])
