"""What a finite periodic domain costs: the relaxed vacancy of W in boxes of m^3 cells against the largest one, EAM.

`python -m benchmarks.domain_size` writes domain_size.csv. The solution of a small box is continued by zero to the large
one; its error there is what N_MM must keep below the error of the QM region, which falls as N_QM^-1.5 or faster. Theory
(section 2 of the paper): ||D u|| beyond a radius falls as N_MM^-1/2.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from qmfront.config.material import ForceConstantSteps, Probe
from qmfront.config.stages import Solve
from qmfront.coupling.force_mixing import model_forces
from qmfront.coupling.reference import relax_reference
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.elasticity.bulk import Bulk, bulk_of
from qmfront.evaluate.forces import calculator_forces
from qmfront.models.eam import EAM
from qmfront.operators.assembly import assemble
from qmfront.operators.norm import stencil_norm

DOMAINS = (4, 6, 8, 10, 12, 16)
LARGEST = 20
"""Cells of the box that stands for an infinite crystal."""
REACH = 11.0
MAX_FORCE = 1e-8
"""Å and eV/Å."""

logger = logging.getLogger("domain_size")


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    calculator = EAM("W_zhou")
    probe = Probe(force_constants=ForceConstantSteps(reach=REACH))
    bulk = bulk_of(cubic_crystal("W", "bcc", 3.165), calculator, probe)
    large, u_large = relaxed(bulk, calculator, LARGEST)
    whole, rows = stencil_norm(u_large, large.stencil), []
    for cells in DOMAINS:
        small, u_small = relaxed(bulk, calculator, cells)
        error = stencil_norm(u_large - continued(small, u_small, large), large.stencil)
        tail = stencil_norm(
            u_large - continued(small, restricted(large, u_large, small), large), large.stencil
        )
        rows.append(
            {"cells": cells, "n_mm": small.n_sites, "error": error, "cut_off": tail, "solution": whole}
        )
        rates = -np.diff(np.log([row["error"] for row in rows])) / np.diff(
            np.log([row["n_mm"] for row in rows])
        )
        logger.info("%s, rates %s", rows[-1], np.round(rates, 2))
    table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
    Path(__file__).with_suffix(".csv").write_text(table, encoding="utf-8")


def relaxed(bulk: Bulk, calculator: EAM, cells: int) -> tuple[Defect, np.ndarray]:
    """The vacancy in a box and its displacement (n, 3), Å, without a mean."""
    defect = point_defect(bulk.crystal, PointDefect((0.5, 0.5, 0.5), ((0.0, 0.0, 0.0),), (), cells))
    operators = assemble(defect, bulk, reach=REACH, decay=3.0, cutoff_r0=2.5)
    found = relax_reference(
        model_forces(defect.body, defect.free, calculator_forces(calculator)),
        operators.force_constant_map(defect.free, tolerance=1e-4),
        start=np.zeros_like(defect.sites),
        max_force=MAX_FORCE,
        settings=Solve(),
    )
    return defect, found.displacement - found.displacement.mean(axis=0)


def continued(small: Defect, displacement: np.ndarray, large: Defect) -> np.ndarray:
    """The displacement of a small box on the sites of a large one, zero beyond."""
    distance, index = cKDTree(small.sites - small.core).query(large.sites - large.core)
    return np.where((distance < 1e-3)[:, None], displacement[index], 0.0)


def restricted(large: Defect, displacement: np.ndarray, small: Defect) -> np.ndarray:
    """The displacement of a large box on the sites of a small one."""
    return displacement[cKDTree(large.sites - large.core).query(small.sites - small.core)[1]]


if __name__ == "__main__":
    main()
