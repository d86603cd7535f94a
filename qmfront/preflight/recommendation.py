"""What follows from the findings: buffer, calls and hours of the measurements on the crystal, price of clusters."""

from dataclasses import dataclass

import numpy as np

from qmfront.config.material import ForceConstantSteps, StressSamples
from qmfront.crystal.lattice import Crystal
from qmfront.models.force_constants import repeats_above
from qmfront.models.lattice_symmetry import crystal_operations
from qmfront.preflight.cost import Cost
from qmfront.preflight.examination import Findings

CLUSTERS = (50, 100, 200, 400, 800)
"""Numbers of QM and buffer atoms whose price is listed."""
CELL_CALLS = 50
"""Calls of the primitive cell for lattice constant and moduli: about 14 and 36."""
FIRST_SOLVE, WARM_SOLVE = 20, 6
"""QM calls of the first solve of a case, and of one that starts from the previous solution."""
# Measured on the edge dislocation and the crack of the default study: 18 and 27; 4 to 8 (README).


@dataclass(frozen=True)
class SolveCalls:
    """QM calls of the first solve of a case, and of a later one."""

    first: int
    later: int


@dataclass(frozen=True)
class ClusterPrice:
    """Of a cluster.

    atoms : of QM region and buffer
    seconds, memory : of one call; MB
    first_solve_hours : of all calls of a first solve
    """

    atoms: int
    seconds: float
    memory: float
    first_solve_hours: float


@dataclass(frozen=True)
class Recommendation:
    """What a user learns from a preflight.

    buffer : buffer.width, Å; None where it was not measured, or is not settled
    supercell : atoms of the supercell of the force constants
    bulk_calls, bulk_hours : of all measurements on the crystal
    solve_calls : SolveCalls
    clusters : price of clusters of some sizes
    """

    buffer: float | None
    supercell: int
    bulk_calls: int
    bulk_hours: float
    solve_calls: SolveCalls
    clusters: list[ClusterPrice]


def recommendation(
    findings: Findings,
    guess: Crystal,
    steps: ForceConstantSteps,
    samples: StressSamples,
    *,
    force_range: float,
) -> Recommendation | None:
    """What the page and `plan` are made of; None if no call was timed.

    Parameters
    ----------
    force_range : Å; what the calculator says about itself, 0 if nothing
    """
    cost = findings.cost
    if cost is None:
        return None
    scale = findings.rest.scale if findings.rest else 1.0
    crystal = guess.strained(scale * np.eye(3))
    primitive = len(crystal.numbers)
    transform = crystal.supercell if steps.supercell == "cubic" else np.eye(3, dtype=int)
    repeats = repeats_above(transform @ crystal.cell, steps.reach + max(steps.reach, force_range))
    cell = primitive * round(abs(np.linalg.det(transform)) * np.prod(repeats))
    differences = 6 * primitive if primitive > 1 else 2  # at most; symmetry saves some with a basis
    shifts = 1 if primitive == 1 or _fixed(crystal) else 10
    small = shifts * (CELL_CALLS + samples.count)
    seconds = cost.seconds(primitive) * small + differences * cost.seconds(cell)
    return Recommendation(
        buffer=findings.locality.width if findings.locality else None,
        supercell=cell,
        bulk_calls=small + differences,
        bulk_hours=seconds / 3600,
        solve_calls=SolveCalls(FIRST_SOLVE, WARM_SOLVE),
        clusters=[_priced(cost, n) for n in CLUSTERS],
    )


def _fixed(crystal: Crystal) -> bool:
    """Whether every atom is a centre of inversion: no strain shifts the sublattices then."""
    return any(
        np.allclose(operation.rotation, -np.eye(3))
        and np.array_equal(operation.permutation, np.arange(len(crystal.numbers)))
        for operation in crystal_operations(crystal.to_atoms())
    )


def _priced(cost: Cost, n_atoms: int) -> ClusterPrice:
    seconds = cost.seconds(n_atoms)
    return ClusterPrice(n_atoms, seconds, cost.memory(n_atoms), FIRST_SOLVE * seconds / 3600)
