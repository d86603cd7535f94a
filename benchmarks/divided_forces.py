"""Divide and conquer with tight binding: processor seconds per atom and error of the forces against dense algebra.

`python -m benchmarks.divided_forces` writes divided_forces.csv: di-interstitials in boxes of m^3 cells under a
displacement that falls off as r^-2, forces on a random sample of tiles (the time of all is that of the sample, scaled).
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from ase import Atoms

from qmfront.coupling.tiles import divided_forces, tiles_of
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import cubic_crystal
from qmfront.crystal.point import PointDefect, point_defect
from qmfront.evaluate.forces import calculator_forces
from qmfront.models.nrltb import NRLTB

LATTICE_CONSTANT = 5.42628  # Å, at zero stress
H = 0.155
ADDED = ((-H, H, H), (H, -H, H), (H, H, -H))
CHOICES = ((1, 3), (2, 4))
"""Cells of a tile and of its box."""
DENSE = 5
"""Cells of the largest domain that is solved densely."""
SAMPLE = 6
"""Tiles per domain."""

logger = logging.getLogger("divided_forces")


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    qm, rng, rows = calculator_forces(NRLTB()), np.random.default_rng(0), []
    dense = dense_seconds = None
    for cells in (DENSE, 6, 10):
        defect = point_defect(
            cubic_crystal("Si", "diamond", LATTICE_CONSTANT),
            LATTICE_CONSTANT,
            PointDefect((1.25, 1.5, 1.0), ((0.0, 0.0, 0.0),), ADDED, cells),
        )
        u = _displacement(defect)
        for tile, box in CHOICES:
            tiles = tiles_of(defect.body, tile)
            near = int(np.argmin([_distance(defect, sites) for sites in tiles]))
            chosen = [near, *rng.choice(len(tiles), SAMPLE - 1, replace=False)]
            force = divided_forces(defect.body, qm, [tiles[i] for i in chosen], box_cells=box)
            forces, seconds = _timed(force, u)
            known = np.isfinite(forces[:, 0])
            if cells == DENSE and dense is None:
                atoms = defect.body.atoms(u)
                dense, dense_seconds = _timed(qm, atoms)
            error = np.linalg.norm((forces - dense)[known], axis=1) if cells == DENSE else np.array([np.nan])
            rows.append(
                {
                    "n_atoms": defect.n_sites,
                    "tile_cells": tile,
                    "box_cells": box,
                    "tiles": len(tiles),
                    "cpu_s_per_tile": seconds / len(chosen),
                    "cpu_s_all_tiles": seconds / len(chosen) * len(tiles),
                    "ms_per_atom": 1e3 * seconds / known.sum(),
                    "largest_error": error.max(),
                    "rms_error": np.sqrt(np.mean(error**2)),
                    "dense_cpu_s": dense_seconds if cells == DENSE else np.nan,
                }
            )
            logger.info("%s", rows[-1])
            table = pd.DataFrame(rows).to_csv(index=False, float_format="%.4g")
            Path(__file__).with_suffix(".csv").write_text(table, encoding="utf-8")


def _displacement(defect: Defect) -> np.ndarray:
    """A centre of dilatation, 0.1 Å at 5 Å, softened inside."""
    x = defect.sites - defect.core
    r = np.linalg.norm(x, axis=1)[:, None]
    return 0.1 * x / np.maximum(r, 1e-9) * 25.0 / (r**2 + 25.0) * 2.0


def _distance(defect: Defect, sites: np.ndarray) -> float:
    return float(np.linalg.norm(defect.sites[sites].mean(axis=0) - defect.core))


def _timed(function: Callable, argument: np.ndarray | Atoms) -> tuple[np.ndarray, float]:
    start = time.process_time()
    return function(argument), time.process_time() - start


if __name__ == "__main__":
    main()
