"""How wide the exact layer of the default residual must be, and what the linear mismatch adds; no QM call.

    PYTHONPATH=. python benchmarks/residual_layer.py si_edge silicon silicon_1 results > benchmarks/residual_layer.csv

Needs a finished case with exact residuals. Inside the layer the stored exact residual is taken, beyond it mixed forces
plus the Cauchy-Born difference, with and without what the force constants of the fit miss. Ratios are to the estimator
with the exact residual everywhere, norm H_FC.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from qmfront.coupling.partition import QM
from qmfront.crystal.cluster import surrounded
from qmfront.crystal.defect import Defect
from qmfront.elasticity.bulk import Bulk
from qmfront.elasticity.certificate import Certificate
from qmfront.estimate.estimator import estimator
from qmfront.mismatch.cauchy_born import cauchy_born_difference
from qmfront.mismatch.linear import linear_mismatch
from qmfront.operators.operators import Operators
from qmfront.storage import store
from qmfront.storage.layout import Kind
from qmfront.storage.layouts.bulk import BULK
from qmfront.storage.layouts.operators import OPERATORS
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.layouts.potential import POTENTIAL
from qmfront.storage.layouts.residual import RESIDUAL
from qmfront.storage.layouts.solution import SOLUTION
from qmfront.storage.layouts.structure import STRUCTURE

WIDTHS = (0.0, 1.0, 2.0, 3.0)
"""r0"""


def main(case: str, material: str, potential: str, results: Path) -> pd.DataFrame:
    """One row per iteration and width."""
    defect = Defect.from_arrays(load(results / case / "structure.zarr", STRUCTURE))
    operators = Operators.from_arrays(load(results / case / "operators.zarr", OPERATORS))
    certificate = Certificate.from_arrays(
        load(results / "potentials" / potential / "certificate.zarr", POTENTIAL)
    )
    bulk = Bulk.from_arrays(load(results / "bulk" / f"{material}.zarr", BULK))
    linear = linear_mismatch(bulk, certificate).assembled(defect)
    mismatch = certificate.polynomial
    riesz = operators.force_constant_map(defect.free, tolerance=1e-8)

    def eta(forces: np.ndarray) -> float:
        return estimator(riesz.solve(np.where(defect.free[:, None], forces, 0.0)), defect.stencil)

    rows = []
    for folder in sorted((results / case).glob("[0-9]*"), key=lambda path: int(path.name)):
        solution = load(folder / "solution.zarr", SOLUTION)
        region = load(folder / "partition.zarr", PARTITION)["region"]
        exact = load(folder / "residual.zarr", RESIDUAL)["exact"]
        u, plain = solution["displacement"], solution["forces"].copy()
        plain += cauchy_born_difference(defect, u, mismatch)
        whole = eta(exact)
        for width in WIDTHS:
            inner = region == QM
            if width:
                positions = defect.body.reference + u
                inner |= surrounded(inner, positions, defect.cell, defect.pbc, width=width * defect.r0)
            without, with_it = (
                eta(np.where(inner[:, None], exact, beyond)) / whole
                for beyond in (plain, plain + linear.forces(defect, u))
            )
            rows.append((int(folder.name), int(np.sum(region == QM)), width, without, with_it))
    names = ["k", "n_qm", "layer_r0", "cauchy_born_over_exact", "with_linear_mismatch_over_exact"]
    return pd.DataFrame(rows, columns=names)


def load(path: Path, kind: Kind) -> store.Store:
    return store.load(path / "zarr.json", kind)


if __name__ == "__main__":
    main(*sys.argv[1:4], Path(sys.argv[4])).to_csv(sys.stdout, index=False, float_format="%.4f")
