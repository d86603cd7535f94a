"""The Hessian correction of the estimate, where the force constants of the perfect lattice are a poor norm.

    H e = F,    H v = -(F(u + s v) - F(u)) / s

by a few steps of conjugate gradients, preconditioned with H_FC, the norm of (3.8). Every step costs one call of the
forces: those of the MM model on all sites, which are cheap and have an energy, or the mixed ones, a QM call each.
The MM model is wrong along soft modes of a core. Where the solve has measured their curvature, e has two parts,

    e = V (V . H V)^-1 V . F + e',    H_MM e' = F - H_FC V V . F
# PAPER (3.8) has the Laplacian in place of H; the error is H^-1 F to first order.
"""

import logging
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from qmfront.config.stages import Estimate
from qmfront.coupling.hessian import hessian_products
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.coupling.soft_modes import SoftModes
from qmfront.coupling.solution import Solution
from qmfront.operators.riesz import ForceConstantMap

logger = logging.getLogger(__name__)

SOFTEST = 0.1
"""Of d . H_FC d; a potential whose curvature along d is less is about to be unstable. The Hessians of QM models were at
least 0.09 along their softest modes, and 0.25 along the directions of a residual at a crack tip."""

SOFTEST_MODE = 2e-3
"""No soft mode counts as softer: what is below is the position of a core along glide, which no estimate certifies."""


class Correction(NamedTuple):
    """displacement (n, 3), Å, in place of phi, and the steps that it took."""

    displacement: np.ndarray
    steps: int


def hessian_correction(
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


def corrections(
    hybrid: Hybrid,
    region: np.ndarray,
    solution: Solution,
    residuals: Mapping[str, np.ndarray],
    phi: Mapping[str, np.ndarray],
    settings: Estimate,
) -> dict[str, Correction]:
    """Name of a residual -> correction: the chosen residual, and the exact one beside it where it costs no QM call.

    Parameters
    ----------
    region : (n,) int
    solution : Solution
        Its soft modes, if it has them, answer with the curvature of the mixed forces; the MM model answers the rest.
    residuals : name -> (n, 3) float, eV/Å
    phi : name -> (n, 3) float, Å
        H_FC^-1 of the residuals, the first step of every correction.
    settings : Estimate
        Its hessian and residual. None are made for another norm.
    """
    if settings.norm != "hessian":
        return {}
    model, steps, chosen = settings.hessian.model, settings.hessian.steps, settings.residual
    if model == "mm":
        names, force = {chosen, *({"exact"} & set(residuals))}, hybrid.mm_forces()
    else:
        names, force = {chosen}, hybrid.forces(region)
    hessian, found = hessian_products(force, solution.displacement), {}
    modes = solution.modes if model == "mm" else None
    for name in sorted(names):
        forces = np.asarray(residuals[name])
        rest, first = (
            (forces, phi[name]) if modes is None else _without(modes, forces, phi[name], hybrid.riesz)
        )
        found[name] = hessian_correction(
            hessian, rest, hybrid.riesz, steps=steps, truncated=model == "mm", phi=first
        )
        if modes is not None:
            soft = modes.soft(forces, least=SOFTEST_MODE)
            found[name] = found[name]._replace(displacement=found[name].displacement + soft)
        logger.info("Hessian of %s, residual %s: %d of %d steps", model, name, found[name].steps, steps)
    return found


def _without(
    modes: SoftModes, forces: np.ndarray, phi: np.ndarray, riesz: ForceConstantMap
) -> tuple[np.ndarray, np.ndarray]:
    """The forces that leave the modes alone, F - H_FC V V . F, and their H_FC^-1."""
    along = modes.stiff(forces)
    return forces - riesz.forces(along), phi - along
