"""Root finding for force balance (2.10) by preconditioned Anderson acceleration.

Force mixing has no energy, hence no line search. Each step moves along r = H^-1 F, H a fixed model of the
Jacobian, corrected by the secant information of the last steps (type II).
"""

import logging
from collections.abc import Callable

import numpy as np

from qmfront.config.stages import Solve
from qmfront.coupling.solution import Solution

logger = logging.getLogger(__name__)


PATIENCE = 20
"""Force calls without a smaller measure after which a try has stalled; a good one halves it every other call."""


class NoEquilibriumError(RuntimeError):
    """The forces are those of the models, but no equilibrium was found: another way to it may be tried.

    nearest : Solution or None
        The iterate that came nearest to it, if there was one.
    """

    def __init__(self, message: str, nearest: Solution | None = None) -> None:
        super().__init__(message)
        self.nearest = nearest


def solve_equilibrium(
    force: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    precondition: Callable[[np.ndarray], np.ndarray],
    converged: Callable[[np.ndarray, np.ndarray, np.ndarray], tuple[bool, float]],
    *,
    settings: Solve,
) -> Solution:
    """Find u with F(u) = 0, Eq. (2.10).

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å, zero on clamped sites
    start : (n, 3) float, Å
    precondition : F -> H^-1 F, Å
    converged : (u, F, H^-1 F) -> (stop?, measure)
        The iterate with the smallest measure is the solution.
    settings : Solve
        memory, step_cap and max_calls.

    Raises
    ------
    NoEquilibriumError
        No convergence within max_calls, none in sight after PATIENCE calls, or forces that are not finite.
    """
    u, history = start.copy(), _History(settings.memory)
    measures: list[float] = []
    maxima: list[float] = []
    nearest: Solution | None = None
    for call in range(1, settings.max_calls + 1):
        forces = force(u)
        if not np.all(np.isfinite(forces)):
            bad = int(np.flatnonzero(~np.isfinite(forces).all(axis=1))[0])
            raise NoEquilibriumError(
                f"Force call {call}: the force on site {bad} is not finite. The structure has left the range "
                "of a model; start from a larger initial_region or lower solve.step_cap.",
                nearest,
            )
        residual = precondition(forces)
        done, measure = converged(u, forces, residual)
        measures.append(measure)
        maxima.append(float(np.abs(forces).max()))
        logger.info("force call %d: measure %.3e, max|F| %.3e eV/Å", call, measure, maxima[-1])
        if nearest is None or measure == min(measures):
            nearest = Solution(u, forces, np.array(measures), np.array(maxima))
        if done:
            return nearest
        if call - int(np.argmin(measures)) > PATIENCE:
            break
        u = u + _capped(history.step(u, residual), settings.step_cap)
    raise NoEquilibriumError(
        f"No equilibrium after {len(measures)} force calls: measure {measures[-1]:.3e} (best "
        f"{min(measures):.3e}), max|F| {maxima[-1]:.3e} eV/Å. Raise solve.max_calls, lower solve.step_cap, or "
        "enlarge the initial QM region; finished QM evaluations are kept in the journal.",
        nearest,
    )


class _History:
    """Secant pairs (change of iterate, change of preconditioned residual) of the running iteration."""

    def __init__(self, memory: int) -> None:
        self.memory = memory
        self.moves: list[np.ndarray] = []
        self.changes: list[np.ndarray] = []
        self.last: tuple[np.ndarray, np.ndarray] | None = None

    def step(self, u: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """r - (dU + dR) gamma with gamma = argmin |r - dR gamma|."""
        if self.last is not None:
            first = max(
                len(self.moves) + 1 - self.memory, 0
            )  # a slice [-memory:] would keep all for memory 0
            self.moves = [*self.moves, (u - self.last[0]).ravel()][first:]
            self.changes = [*self.changes, (residual - self.last[1]).ravel()][first:]
        self.last = (u, residual)
        flat = residual.ravel()
        if not self.changes:
            return residual
        moves, changes = np.array(self.moves).T, np.array(self.changes).T
        scale = np.linalg.norm(changes, axis=0)
        gamma = np.linalg.lstsq(changes / scale, flat, rcond=1e-10)[0] / scale
        # The model Jacobian is -H, so the undamped move along r reduces r.
        return (flat - (moves + changes) @ gamma).reshape(residual.shape)


def _capped(step: np.ndarray, cap: float) -> np.ndarray:
    """The step scaled down so that no atom moves further than cap."""
    longest = np.sqrt(np.max(np.einsum("ni,ni->n", step, step)))
    return step if longest <= cap else step * (cap / longest)
