"""The two solves of a case: the reference (2.7) with the QM model everywhere, and the QM/MM model (2.10)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from qmfront.coupling.anderson import (
    AndersonSettings,
    Equilibrium,
    NoEquilibriumError,
    solve_equilibrium,
)
from qmfront.coupling.descent import descend
from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.coupling.force_mixing import hybrid_forces
from qmfront.coupling.partition import QM
from qmfront.crystal.defect import Defect
from qmfront.operators.norm import stencil_norm
from qmfront.operators.operators import Operators
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
"""Of descent_force; how far downhill a solve goes after root finding has failed."""

FAR_DOWNHILL = 1e-2
"""eV/Å; how far it goes if descent_force is not set."""


def relax_hybrid(
    defect: Defect,
    jacobian: ForceConstantMap,
    region: np.ndarray,
    models: tuple[Forces, Forces],
    *,
    start: np.ndarray,
    model_error: Callable[[np.ndarray], float],
    fraction: float,
    settings: AndersonSettings,
    descent_force: float | None = None,
    downhill: bool = False,
    embedding: Embedding = VACUUM,
) -> Equilibrium:
    """u^H of (2.10), stopped when the algebraic part of the estimator is a small fraction of the model's.

        ||D H_FC^-1 F^H|| <= max(fraction * eta(u), ROUNDING)

    Parameters
    ----------
    region : (n,) int
    models : (qm, mm)
        Atoms -> forces.
    start : (n, 3) float, Å
        The previous iterate keeps the solution in its basin.
    model_error : u (n, 3) Å -> eta, Å
        Estimate of the error of the model without any QM call, see `model_error_estimate`; asked for only
        when the iteration is close to its end.
    fraction : float
    settings : AndersonSettings
    descent_force : float, eV/Å, optional
        If root finding fails, which wanders about saddles and far from them too, the solve goes downhill from `start`
        until max |F^H| is below FURTHER of it (FAR_DOWNHILL without it), and tries again. # ASSUME mixed forces have no
        energy, but are near enough to having one as long as they are large.
    downhill : bool
        Go downhill to descent_force at once, from a predictor that is far from equilibrium or near a saddle.

    Raises NoEquilibriumError without convergence.
    """
    force = hybrid_forces(defect.body, region, qm=models[0], mm=models[1], embedding=embedding)

    def root(start: np.ndarray) -> Equilibrium:
        stop = _Stop(defect, model_error, fraction, start)
        return solve_equilibrium(force, start, inexact(jacobian).solve, stop, settings=settings)

    def descended(largest: float) -> np.ndarray:
        precondition = replace(jacobian, tolerance=DESCENT_TOLERANCE).solve
        limits = {"step_cap": settings.step_cap, "max_calls": 2 * settings.max_calls}
        return descend(force, start, precondition, max_force=largest, **limits)

    try:
        return root(descended(descent_force) if downhill and descent_force is not None else start)
    except NoEquilibriumError as error:
        logger.info("no equilibrium yet, going downhill from the start: %s", error)
        try:
            return root(descended(FAR_DOWNHILL if descent_force is None else FURTHER * descent_force))
        except NoEquilibriumError as again:
            raise error from again


class _Stop:
    """The stop of a solve: the algebraic part of the estimator, and the model's part, looked at only near the end."""

    def __init__(
        self, defect: Defect, model_error: Callable[[np.ndarray], float], fraction: float, start: np.ndarray
    ) -> None:
        self.defect, self.model_error, self.fraction = defect, model_error, fraction
        self.eta = model_error(start)
        # A vacancy starts from the perfect lattice, where the models agree: that says nothing about the solution.
        self.next_look = np.inf if self.eta < AT_REST else 0.0

    def __call__(self, u: np.ndarray, _: np.ndarray, residual: np.ndarray) -> tuple[bool, float]:
        algebraic = stencil_norm(residual, self.defect.stencil)
        if algebraic <= max(3.0 * self.fraction * self.eta, self.next_look):
            self.eta, self.next_look = self.model_error(u), min(self.next_look, 0.1 * algebraic)
        return algebraic <= max(self.fraction * self.eta, ROUNDING), algebraic


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


@dataclass(frozen=True)
class SolveSettings:
    """How a solve goes and when it stops.

    fraction : float
        Algebraic part of the estimator over its model part at the end.
    anderson : AndersonSettings
    descent_force : float, eV/Å, optional
        A solve from the predictor first goes downhill to this largest force; any solve does, and further, after root
        finding has failed.
    embedding : Embedding
        How the QM model sees QM and buffer.
    """

    fraction: float
    anderson: AndersonSettings
    descent_force: float | None = None
    embedding: Embedding = VACUUM

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> "SolveSettings":
        """From the section solve of a case, with the section embedding in it."""
        return cls(
            fraction=config["algebraic_fraction"],
            anderson=AndersonSettings(config["memory"], config["step_cap"], config["max_calls"]),
            descent_force=config["descent_force"],
            embedding=Embedding(**config["embedding"]),
        )


def solution_arrays(
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    models: tuple[Forces, Forces],
    *,
    start: np.ndarray | None,
    difference: Callable[[np.ndarray], np.ndarray],
    settings: SolveSettings,
) -> dict[str, np.ndarray]:
    """Arrays of a store of kind "solution".

    Parameters
    ----------
    region : (n,) int
    models : (qm, mm)
        Atoms -> forces.
    start : (n, 3) float, Å, or None
        The solution of the previous iteration; the predictor for the first one.
    difference : u (n, 3) Å -> F^QM - F^MM (n, 3) eV/Å
        What tells the stop, without a QM call, how large the error of the model is; see `model_difference`.
    settings : SolveSettings
    """
    jacobian = operators.force_constant_map(defect.free, tolerance=JACOBIAN_TOLERANCE)
    found = relax_hybrid(
        defect,
        jacobian,
        region,
        models,
        start=np.zeros_like(defect.predictor) if start is None else start,
        model_error=model_error_estimate(defect, jacobian, region, difference),
        fraction=settings.fraction,
        settings=settings.anderson,
        descent_force=settings.descent_force,
        downhill=start is None,
        embedding=settings.embedding,
    )
    return {
        "displacement": found.displacement,
        "forces": found.forces,
        "history": found.max_force,
        "measure": found.measure,
    }
