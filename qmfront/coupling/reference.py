"""The reference of a case: the QM equilibrium on the whole domain, proven stable, with its core."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from qmfront.config.stages import Reference, Solve
from qmfront.coupling.anderson import NoEquilibriumError, solve_equilibrium
from qmfront.coupling.core import LARGEST_ADVANCE_R0, core_position, tip_advance
from qmfront.coupling.descent import descend, root_or_descent
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.coupling.solution import Solution
from qmfront.coupling.solve import DESCENT_TOLERANCE, inexact
from qmfront.coupling.stability import LANCZOS_TOLERANCE, lowest_mode
from qmfront.crystal.defect import Defect
from qmfront.operators.riesz import ForceConstantMap

logger = logging.getLogger(__name__)

ATTEMPTS = 4
"""Saddles that are left before the case is given up."""

KICK = 0.1
"""Å; largest displacement along the lowest mode with which a saddle is left."""

DESCENT_FORCE = 3e-3
"""eV/Å; below it root finding takes over from the descent."""


@dataclass(frozen=True)
class ReferenceSolution:
    """The QM equilibrium (2.7) on the whole domain.

    displacement, forces : (n, 3) float, Å and eV/Å
    core : (2,) or (3,) float, Å
        Position of the relaxed core.
    lowest_eigenvalue : float
        Of H v = lambda H_FC v; positive.
    lowest_mode : (n, 3) float
        Its mode, largest entry 1.
    history : (calls,) float, eV/Å
        Largest force after each call.
    tip : float, Å, optional
        x1 of the relaxed crack tip.
    """

    displacement: np.ndarray
    forces: np.ndarray
    core: np.ndarray
    lowest_eigenvalue: float
    lowest_mode: np.ndarray
    history: np.ndarray
    tip: float | None = None

    def arrays(self) -> dict[str, np.ndarray | float]:
        """Arrays of a store of kind "reference"."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


def reference_solution(
    hybrid: Hybrid, settings: Reference, start: np.ndarray | None = None
) -> ReferenceSolution:
    """The QM equilibrium (2.7), its core or tip, its lowest mode.

    Parameters
    ----------
    hybrid : Hybrid
        Its MM model is not asked.
    settings : Reference
    start : (n, 3) float, Å, optional
        A displacement in the basin that is wanted; the predictor if left out.

    Raises
    ------
    RuntimeError
        No convergence, an equilibrium that is a saddle, or a crack that closes or runs.
    """
    defect = hybrid.defect
    start = np.zeros_like(defect.predictor) if start is None else start
    found, eigenvalue, mode = _minimum(hybrid, start, settings)
    return ReferenceSolution(
        displacement=found.displacement,
        forces=found.forces,
        core=core_position(found.displacement, defect),
        lowest_eigenvalue=eigenvalue,
        lowest_mode=mode,
        history=found.max_force,
        tip=checked_tip(found.displacement, defect) if np.isfinite(defect.crack_tip) else None,
    )


def _minimum(hybrid: Hybrid, start: np.ndarray, settings: Reference) -> tuple[Solution, float, np.ndarray]:
    """An equilibrium with a positive Hessian, the lowest eigenvalue and its mode.

    H v = lambda H_FC v has as many negative lambda as H has negative eigenvalues (Sylvester), since H_FC is positive
    definite: the lowest one decides.
    """
    defect, riesz, force = hybrid.defect, hybrid.inexact(LANCZOS_TOLERANCE), hybrid.qm_forces()
    for _ in range(ATTEMPTS):
        found = _equilibrium(force, start, defect, riesz, settings)
        eigenvalue, mode = lowest_mode(force, found.displacement, defect, riesz, settings=settings.stability)
        logger.info("lowest eigenvalue of H v = lambda H_FC v: %.4f", eigenvalue)
        if eigenvalue > 0:
            return found, eigenvalue, mode
        logger.info("this is a saddle: leaving it along its lowest mode")
        kicked = found.displacement + KICK * mode
        start = _descended(force, kicked, riesz, settings, DESCENT_FORCE)
    raise RuntimeError(
        f"The reference is a saddle, and so were the {ATTEMPTS - 1} states that it was left for: lambda = "
        f"{eigenvalue:.3e} along a mode whose largest displacement is at site "
        f"{int(np.abs(mode).max(axis=1).argmax())}. {_advice(defect)}"
    )


def _equilibrium(
    force: Field, start: np.ndarray, defect: Defect, riesz: ForceConstantMap, settings: Reference
) -> Solution:
    """Root finding; where it fails, again from the end of a descent, at last from one that goes all the way."""

    def root(start: np.ndarray) -> Solution:
        limits = Solve(max_calls=settings.max_calls)
        return relax_reference(force, riesz, start=start, max_force=settings.max_force, settings=limits)

    def descent(start: np.ndarray, largest: float) -> np.ndarray:
        return _descended(force, start, riesz, settings, largest)

    try:
        return root_or_descent(root, descent, start, (None, DESCENT_FORCE, settings.max_force))
    except NoEquilibriumError as failure:
        raise RuntimeError(f"The reference does not come to rest. {failure} {_advice(defect)}") from failure


def _descended(
    force: Field, start: np.ndarray, riesz: ForceConstantMap, settings: Reference, max_force: float
) -> np.ndarray:
    return descend(
        force,
        start,
        replace(riesz, tolerance=DESCENT_TOLERANCE).solve,
        max_force=max_force,
        step_cap=Solve().step_cap,
        max_calls=2 * settings.max_calls,
    ).displacement


def checked_tip(displacement: np.ndarray, defect: Defect) -> float:
    """x1 (Å) of the crack tip.

    Raises RuntimeError if it is farther than LARGEST_ADVANCE_R0 from that of the predictor.
    """
    advance, largest = tip_advance(displacement, defect), LARGEST_ADVANCE_R0 * defect.r0
    tip = defect.crack_tip + advance
    logger.info("crack tip at x1 = %.2f Å, %.2f Å ahead of the predictor's", tip, advance)
    if abs(advance) > largest:
        what, cure = ("has run", "Lower") if advance > 0 else ("has closed", "Raise")
        raise RuntimeError(
            f"The crack {what} by {abs(advance):.1f} Å, more than {largest:.1f} Å ({LARGEST_ADVANCE_R0:g} r0): its "
            f"tip is no longer where the clamp supposes it. {cure} defect.load."
        )
    return tip


def _advice(defect: Defect) -> str:
    if np.isfinite(defect.crack_tip):
        return "Lower or raise defect.load: between trapped positions of the tip there is no stable one."
    return "Move the core (defect.core_offset) into another position."


def relax_reference(
    force: Callable[[np.ndarray], np.ndarray],
    jacobian: ForceConstantMap,
    *,
    start: np.ndarray,
    max_force: float,
    settings: Solve,
) -> Solution:
    """u_bar of (2.7) from start (n, 3), Å, to max |F| < max_force (eV/Å).

    Raises RuntimeError without convergence.
    """

    def converged(_: np.ndarray, forces: np.ndarray, __: np.ndarray) -> tuple[bool, float]:
        largest = float(np.abs(forces).max())
        return largest < max_force, largest

    return solve_equilibrium(force, start, inexact(jacobian).solve, converged, settings=settings)
