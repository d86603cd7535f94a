"""Products with the Hessian at a displacement, from differences of forces."""

import numpy as np

from qmfront.coupling.hybrid import Field

STEP = 1e-3
"""Å; largest displacement of an atom in the differences."""


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
