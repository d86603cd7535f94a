"""The Hessian correction of the estimate, where the force constants of the perfect lattice are a poor norm.

    H e = F,    H v = -(F(u + s v) - F(u)) / s

by a few steps of conjugate gradients, preconditioned with H_FC, the norm of (3.8). Every step costs one call of the
forces: those of the MM model on all sites, which are cheap and have an energy, or the mixed ones, a QM call each.
The MM model is wrong along soft modes of a core. Where the solve has measured their curvature, e has two parts,

    e = V (V . H V)^-1 V . F + e',    H_MM e' = F - H_FC V V . F

and a few products with the Hessian of the mixed forces tell what that leaves, and mend it.
# PAPER (3.8) has the Laplacian in place of H; the error is H^-1 F to first order.
"""

import logging
from collections.abc import Callable, Mapping

import numpy as np

from qmfront.config.stages import Estimate
from qmfront.coupling.hessian import Correction, conjugate_gradients, hessian_products
from qmfront.coupling.hybrid import Field, Hybrid
from qmfront.coupling.soft_modes import SoftModes
from qmfront.coupling.solution import Solution
from qmfront.operators.norm import stencil_norm
from qmfront.operators.riesz import ForceConstantMap

logger = logging.getLogger(__name__)

LEFT = 0.1
"""Of the norm of the answer; mixed forces that leave no more than that, in the norm of H_FC, have confirmed it."""

PRECONDITIONED = 1e-3
"""Relative residual of H_FC^-1 within the conjugate gradients: it changes eta by 2e-6 of itself (edge_T4)."""

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
    model, chosen = settings.hessian.model, settings.residual
    steps, calls = settings.hessian.steps, settings.hessian.mixed_calls
    if model == "mm":
        names, force = {chosen, *({"exact"} & set(residuals))}, hybrid.mm_forces()
    else:
        names, force = {chosen}, hybrid.forces(region)
    hessian = hessian_products(force, solution.displacement)
    if model == "mixed":
        return {
            name: conjugate_gradients(hessian, residuals[name], hybrid.riesz, steps=steps, phi=phi[name])
            for name in names
        }
    found = {}
    for name in sorted(names):
        answer = _answer(hessian, solution.modes, hybrid.inexact(PRECONDITIONED), steps)
        found[name] = answer(residuals[name], phi[name])
        logger.info("Hessian of mm, residual %s: %d of %d steps", name, found[name].steps, steps)
        if name == chosen and calls:
            mixed = hessian_products(hybrid.forces(region), solution.displacement, at_rest=solution.forces)
            found[name] = _mended(hybrid, mixed, residuals[name], found[name], answer, calls=calls)
    return found


def answer_of(hybrid: Hybrid, solution: Solution, settings: Estimate) -> Field:
    """The map F (n, 3) eV/Å -> H^-1 F (n, 3) Å of the norm that marks, without a QM call.

    Of the norm hessian it is the answer of the MM model, with the mixed curvature along soft modes; what products with
    the Hessian of the mixed forces would mend is left.
    """
    if settings.norm == "laplacian":
        laplacian = hybrid.operators.laplacian_map(hybrid.defect.free, stabilisation=settings.stabilisation)
        return laplacian.solve
    if settings.norm == "force_constants":
        return hybrid.riesz.solve
    hessian = hessian_products(hybrid.mm_forces(), solution.displacement)
    answer = _answer(hessian, solution.modes, hybrid.inexact(PRECONDITIONED), settings.hessian.steps)
    return lambda forces: answer(forces, hybrid.riesz.solve(forces)).displacement


Answer = Callable[[np.ndarray, np.ndarray], Correction]
"""(F (n, 3) eV/Å, H_FC^-1 F (n, 3) Å) -> the answer of the Hessian of the MM model, mixed along soft modes."""


def _answer(hessian: Field, modes: SoftModes | None, riesz: ForceConstantMap, steps: int) -> Answer:
    def answer(forces: np.ndarray, phi: np.ndarray) -> Correction:
        rest, first = (forces, phi) if modes is None else modes.without(forces, phi, riesz)
        found = conjugate_gradients(hessian, rest, riesz, steps=steps, truncated=True, phi=first)
        if modes is None:
            return found
        soft, stiff = modes.soft(forces, least=SOFTEST_MODE), modes.stiff(forces)
        return found._replace(displacement=found.displacement + soft, local=found.displacement + stiff)

    return answer


def _mended(
    hybrid: Hybrid, mixed: Field, forces: np.ndarray, first: Correction, answer: Answer, *, calls: int
) -> Correction:
    """The answer of the Hessian of the mixed forces in the span of answers of the MM model to what is left.

        e = sum_j c_j d_j,    sum_k d_j . H d_k c_k = d_j . F,    d_(j+1) = answer(F - H e)

    The MM model can be wrong about the response of the QM region itself, where only the mixed forces know better: at
    the tip of a crack in iron it was too stiff by a factor 1.7.

    Parameters
    ----------
    mixed : v (n, 3) Å -> H v (n, 3) eV/Å
        A QM call each.
    first : Correction
        answer(F).
    calls : int
        The largest number of products; fewer where what is left is below LEFT.
    """
    stencil, directions, products = hybrid.defect.stencil, [], []
    local = first.displacement if first.local is None else first.local
    direction, found = first.displacement, first.displacement
    for call in range(1, calls + 1):
        if not direction.any():  # no forces, no error
            return first
        directions.append(direction)
        products.append(mixed(direction))
        stiffness = np.array([[np.vdot(d, product) for product in products] for d in directions])
        stiffness = (stiffness + stiffness.T) / 2
        scale = np.sqrt(np.abs(np.diag(stiffness)))
        stiffness = stiffness / np.outer(scale, scale)
        if np.linalg.eigvalsh(stiffness)[0] <= 0.0:
            logger.warning(
                "Mixed forces find a direction of negative curvature: the solution is a saddle, or the core glides. "
                "The estimate stays as it was."
            )
            return first._replace(displacement=found, local=local)
        works = np.array([np.vdot(d, forces) for d in directions]) / scale
        shares = np.linalg.solve(stiffness, works) / scale
        found = np.tensordot(shares, directions, 1)
        rest = forces - np.tensordot(shares, products, 1)
        phi = hybrid.riesz.solve(rest)
        left = stencil_norm(phi, stencil) / stencil_norm(found, stencil)
        direction = answer(rest, phi).displacement
        logger.info("mixed forces, call %d: %.0f%% of the estimate is left", call, 100 * left)
        if left < LEFT:
            break
    return first._replace(displacement=found + direction, local=local)
