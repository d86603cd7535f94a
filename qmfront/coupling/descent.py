"""Descent from a saddle: preconditioned L-BFGS on forces alone.

Root finding stops at any equilibrium. A descent goes downhill only: it steps along d = B F with B positive definite,
and not far beyond the lowest point: with F(u + d) . d >= -0.3 F(u) . d the energy has fallen by about 0.35 F(u) . d
at least.
"""

import logging
from collections.abc import Callable, Iterable

import numpy as np

from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.solution import Solution

logger = logging.getLogger(__name__)

MEMORY = 10
"""Pairs of the limited-memory update."""
HALVINGS = 6
"""Of a step that leads to where the model has no finite forces, before a descent gives up."""
OVERSHOOT = -0.3
"""A step ends where the force along it is at least this fraction of that at its start (curvature condition)."""


def descend(
    force: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray],
    *,
    max_force: float,
    step_cap: float,
    max_calls: int,
) -> np.ndarray:
    """Downhill from `start` until max |F| < max_force, for forces that have an energy.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å, zero on clamped sites
    start : (n, 3) float, Å
    precondition : F -> B0 F, Å
        Linear, symmetric and positive definite.
    max_force : float, eV/Å
    step_cap : float, Å
        Largest move of an atom per step.
    max_calls : int
        Force calls.

    Raises
    ------
    NoEquilibriumError
        If max_force is not reached, or steps however small lead to where the model has no finite forces.
    """
    u, forces = start, force(start)
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    for call in range(2, max_calls + 1):
        step = _direction(forces, pairs, precondition)
        step *= min(1.0, step_cap / np.sqrt(np.einsum("ni,ni->n", step, step).max()))
        step, new = _within_range(force, u, step, call)
        slope = np.vdot(forces, step)
        ahead = np.vdot(new, step)
        if ahead < OVERSHOOT * slope:  # beyond the lowest point: back to where the two slopes say that it is
            step *= slope / (slope - ahead)
            new = force(u + step)
        change, bend = step, forces - new
        if np.vdot(change, bend) > 0:
            pairs = [*pairs, (change, bend)][-MEMORY:]
        u, forces = u + step, new
        largest = np.abs(forces).max()
        logger.info("descent %d: max|F| %.3e eV/Å", call, largest)
        if largest < max_force:
            return u
    raise NoEquilibriumError(
        f"The descent from a saddle did not reach max|F| < {max_force:g} eV/Å in {max_calls} steps (left: "
        f"{np.abs(forces).max():.2e}). The defect moves far from its saddle: change its load or position, or raise "
        "reference.max_calls."
    )


def _within_range(
    force: Callable[[np.ndarray], np.ndarray], u: np.ndarray, step: np.ndarray, call: int
) -> tuple[np.ndarray, np.ndarray]:
    """The step, halved until the model has finite forces at its end, and these forces (n, 3), eV/Å."""
    refusal = "its forces are not finite"
    for _ in range(HALVINGS):
        try:
            new = force(u + step)
        except ValueError as error:  # how our models refuse atoms that are too close
            refusal = str(error)
        else:
            if np.all(np.isfinite(new)):
                return step, new
        step = 0.5 * step
    raise NoEquilibriumError(
        f"Descent, step {call}: the structure has left the range of the model, also with a step {2**HALVINGS} times "
        f"shorter: {refusal}. Start closer to equilibrium, or lower the step cap."
    )


def root_or_descent(
    root: Callable[[np.ndarray], Solution],
    descent: Callable[[np.ndarray, float], np.ndarray],
    start: np.ndarray,
    limits: Iterable[float | None],
) -> Solution:
    """Root finding; where it fails, again from the end of a descent, and of one that goes further.

    Parameters
    ----------
    root : u (n, 3) Å -> Solution
    descent : (u, largest force in eV/Å) -> u
    start : (n, 3) float, Å
    limits : largest force of the descent before each try; None for a try from where the last one began

    Raises the NoEquilibriumError of the first try if all fail.
    """
    failures: list[NoEquilibriumError] = []
    for limit in limits:
        try:
            start = start if limit is None else descent(start, limit)
            return root(start)
        except NoEquilibriumError as error:
            failures.append(error)
            logger.info("no equilibrium yet: %s", error)
    raise failures[0] from failures[-1]


def _direction(
    forces: np.ndarray,
    pairs: list[tuple[np.ndarray, np.ndarray]],
    precondition: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """B F by the two-loop recursion."""
    rest, weights = forces.copy(), []
    for change, bend in reversed(pairs):
        weight = np.vdot(change, rest) / np.vdot(change, bend)
        weights.append(weight)
        rest -= weight * bend
    step = precondition(rest)
    for (change, bend), weight in zip(pairs, reversed(weights), strict=True):
        step = step + (weight - np.vdot(bend, step) / np.vdot(change, bend)) * change
    return step
