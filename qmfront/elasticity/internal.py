"""Internal coordinates of a homogeneous crystal with a basis: where its sublattices come to rest under a deformation.

    y_b = F x_b + s_b(F),   -dE/dy_b = 0,   sum_b s_b = 0

Only differences of the shifts matter. A Bravais lattice has none, and costs no call here.
"""

from dataclasses import dataclass

import numpy as np
from ase.calculators.calculator import BaseCalculator, PropertyNotImplementedError

from qmfront.crystal.lattice import Crystal

FORCE_TOLERANCE = 1e-11
"""eV/Å; a third derivative of stresses at shifts this exact is good to 1e-3 eV (strain steps of 2.5e-3)."""
STIFFNESS_STEP = 1e-3
"""Å; of the central differences that give the zone-centre force constants."""
LARGEST_ITERATION = 40
NOISE = 1e-6
"""eV/Å; what is left and falls no further may be the noise of a model, and is accepted below this."""
PATIENCE = 5
"""Steps without progress after which such a force is taken for noise."""
SAME_GRADIENT = 1e-9
"""Two deformation gradients that differ by less are the same."""


@dataclass(frozen=True, eq=False)
class Shifts:
    """s(F) at some deformation gradients.

    gradients : (g, 3, 3) float
    shifts : (g, nb, 3) float, Å
        In the axes of the deformed crystal; they add up to zero over the atoms of the cell.
    """

    gradients: np.ndarray
    shifts: np.ndarray

    def at(self, gradient: np.ndarray) -> np.ndarray:
        """s (nb, 3), Å, at one of the gradients; raises ValueError if it is none of them."""
        miss = np.abs(self.gradients - gradient).max(axis=(1, 2))
        if not miss.min(initial=np.inf) < SAME_GRADIENT:
            raise ValueError(
                f"No internal shifts were recorded at F = {np.asarray(gradient).tolist()} (the nearest of "
                f"{len(miss)} differs by {miss.min(initial=np.inf):.1e}). Make the training data again with the same "
                "matching and strain_step."
            )
        return self.shifts[miss.argmin()]

    def deformed(self, crystal: Crystal, gradient: np.ndarray) -> Crystal:
        """The crystal under one of the gradients, sublattices shifted."""
        return crystal.strained(gradient).shifted(self.at(gradient))


def relaxed_shifts(
    crystal: Crystal,
    calculator: BaseCalculator,
    gradients: np.ndarray,
    *,
    tolerance: float = FORCE_TOLERANCE,
    start: np.ndarray | None = None,
) -> Shifts:
    """s(F) from force balance, by Newton's method with the zone-centre force constants at F = I as first Jacobian.

    Broyden's updates make six to eight force calls of a primitive cell enough for strains of a few per cent.

    Parameters
    ----------
    crystal : Crystal
        At rest.
    calculator : ASE calculator with forces
    gradients : (g, 3, 3) float
    tolerance : float, eV/Å
        Largest force that is left.
    start : (g, nb, 3) float, Å, optional
        Shifts close to the answer; zero if left out.

    Raises
    ------
    ValueError
        If the crystal has a basis and the calculator no forces.
    RuntimeError
        If the forces do not fall below the tolerance.
    """
    gradients = np.asarray(gradients, float).reshape(-1, 3, 3)
    shifts = np.zeros((len(gradients), len(crystal.basis), 3)) if start is None else np.array(start, float)
    if len(crystal.basis) > 1:
        softness = np.linalg.pinv(internal_stiffness(crystal, calculator), rcond=1e-6, hermitian=True)
        for F, shift in zip(gradients, shifts, strict=True):
            shift[:] = _balanced(crystal.strained(F), calculator, softness, tolerance=tolerance, start=shift)
    return Shifts(gradients, shifts)


def internal_stiffness(crystal: Crystal, calculator: BaseCalculator) -> np.ndarray:
    """Zone-centre force constants d2E / ds ds, (3 nb, 3 nb) eV/Å^2, by 6 (nb - 1) force calls of one cell."""
    size = 3 * len(crystal.basis)
    stiffness = np.zeros((size, size))
    for column in range(3, size):  # the first atom follows from the others: rows and columns sum to zero
        shift = np.zeros(size)
        shift[column] = STIFFNESS_STEP
        up, down = (_forces(crystal.shifted(s * shift.reshape(-1, 3)), calculator) for s in (1.0, -1.0))
        stiffness[:, column] = (down - up).ravel() / (2 * STIFFNESS_STEP)
    stiffness[:, :3] = -stiffness[:, 3:].reshape(size, -1, 3).sum(axis=1)
    return (stiffness + stiffness.T) / 2


def internal_forces(crystal: Crystal, calculator: BaseCalculator) -> np.ndarray:
    """Forces on the atoms of one cell, (nb, 3) eV/Å, without their mean; zero for a Bravais lattice, without a call."""
    if len(crystal.basis) == 1:
        return np.zeros((1, 3))
    return _forces(crystal, calculator)


def _balanced(
    crystal: Crystal, calculator: BaseCalculator, softness: np.ndarray, *, tolerance: float, start: np.ndarray
) -> np.ndarray:
    """Shifts (nb, 3), Å, of the deformed crystal at which the forces vanish, or are only noise."""
    shift, inverse = start.ravel().copy(), softness.copy()
    forces = _forces(crystal.shifted(start), calculator).ravel()
    best, left, idle = shift, np.abs(forces).max(), 0
    for _ in range(LARGEST_ITERATION):
        idle += 1
        if np.abs(forces).max() < left:
            best, left, idle = shift, np.abs(forces).max(), 0
        if left < tolerance or (left < NOISE and idle >= PATIENCE):
            return best.reshape(-1, 3)
        step = inverse @ forces
        new = _forces(crystal.shifted((shift + step).reshape(-1, 3)), calculator).ravel()
        change = forces - new
        predicted = inverse @ change
        if step @ predicted != 0:  # zero at the limit of the digits, where nothing is learnt
            inverse = inverse + np.outer(step - predicted, step @ inverse) / (step @ predicted)
        shift, forces = shift + step, new
    if left < NOISE:
        return best.reshape(-1, 3)
    raise RuntimeError(
        f"The sublattices do not come to rest: a force of {left:.1e} eV/Å is left after "
        f"{LARGEST_ITERATION} steps (tolerance {tolerance:.0e}). The forces are noisy (tighten the calculator's "
        "convergence) or the crystal is unstable against internal shifts."
    )


def _forces(crystal: Crystal, calculator: BaseCalculator) -> np.ndarray:
    """(nb, 3) eV/Å, the mean taken off: it is noise, and no shift answers it."""
    try:
        forces = np.array(calculator.get_forces(crystal.to_atoms()))
    except PropertyNotImplementedError as error:
        raise ValueError(
            f"A crystal with {len(crystal.basis)} atoms per cell has internal shifts, and the calculator gives no "
            'forces to relax them. Use one with forces, or ask for internal="clamped" moduli.'
        ) from error
    if not np.all(np.isfinite(forces)):
        raise RuntimeError(f"The calculator returned forces that are not finite: {forces.tolist()}.")
    return forces - forces.mean(axis=0)
