"""Descent: preconditioned L-BFGS on forces alone.

Root finding stops at any equilibrium, and wanders where the Hessian is not positive. A descent goes downhill only: it
steps along d = B F with B positive definite, and not beyond where the energy has risen again: with
F(u + d) . d >= -0.8 F(u) . d it has fallen by about 0.1 F(u) . d at least.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from qmfront.coupling.anderson import NoEquilibriumError
from qmfront.coupling.solution import Solution

logger = logging.getLogger(__name__)

MEMORY = 10
"""Pairs of the limited-memory update."""
HALVINGS = 6
"""Of a step that leads to where the model has no finite forces, before a descent gives up."""
OVERSHOOT = -0.8
"""A step ends where the force along it is at least this fraction of that at its start (curvature condition)."""


@dataclass(frozen=True)
class InverseHessian:
    """The limited-memory BFGS update of an approximation B0 of the inverse Hessian: F -> B F, Å, linear.

    precondition : F (n, 3) eV/Å -> B0 F, Å
    pairs : (u' - u, F(u) - F(u')) of steps with positive curvature, (n, 3) each
    """

    precondition: Callable[[np.ndarray], np.ndarray]
    pairs: tuple[tuple[np.ndarray, np.ndarray], ...] = ()

    def __call__(self, forces: np.ndarray) -> np.ndarray:
        """B F by the two-loop recursion."""
        rest, weights = forces.copy(), []
        for change, bend in reversed(self.pairs):
            weight = np.vdot(change, rest) / np.vdot(change, bend)
            weights.append(weight)
            rest -= weight * bend
        step = self.precondition(rest)
        for (change, bend), weight in zip(self.pairs, reversed(weights), strict=True):
            step = step + (weight - np.vdot(bend, step) / np.vdot(change, bend)) * change
        return step

    def learned(self, change: np.ndarray, bend: np.ndarray) -> "InverseHessian":
        """With one pair more, if its curvature is positive, and no more than MEMORY."""
        if np.vdot(change, bend) <= 0:
            return self
        return InverseHessian(self.precondition, (*self.pairs, (change, bend))[-MEMORY:])


@dataclass(frozen=True)
class Descended:
    """Where a descent has ended, displacement (n, 3) in Å, and what it has learned of the Hessian."""

    displacement: np.ndarray
    inverse_hessian: InverseHessian


def descend(
    force: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray],
    *,
    max_force: float,
    step_cap: float,
    max_calls: int,
) -> Descended:
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
    u, forces, inverse = start, force(start), InverseHessian(precondition)
    for call in range(2, max_calls + 1):
        step = inverse(forces)
        step *= min(1.0, step_cap / np.sqrt(np.einsum("ni,ni->n", step, step).max()))
        step, new = _within_range(force, u, step, call)
        slope = np.vdot(forces, step)
        ahead = np.vdot(new, step)
        if ahead < OVERSHOOT * slope:  # beyond the lowest point: back to where the two slopes say that it is
            step *= slope / (slope - ahead)
            new = force(u + step)
        inverse = inverse.learned(step, forces - new)
        u, forces = u + step, new
        largest = np.abs(forces).max()
        logger.info("descent %d: max|F| %.3e eV/Å", call, largest)
        if largest < max_force:
            return Descended(u, inverse)
    raise NoEquilibriumError(
        f"The descent did not reach max|F| < {max_force:g} eV/Å in {max_calls} steps (left: "
        f"{np.abs(forces).max():.2e}). The defect moves far from where it started: change its load or position, or "
        "raise the max_calls of this stage."
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
