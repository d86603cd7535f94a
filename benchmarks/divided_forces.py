"""Divide and conquer with tight binding: processor seconds, memory, and error of the forces against dense algebra.

`python -m benchmarks.divided_forces` writes divided_forces.csv: di-interstitials in boxes of m^3 cells under a
displacement that falls off as r^-2, forces on all atoms from tiles of one cubic cell in boxes of three.
"""

import logging
import resource
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from qmfront.coupling.divide_and_conquer import box_of, divided_forces, force_difference, tiles_of
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.evaluate.forces import calculator_forces
from qmfront.models.nrltb import NRLTB

LATTICE_CONSTANT = 5.42628  # Å, at zero stress
H = 0.155
ADDED = ((-H, H, H), (H, -H, H), (H, H, -H))
TILE, BOX = 1, 3
"""Cells of a tile and of its box."""
DENSE = 5
"""Cells of the domain that is solved densely as well, the first one: its memory would hide that of the tiles."""
DOMAINS = (5, 7, 10)

logger = logging.getLogger("divided_forces")


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    qm, rows = calculator_forces(NRLTB()), []
    for cells in DOMAINS:
        defect = point_defect(
            cubic_crystal("Si", "diamond", LATTICE_CONSTANT),
            PointDefect((1.25, 1.5, 1.0), ((0.0, 0.0, 0.0),), ADDED, cells),
        )
        u, tiles = _displacement(defect), tiles_of(defect.body, TILE)
        forces, seconds = _timed(divided_forces(defect.body, qm, tiles, box_cells=BOX), u)
        rows.append(_row(defect, tiles, seconds))
        if cells == DENSE:
            dense, dense_seconds = _timed(qm, defect.body.atoms(u))
            error = force_difference(forces, dense)
            rows[-1] |= {"largest_error": error.largest, "rms_error": error.rms}
            rows[-1] |= {"dense_cpu_s": dense_seconds}
        logger.info("%s", rows[-1])
        table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
        Path(__file__).with_suffix(".csv").write_text(table, encoding="utf-8")


def _row(defect: Defect, tiles: list[np.ndarray], seconds: float) -> dict[str, float]:
    sizes = Counter(len(box_of(defect.body, tile, BOX)[0]) for tile in tiles)
    return {
        "n_atoms": defect.n_sites,
        "tiles": len(tiles),
        "boxes_of_3_cells": sum(number for size, number in sizes.items() if size < 300),
        "boxes_of_4_cells": sizes[514],
        "cpu_s": seconds,
        "ms_per_atom": 1e3 * seconds / defect.n_sites,
        "largest_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _displacement(defect: Defect) -> np.ndarray:
    """A centre of dilatation, 0.1 Å at 5 Å, softened inside."""
    x = defect.sites - defect.core
    r = np.linalg.norm(x, axis=1)[:, None]
    return 0.1 * x / np.maximum(r, 1e-9) * 25.0 / (r**2 + 25.0) * 2.0


def _timed(function: Callable, argument: np.ndarray | Atoms) -> tuple[np.ndarray, float]:
    start = time.process_time()
    return function(argument), time.process_time() - start


if __name__ == "__main__":
    main()
