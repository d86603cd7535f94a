"""The answer of the true Hessian to the residual, where the force constants of the perfect lattice are a poor norm.

    H e = F,    H v = -(F^H(u + s v) - F^H(u)) / s

by a few steps of conjugate gradients, preconditioned with H_FC, the norm of (3.8). Every step costs one call of the
mixed forces, which is one QM call. # ASSUME mixed forces have an almost symmetric Hessian.
"""

from collections.abc import Callable

import numpy as np

from qmfront.estimate.riesz import ForceConstantMap

STEP = 1e-3
"""Å; largest displacement of an atom in the differences."""


def hessian_answer(
    force: Callable[[np.ndarray], np.ndarray],
    displacement: np.ndarray,
    residual: np.ndarray,
    riesz: ForceConstantMap,
    *,
    steps: int,
    step: float = STEP,
) -> np.ndarray:
    """e (n, 3), Å, in place of phi.

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å, zero on the clamp
    displacement : (n, 3) float, Å
    residual : (n, 3) float, eV/Å
        Zero on the clamp.
    riesz : ForceConstantMap
    steps : int
        Of conjugate gradients; steps + 1 calls.

    Raises
    ------
    RuntimeError
        If the Hessian is not positive on a direction: the solution is no minimum.
    """
    at_rest = force(displacement)
    answer, left = np.zeros_like(residual), residual.copy()
    prepared = riesz.solve(left)
    direction, product = prepared, float(np.vdot(left, prepared))
    if product == 0.0:
        return answer
    for count in range(steps):
        scale = step / np.abs(direction).max()
        stiff = (at_rest - force(displacement + scale * direction)) / scale
        curvature = float(np.vdot(direction, stiff))
        if curvature <= 0.0:
            raise RuntimeError(
                f"The Hessian is negative ({curvature:.2e}) along direction {count + 1} of {steps}: the solution is a "
                "saddle, and has no error bar. Take estimate.hessian_steps: 0 to go on."
            )
        answer = answer + product / curvature * direction
        left = left - product / curvature * stiff
        prepared = riesz.solve(left)
        new = float(np.vdot(left, prepared))
        direction, product = prepared + new / product * direction, new
    return answer
