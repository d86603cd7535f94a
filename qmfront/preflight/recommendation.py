"""What follows from the findings: buffer, calls and hours of the measurements on the crystal, price of clusters."""

from typing import Any

import numpy as np

from qmfront.crystal.lattice import Crystal
from qmfront.models.force_constants import repeats_above
from qmfront.models.lattice_symmetry import crystal_operations
from qmfront.preflight.cost import Cost
from qmfront.preflight.examination import Findings

CLUSTERS = (50, 100, 200, 400, 800)
"""Numbers of QM and buffer atoms whose price is told."""
CELL_CALLS = 50
"""Calls of the primitive cell for lattice constant and moduli: about 14 and 36."""
FIRST_SOLVE, WARM_SOLVE = 20, 6
"""QM calls of the first solve of a case, and of one that starts from the previous solution."""
# Measured on the edge dislocation and the crack of the default study: 18 and 27; 4 to 8 (README).


def recommendation(
    findings: Findings, guess: Crystal, *, reach: float, force_range: float, samples: int, cubic: bool = False
) -> dict[str, Any]:
    """Plain values for the page and for `plan`; empty without a cost.

    Parameters
    ----------
    reach : Å; of the force constants
    force_range : Å; what the calculator says about itself, 0 if nothing
    samples : strained lattices
    cubic : whether the supercell of the force constants is made of cubic cells
    """
    cost = findings.cost
    if cost is None:
        return {}
    scale = findings.rest.scale if findings.rest else 1.0
    crystal = guess.strained(scale * np.eye(3))
    primitive = len(crystal.numbers)
    transform = crystal.cubic if cubic else np.eye(3, dtype=int)
    repeats = repeats_above(transform @ crystal.cell, reach + max(reach, force_range))
    cell = primitive * round(abs(np.linalg.det(transform)) * np.prod(repeats))
    differences = 6 * primitive if primitive > 1 else 2  # at most; symmetry saves some with a basis
    shifts = 1 if primitive == 1 or _fixed(crystal) else 10
    bulk = float(cost.seconds(primitive)) * shifts * (CELL_CALLS + samples) + differences * float(
        cost.seconds(cell)
    )
    return {
        "buffer": findings.locality.width if findings.locality else None,
        "supercell": cell,
        "bulk_calls": shifts * (CELL_CALLS + samples) + differences,
        "bulk_hours": bulk / 3600,
        "solve_calls": {"first": FIRST_SOLVE, "later": WARM_SOLVE},
        "clusters": [_priced(cost, n) for n in CLUSTERS],
    }


def _fixed(crystal: Crystal) -> bool:
    """Whether every atom is a centre of inversion: no strain shifts the sublattices then."""
    return any(
        np.allclose(operation.rotation, -np.eye(3))
        and np.array_equal(operation.permutation, np.arange(len(crystal.numbers)))
        for operation in crystal_operations(crystal.to_atoms())
    )


def _priced(cost: Cost, n_atoms: int) -> dict[str, float]:
    return {
        "atoms": n_atoms,
        "seconds": float(cost.seconds(n_atoms)),
        "memory": cost.memory(n_atoms),
        "first_solve_hours": FIRST_SOLVE * float(cost.seconds(n_atoms)) / 3600,
    }
