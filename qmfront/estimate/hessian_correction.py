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

import numpy as np

from qmfront.config.stages import Estimate
from qmfront.coupling.hessian import Correction, conjugate_gradients, hessian_products
from qmfront.coupling.hybrid import Hybrid
from qmfront.coupling.solution import Solution

logger = logging.getLogger(__name__)

SOFTEST_MODE = 2e-3
"""No soft mode counts as softer: what is below is the position of a core along glide, which no estimate certifies."""


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
        rest, first = (forces, phi[name]) if modes is None else modes.without(forces, phi[name], hybrid.riesz)
        found[name] = conjugate_gradients(
            hessian, rest, hybrid.riesz, steps=steps, truncated=model == "mm", phi=first
        )
        if modes is not None:
            soft = modes.soft(forces, least=SOFTEST_MODE)
            found[name] = found[name]._replace(displacement=found[name].displacement + soft)
        logger.info("Hessian of %s, residual %s: %d of %d steps", model, name, found[name].steps, steps)
    return found
