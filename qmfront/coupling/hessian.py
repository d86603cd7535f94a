"""Products with the Hessian at a displacement, from differences of forces, and what it answers to forces."""

from typing import NamedTuple

import numpy as np

from qmfront.coupling.hybrid import Field
from qmfront.operators.riesz import ForceConstantMap

STEP = 1e-3
"""Å; largest displacement of an atom in the differences."""

SOFTEST = 0.1
"""Of d . H_FC d; a potential whose curvature along d is less is about to be unstable. The Hessians of QM models were at
least 0.09 along their softest modes, and 0.25 along the directions of a residual at a crack tip."""


def hessian_products(
    force: Field, displacement: np.ndarray, *, step: float = STEP, at_rest: np.ndarray | None = None
) -> Field:
    """The map v -> H v at u: one call of the forces at u for all, and one for each v.

        H v = -(F(u + s v) - F(u)) / s,    s such that no atom moves farther than step

    Parameters
    ----------
    force : u (n, 3) Å -> F (n, 3) eV/Å, zero on the clamp
    displacement : (n, 3) float, Å
    step : float, Å
    at_rest : (n, 3) float, eV/Å, optional
        F(u), where it is known already.
    """
    known = force(displacement) if at_rest is None else at_rest

    def product(direction: np.ndarray) -> np.ndarray:
        scale = step / np.abs(direction).max()
        return (known - force(displacement + scale * direction)) / scale

    return product


class Correction(NamedTuple):
    """displacement (n, 3), Å, in place of phi, and the steps that it took; local: without soft modes, if it differs."""

    displacement: np.ndarray
    steps: int
    local: np.ndarray | None = None


def conjugate_gradients(
    hessian: Field,
    residual: np.ndarray,
    riesz: ForceConstantMap,
    *,
    steps: int,
    truncated: bool = False,
    phi: np.ndarray | None = None,
) -> Correction:
    """e of H e = F, as far as some steps of conjugate gradients get.

    Parameters
    ----------
    hessian : v (n, 3) Å -> H v (n, 3) eV/Å
        See `hessian_products`.
    residual : (n, 3) float, eV/Å
        Zero on the clamp.
    riesz : ForceConstantMap
    steps : int
        Of conjugate gradients; one product each.
    truncated : bool
        Stop before a direction along which the Hessian is less than SOFTEST (Steihaug, who stops at 0), at the first
        one with phi: the MM model knows nothing of a core, and its Hessian need not be positive there. Otherwise a
        Hessian that is not positive is an error.
    phi : (n, 3) float, Å, optional
        H_FC^-1 F, where it is known already.

    Raises
    ------
    RuntimeError
        If the Hessian is not positive on a direction, and this is not to be put up with: the solution is no minimum.
    """
    found, left = np.zeros_like(residual), residual.copy()
    prepared = riesz.solve(left) if phi is None else phi
    direction, product, stretched = prepared, float(np.vdot(left, prepared)), left  # stretched: H_FC d
    if product == 0.0:
        return Correction(found, 0)
    for count in range(steps):
        stiff = hessian(direction)
        curvature = float(np.vdot(direction, stiff))
        if truncated and curvature < SOFTEST * float(np.vdot(direction, stretched)):
            return Correction(found if count else prepared, count)
        if curvature <= 0.0:
            raise RuntimeError(
                f"The Hessian is negative ({curvature:.2e}) along direction {count + 1} of {steps}: the solution is a "
                "saddle, and has no error bar. Take estimate.norm: force_constants to go on."
            )
        found = found + product / curvature * direction
        if count == steps - 1:
            break
        left = left - product / curvature * stiff
        prepared = riesz.solve(left)
        new = float(np.vdot(left, prepared))
        direction, stretched = prepared + new / product * direction, left + new / product * stretched
        product = new
    return Correction(found, steps)
