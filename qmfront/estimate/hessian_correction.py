"""The answer of a Hessian to the residual, where the force constants of the perfect lattice are a poor norm.

    H e = F,    H v = -(F(u + s v) - F(u)) / s

by a few steps of conjugate gradients, preconditioned with H_FC, the norm of (3.8). Every step costs one call of the
forces: those of the MM model on all sites, which are cheap and have an energy, or the mixed ones, a QM call each.
# PAPER (3.8) has the Laplacian in place of H; the error is H^-1 F to first order.
"""

import logging
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from qmfront.coupling.embedding import VACUUM, Embedding, Forces
from qmfront.coupling.force_mixing import hybrid_forces
from qmfront.crystal.defect import Defect
from qmfront.estimate.estimator import CG_TOLERANCE
from qmfront.operators.operators import Operators
from qmfront.operators.riesz import ForceConstantMap
from qmfront.operators.translations import balanced

STEP = 1e-3
"""Å; largest displacement of an atom in the differences."""

SOFTEST = 0.1
"""Of d . H_FC d; a potential whose curvature along d is less is about to be unstable. The Hessians of QM models were at
least 0.09 along their softest modes, and 0.25 along the directions of a residual at a crack tip."""


class Answer(NamedTuple):
    """displacement (n, 3), Å, in place of phi, and the steps that it took."""

    displacement: np.ndarray
    steps: int


def hessian_answer(
    force: Callable[[np.ndarray], np.ndarray],
    displacement: np.ndarray,
    residual: np.ndarray,
    riesz: ForceConstantMap,
    *,
    steps: int,
    truncated: bool = False,
    step: float = STEP,
    phi: np.ndarray | None = None,
    at_rest: np.ndarray | None = None,
) -> Answer:
    """e of H e = F, as far as some steps of conjugate gradients get.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å, zero on the clamp
    displacement : (n, 3) float, Å
    residual : (n, 3) float, eV/Å
        Zero on the clamp.
    riesz : ForceConstantMap
    steps : int
        Of conjugate gradients; steps + 1 calls.
    truncated : bool
        Stop before a direction along which the Hessian is less than SOFTEST (Steihaug, who stops at 0), at the first
        one with phi: the MM model knows nothing of a core, and its Hessian need not be positive there. Otherwise a
        Hessian that is not positive is an error.
    phi : (n, 3) float, Å, optional
        H_FC^-1 F, where it is known already.
    at_rest : (n, 3) float, eV/Å, optional
        force(displacement), likewise.

    Raises
    ------
    RuntimeError
        If the Hessian is not positive on a direction, and this is not to be put up with: the solution is no minimum.
    """
    at_rest = force(displacement) if at_rest is None else at_rest
    answer, left = np.zeros_like(residual), residual.copy()
    prepared = riesz.solve(left) if phi is None else phi
    direction, product, stretched = prepared, float(np.vdot(left, prepared)), left  # stretched: H_FC d
    if product == 0.0:
        return Answer(answer, 0)
    for count in range(steps):
        scale = step / np.abs(direction).max()
        stiff = (at_rest - force(displacement + scale * direction)) / scale
        curvature = float(np.vdot(direction, stiff))
        if truncated and curvature < SOFTEST * float(np.vdot(direction, stretched)):
            return Answer(answer if count else prepared, count)
        if curvature <= 0.0:
            raise RuntimeError(
                f"The Hessian is negative ({curvature:.2e}) along direction {count + 1} of {steps}: the solution is a "
                "saddle, and has no error bar. Take estimate.norm: force_constants to go on."
            )
        answer = answer + product / curvature * direction
        if count == steps - 1:
            break
        left = left - product / curvature * stiff
        prepared = riesz.solve(left)
        new = float(np.vdot(left, prepared))
        direction, stretched = prepared + new / product * direction, left + new / product * stretched
        product = new
    return Answer(answer, steps)


logger = logging.getLogger(__name__)


def answers(
    defect: Defect,
    operators: Operators,
    region: np.ndarray,
    displacement: np.ndarray,
    residuals: Mapping[str, np.ndarray],
    models: tuple[Forces, Forces],
    *,
    model: str,
    steps: int,
    chosen: str,
    embedding: Embedding = VACUUM,
    phi: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Answer]:
    """Name of a residual -> answer: the chosen residual, and the exact one beside it where that costs no QM call.

    Parameters
    ----------
    region : (n,) int
    displacement : (n, 3) float, Å
    residuals : name -> (n, 3) float, eV/Å
    models : (qm, mm)
        Atoms -> forces.
    model : "mm" or "mixed"
        Whose Hessian, see `hessian_answer`.
    steps : int
    chosen : str
    phi : name -> (n, 3) float, Å, optional
        H_FC^-1 of the residuals, where it is known already: the first step of every answer.
    """
    qm, mm = models
    if model == "mm":
        names, force = {chosen, *({"exact"} & set(residuals))}, _everywhere(defect, mm)
    else:
        names, force = {chosen}, hybrid_forces(defect.body, region, qm=qm, mm=mm, embedding=embedding)
    riesz = operators.force_constant_map(defect.free, tolerance=CG_TOLERANCE)
    at_rest, found = force(displacement), {}
    for name in sorted(names):
        found[name] = hessian_answer(
            force,
            displacement,
            np.asarray(residuals[name]),
            riesz,
            steps=steps,
            truncated=model == "mm",
            phi=None if phi is None else phi[name],
            at_rest=at_rest,
        )
        logger.info("Hessian of %s, residual %s: %d of %d steps", model, name, found[name].steps, steps)
    return found


def _everywhere(defect: Defect, mm: Forces) -> Callable[[np.ndarray], np.ndarray]:
    """MM forces on all free sites."""
    return lambda u: balanced(np.where(defect.free[:, None], mm(defect.body.atoms(u)), 0.0), defect.free)
