"""The QM/MM equilibrium (2.10): root finding, downhill where that fails, and a stop tied to the estimator.

Root finding stops at saddles too. So every solution is tested along the soft modes of the potential, and left along a
mode whose mixed curvature is negative.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from qmfront.config.stages import Solve
from qmfront.coupling.anderson import NoEquilibriumError, solve_equilibrium
from qmfront.coupling.competing_cores import preferred_core
from qmfront.coupling.descent import Descended, descend
from qmfront.coupling.hessian import conjugate_gradients, hessian_products
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.coupling.mm_minimum import APART_R0, MODES, MMMinimum, largest_move
from qmfront.coupling.partition import QM
from qmfront.coupling.soft_modes import SoftModes, mm_modes, with_curvature
from qmfront.coupling.solution import Solution
from qmfront.coupling.stability import proof
from qmfront.crystal.defect import Defect
from qmfront.operators.norm import stencil_norm
from qmfront.operators.riesz import ForceConstantMap

logger = logging.getLogger(__name__)

DESCENT_TOLERANCE = 1e-4
"""Relative residual of H_FC^-1 F in a descent, where it must be linear and positive definite."""

JACOBIAN_TOLERANCE = 2e-2
"""Relative residual of H_FC^-1 F inside the iteration; the model Jacobian is rougher than that."""

AT_REST = 1e-9
"""Å; an estimate of the model error below it belongs to a lattice that is not deformed yet."""

ROUNDING = 1e-10
"""Å; no solution is known better: a vacancy in Stillinger-Weber silicon does not relax at all, and with it the estimate
of the model error vanishes."""

FURTHER = 0.2
"""Of descent_force; how far downhill a solve goes after root finding has failed, and as far again after that."""

FAR_DOWNHILL = 1e-2
"""eV/Å; how far it goes if descent_force is not set."""

KICK = 0.1
"""Å; largest displacement with which a saddle is left."""

NEAR = 3e-2
"""eV/Å; a descent from a minimum of the potential, or from a saddle, ends there, and root finding goes on."""

SOFTEST_DOWNHILL = 0.05
"""No soft mode of the potential counts as softer in a descent."""

HESSIAN_STEPS = 4
"""Products with the Hessian of the MM model for each step of root finding, after H_FC has failed."""

STALLED = 0.5
"""Of the error of the model; a solve that gets no nearer to equilibrium than that has failed."""

NOISE, NOISY_CALLS, PROGRESS = 0.1, 6, 0.8
"""Of the error of the model: a solve that is as near as that, and has not come nearer by a factor PROGRESS in so many
calls, has met the noise of the forces, and ends."""

ATTEMPTS = 4
"""Saddles that are left before a solve gives up, and says so by its eigenvalue."""

SOFTEST = 1e-2
"""No soft mode counts as softer in the stop of a solve: what is below is the position of a core along glide."""


@dataclass(frozen=True)
class Beginning:
    """Where the search for an equilibrium begins.

    displacement : (n, 3) float, Å
    modes : SoftModes or None
    downhill : float or None, eV/Å
        A descent comes first, until no force is larger; None: root finding at once.
    """

    displacement: np.ndarray
    modes: SoftModes | None = None
    downhill: float | None = None


class StartingPoint(Protocol):
    """Where a solve starts: the minimum of the potential, or the solution of the previous iteration."""

    @property
    def displacement(self) -> np.ndarray: ...

    @property
    def modes(self) -> SoftModes | None: ...


def solve(
    hybrid: Hybrid,
    region: np.ndarray,
    difference: Field,
    *,
    start: StartingPoint | None = None,
    settings: Solve,
) -> Solution:
    """u^H of (2.10), stopped when the algebraic part of the estimator is a small fraction of the model's; no saddle.

    Parameters
    ----------
    hybrid : Hybrid
    region : (n,) int
    difference : u (n, 3) Å -> F^QM - F^MM (n, 3) eV/Å
        What tells the stop, without a QM call, how large the error of the model is; see `ModelDifference`.
    start : displacement (n, 3) Å and soft modes, optional
        The solution of the previous iteration keeps the solution in its basin; left out, the predictor.
    settings : Solve
        Its `modes` says along how many directions the solution is tested.

    Returns
    -------
    Solution
        With `modes` if it was tested; a lowest eigenvalue that is negative says that ATTEMPTS were not enough.

    Raises NoEquilibriumError without convergence.
    """
    estimate = model_error_estimate(hybrid.defect, hybrid.riesz, region, difference)
    begin = _beginning(hybrid.defect, start, settings)
    if isinstance(start, MMMinimum) and start.competing:
        begin = _lowest_core(hybrid, region, estimate, start, settings)
    calls, proven = 0, isinstance(start, Solution) or not settings.prove
    for attempt in range(ATTEMPTS):
        found = relax_hybrid(hybrid, region, estimate, begin, settings=settings)
        if not settings.modes:
            return _after(start, found)
        modes = _tested(hybrid, region, found, begin.modes, settings)
        calls += len(modes.vectors)
        if not proven and modes.eigenvalues[0] > 0.0:
            modes, more = _proven(hybrid, region, found, modes, settings)
            calls += more
        lowest = float(modes.eigenvalues[0])
        if lowest > 0.0 or attempt == ATTEMPTS - 1:
            return _after(start, replace(found, modes=modes, test_calls=calls))
        logger.info("this is a saddle (lambda = %.4f): leaving it along its softest mode", lowest)
        begin = Beginning(
            _off_the_saddle(hybrid.forces(region), found.displacement, modes.softest), modes, NEAR
        )
    raise AssertionError("the last attempt returns")


def _off_the_saddle(force: Field, saddle: np.ndarray, mode: np.ndarray) -> np.ndarray:
    """To the side on which the energy falls faster, (n, 3) Å; two QM calls."""
    sides = [saddle + sign * KICK * mode for sign in (1.0, -1.0)]
    return max(sides, key=lambda u: float(np.vdot(force(u), u - saddle)))


def _lowest_core(
    hybrid: Hybrid,
    region: np.ndarray,
    model_error: Callable[[np.ndarray], float],
    start: MMMinimum,
    settings: Solve,
) -> Beginning:
    """The core of lowest energy with the mixed forces, of those that the potential does not tell apart, at rest."""
    solved: list[np.ndarray] = []
    for minimum in start.minima:
        begin = Beginning(minimum, mm_modes(hybrid, minimum, MODES), settings.descent_force or NEAR)
        try:
            u = relax_hybrid(hybrid, region, model_error, begin, settings=settings).displacement
        except NoEquilibriumError as error:
            logger.info("a core that competes does not come to rest: %s", error)
            continue
        if all(largest_move(u, other) > APART_R0 * hybrid.defect.r0 for other in solved):
            solved.append(u)
    if not solved:
        return _beginning(hybrid.defect, start, settings)
    chosen = solved[preferred_core(hybrid.forces(region), solved)]
    return Beginning(chosen, mm_modes(hybrid, chosen, MODES))


def _beginning(defect: Defect, start: StartingPoint | None, settings: Solve) -> Beginning:
    """A solution of the iteration before is near; a minimum of the potential may be a saddle of the mixed forces."""
    if start is None:
        return Beginning(np.zeros_like(defect.predictor), downhill=settings.descent_force)
    if isinstance(start, Solution):
        return Beginning(start.displacement, start.modes)
    return Beginning(start.displacement, start.modes, settings.descent_force or NEAR)


def _after(start: StartingPoint | None, found: Solution) -> Solution:
    """The solution, with what its start tells about it: how far it has moved, and whether its basin is known."""
    change = found.displacement if start is None else found.displacement - start.displacement
    moved = float(np.sqrt(np.einsum("ni,ni->n", change, change).max()))
    unguided = (
        start.unguided if isinstance(start, Solution) else isinstance(start, MMMinimum) and not start.at_rest
    )
    return replace(found, moved=moved, unguided=unguided)


def _tested(
    hybrid: Hybrid, region: np.ndarray, found: Solution, known: SoftModes | None, settings: Solve
) -> SoftModes:
    """The soft modes of the potential at a solution, with the curvature of the mixed forces: a QM call each."""
    before = None if known is None else known.vectors
    directions = mm_modes(hybrid, found.displacement, settings.modes, before)
    if known is not None:
        directions = directions.with_direction(known.softest, hybrid.riesz)
    return _curved(hybrid, region, found, directions, settings)


def _curved(
    hybrid: Hybrid, region: np.ndarray, found: Solution, directions: SoftModes, settings: Solve
) -> SoftModes:
    force = hybrid.forces(region)
    return with_curvature(directions, force, found.displacement, found.forces, step=settings.mode_step)


def _proven(
    hybrid: Hybrid, region: np.ndarray, found: Solution, modes: SoftModes, settings: Solve
) -> tuple[SoftModes, int]:
    """The modes with the softest one of the mixed forces, if they lack it, and the QM calls of the search."""
    last = proof(hybrid, region, found.displacement)
    wider = modes.with_direction(last.mode, hybrid.riesz)
    if wider is modes:
        return modes, last.calls
    return _curved(hybrid, region, found, wider, settings), last.calls + len(wider.vectors)


def _downhill(
    hybrid: Hybrid, region: np.ndarray, begin: Beginning, largest: float, settings: Solve
) -> Descended:
    lattice, modes = hybrid.inexact(DESCENT_TOLERANCE), begin.modes

    def precondition(forces: np.ndarray) -> np.ndarray:
        phi = lattice.solve(forces)
        return phi if modes is None else modes.answer(phi, forces, least=SOFTEST_DOWNHILL)

    return descend(
        hybrid.forces(region),
        begin.displacement,
        precondition,
        max_force=largest,
        step_cap=settings.step_cap,
        max_calls=2 * settings.max_calls,
    )


def relax_hybrid(
    hybrid: Hybrid,
    region: np.ndarray,
    model_error: Callable[[np.ndarray], float],
    begin: Beginning,
    *,
    settings: Solve,
) -> Solution:
    """`solve` with a given estimate of the model error, and without a test.

        ||D H_FC^-1 F^H|| <= max(algebraic_fraction * eta(u), ROUNDING)

    with the curvature of the soft modes in place of that of H_FC, where they are known, or with the inverse Hessian
    that a descent has learned. Root finding wanders about saddles, far from them too, and along soft directions that
    the modes do not hold. Where it fails,
    1. it goes on from where it came nearest, with some steps of conjugate gradients on the Hessian of the MM model
       there in place of H_FC (no QM call),
    2. if that fails, from the end of a descent: to FURTHER of descent_force, to FAR_DOWNHILL without it,
    3. and if that fails, from the end of one that goes FURTHER from there, with what it has learned. A crack in
       tungsten on (121) takes that: the region in which root finding converges is small where a mode is soft.
    Where all fail, the iterate that came nearest is the solution if its measure is below STALLED of the model error:
    the verdict on the estimate says so.
    # ASSUME mixed forces have no energy, but are near enough to having one as long as they are large.

    Parameters
    ----------
    model_error : u (n, 3) Å -> eta, Å
        Without any QM call, see `model_error_estimate`; asked for only when the iteration is close to its end.
    begin : Beginning

    Raises the NoEquilibriumError of the first try if all fail.
    """
    defect, force, modes = hybrid.defect, hybrid.forces(region), begin.modes
    far = FAR_DOWNHILL if settings.descent_force is None else FURTHER * settings.descent_force
    lattice = inexact(hybrid.riesz)
    failures: list[NoEquilibriumError] = []
    ends: list[np.ndarray] = []

    def of_lattice(forces: np.ndarray) -> np.ndarray:
        phi = lattice.solve(forces)
        return phi if modes is None else modes.answer(phi, forces, least=SOFTEST)

    def at_once() -> tuple[np.ndarray, Field]:
        if begin.downhill is None:
            return begin.displacement, of_lattice
        end = _downhill(hybrid, region, begin, begin.downhill, settings)
        return end.displacement, end.inverse_hessian

    def reached() -> np.ndarray:
        nearest = failures[0].nearest
        return begin.displacement if nearest is None else nearest.displacement

    def from_the_nearest() -> tuple[np.ndarray, Field]:
        return reached(), _of_mm_hessian(hybrid, lattice, reached(), modes)

    def from_downhill() -> tuple[np.ndarray, Field]:
        end = _downhill(hybrid, region, Beginning(reached()), far, settings).displacement
        ends.append(end)
        return end, _of_mm_hessian(hybrid, lattice, end, modes)

    def from_further_down() -> tuple[np.ndarray, Field]:
        begun = ends[-1] if ends else reached()
        end = _downhill(hybrid, region, Beginning(begun), FURTHER * far, settings)
        return end.displacement, end.inverse_hessian

    for beginning in (at_once, from_the_nearest, from_downhill, from_further_down):
        try:
            start, precondition = beginning()
            stop = _Stop(defect, model_error, settings.algebraic_fraction, start)
            return solve_equilibrium(force, start, precondition, stop, settings=settings)
        except NoEquilibriumError as error:
            logger.info("no equilibrium yet: %s", error)
            failures.append(error)
    return _nearest(failures, model_error)


def _nearest(failures: list[NoEquilibriumError], model_error: Callable[[np.ndarray], float]) -> Solution:
    """The iterate of all tries that came nearest to equilibrium, if that is near enough."""
    reached = [failure.nearest for failure in failures if failure.nearest is not None]
    best = min(reached, key=lambda one: one.measure[-1], default=None)
    if best is None or best.measure[-1] > STALLED * model_error(best.displacement):
        raise failures[0] from failures[-1]
    logger.warning(
        "The solve has stalled at an algebraic error of %.1e Å, below that of the model: the loop goes on from there.",
        best.measure[-1],
    )
    return best


def _of_mm_hessian(
    hybrid: Hybrid, lattice: ForceConstantMap, displacement: np.ndarray, modes: SoftModes | None
) -> Field:
    """F -> H_MM^-1 F, as far as HESSIAN_STEPS get, with the mixed curvature of the modes where it is known."""
    hessian = hessian_products(hybrid.mm_forces(), displacement)

    def precondition(forces: np.ndarray) -> np.ndarray:
        phi = lattice.solve(forces)
        rest, first = (forces, phi) if modes is None else modes.without(forces, phi, lattice)
        found = conjugate_gradients(hessian, rest, lattice, steps=HESSIAN_STEPS, truncated=True, phi=first)
        return found.displacement if modes is None else found.displacement + modes.soft(forces, least=SOFTEST)

    return precondition


class _Stop:
    """The stop of a solve: the algebraic part of the estimator, and the model's part, looked at only near the end.

    Where the forces are too noisy for it, NOISE.
    """

    def __init__(
        self,
        defect: Defect,
        model_error: Callable[[np.ndarray], float],
        fraction: float,
        start: np.ndarray,
    ) -> None:
        self.defect, self.model_error, self.fraction = defect, model_error, fraction
        self.eta = model_error(start)
        # A vacancy starts from the perfect lattice, where the models agree: that says nothing about the solution.
        self.next_look = np.inf if self.eta < AT_REST else 0.0
        self.best, self.since = np.inf, 0

    def __call__(self, u: np.ndarray, _: np.ndarray, residual: np.ndarray) -> tuple[bool, float]:
        algebraic = stencil_norm(residual, self.defect.stencil)
        if algebraic <= max(3.0 * self.fraction * self.eta, self.next_look):
            self.eta, self.next_look = self.model_error(u), min(self.next_look, 0.1 * algebraic)
        self.since += 1
        if algebraic < PROGRESS * self.best:
            self.best, self.since = algebraic, 0
        noise = self.since >= NOISY_CALLS and self.best <= NOISE * self.eta
        return noise or algebraic <= max(self.fraction * self.eta, ROUNDING), algebraic


def model_error_estimate(
    defect: Defect,
    jacobian: ForceConstantMap,
    region: np.ndarray,
    difference: Callable[[np.ndarray], np.ndarray],
) -> Callable[[np.ndarray], float]:
    """The map u -> ||D H_FC^-1 dF(u)||, Å, dF the difference of the two models outside the QM region.

    Parameters
    ----------
    region : (n,) int
    difference : u (n, 3) Å -> F^QM - F^MM (n, 3) eV/Å
        As far as strains and force constants tell it, see `model_difference`: no QM call.
    """
    riesz = replace(jacobian, tolerance=1e-2)
    outside = (region != QM)[:, None]

    def estimate(displacement: np.ndarray) -> float:
        forces = np.where(outside & defect.free[:, None], difference(displacement), 0.0)
        return stencil_norm(riesz.solve(forces), defect.stencil)

    return estimate


def inexact(jacobian: ForceConstantMap) -> ForceConstantMap:
    """The same operator, solved only as accurately as a model Jacobian deserves."""
    return replace(jacobian, tolerance=JACOBIAN_TOLERANCE)
