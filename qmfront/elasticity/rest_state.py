"""The crystal at zero stress: all parameters of the cell that its symmetry leaves free, and all internal coordinates.

    sigma(e) : B_a = 0,   F = 1 + sum_a e_a B_a,   the sublattices at rest at every e

B_a are the symmetric matrices that the point group leaves as they are: one of a cubic crystal, two of a hexagonal,
tetragonal or trigonal one, three of an orthorhombic one, six of a triclinic one.
"""

import numpy as np
from ase.calculators.calculator import BaseCalculator

from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.internal import FORCE_TOLERANCE, internal_forces, relaxed_shifts
from qmfront.elasticity.moduli import lattice_constant, stress_tensor

FORCE_AT_REST = 1e-6
"""eV/Å; smaller forces inside a cubic cell at zero stress are rounding, and symmetry holds its atoms."""
STEP = 1e-3
"""Strain of the differences that give the first Jacobian."""
LARGEST_STEP = 0.03
"""Strain that one step may change."""
FARTHEST = 0.15
"""Strain from the guess at which the search ends."""
STRAIN_TOLERANCE = 1e-12
NOISE = 1e-6
"""Stress over modulus that is accepted where it falls no further."""
PATIENCE = 5
ITERATIONS = 60


def rest_state(guess: Crystal, calculator: BaseCalculator, *, rest_force: float = FORCE_TOLERANCE) -> Crystal:
    """The crystal at zero stress, in the axes of the guess.

    Parameters
    ----------
    guess : Crystal
        Its symmetry is kept.
    calculator : ASE calculator
        Forces and stress.
    rest_force : float, eV/Å
        Largest force that is left between sublattices.

    Raises
    ------
    RuntimeError
        If there is no such state within 15 % of the guess.
    """
    strains = invariant_strains(guess)
    if len(strains) == 1:
        crystal = lattice_constant(guess, calculator)
        if np.abs(internal_forces(crystal, calculator)).max() <= FORCE_AT_REST:
            return crystal
    return _Search(guess, calculator, strains, rest_force).found()


def invariant_strains(crystal: Crystal) -> np.ndarray:
    """B (d, 3, 3): an orthonormal basis of the symmetric matrices with R B R^T = B for the point group."""
    rotations = crystal.point_group()
    pairs = [(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]
    averaged = []
    for i, j in pairs:
        unit = np.zeros((3, 3))
        unit[i, j] = unit[j, i] = 1.0
        averaged.append(np.mean(rotations @ unit @ rotations.transpose(0, 2, 1), axis=0).ravel())
    _, singular, vectors = np.linalg.svd(np.array(averaged), full_matrices=False)
    return vectors[singular > 1e-6].reshape(-1, 3, 3)


class _Search:
    """Newton's method with Broyden's updates for e."""

    def __init__(
        self, guess: Crystal, calculator: BaseCalculator, strains: np.ndarray, rest_force: float
    ) -> None:
        self.guess, self.calculator, self.strains, self.rest_force = guess, calculator, strains, rest_force
        self.shift = np.zeros((len(guess.basis), 3))

    def crystal(self, e: np.ndarray) -> Crystal:
        """The strained crystal, its sublattices at rest; they start from where they were last."""
        strained = self.guess.strained(np.eye(3) + np.einsum("a,aij->ij", e, self.strains))
        moved = strained.shifted(self.shift)
        if np.abs(internal_forces(moved, self.calculator)).max() <= self.rest_force:
            return moved
        found = relaxed_shifts(moved, self.calculator, np.eye(3)[None], tolerance=self.rest_force)
        self.shift = self.shift + found.shifts[0]
        return strained.shifted(self.shift)

    def stress(self, e: np.ndarray) -> np.ndarray:
        """sigma : B_a, (d,) eV/Å^3."""
        return np.einsum("aij,ij->a", self.strains, stress_tensor(self.crystal(e), self.calculator))

    def found(self) -> Crystal:
        """The crystal at rest."""
        count = len(self.strains)
        e, stress = np.zeros(count), self.stress(np.zeros(count))
        jacobian = np.array(
            [(self.stress(STEP * one) - self.stress(-STEP * one)) / (2 * STEP) for one in np.eye(count)]
        ).T
        modulus = np.abs(jacobian).max()
        best, left, idle = e, np.inf, 0
        for _ in range(ITERATIONS):
            size = np.abs(stress).max()
            best, left, idle = (e, size, 0) if size < left else (best, left, idle + 1)
            step = -np.linalg.solve(jacobian, stress)
            if np.abs(step).max() < STRAIN_TOLERANCE or (left < NOISE * modulus and idle >= PATIENCE):
                return self.crystal(best)
            step *= min(1.0, LARGEST_STEP / np.abs(step).max())
            if np.abs(e + step).max() > FARTHEST:
                raise RuntimeError(
                    f"The crystal is not at rest within {FARTHEST:.0%} of the guess (a = "
                    f"{self.guess.lattice_constant:.4f} Å; the strain asked for is {np.round(e + step, 3).tolist()}). "
                    "Start from better values of lattice_constant_guess and ratio_guess, or from a better file."
                )
            change = self.stress(e + step) - stress
            jacobian = jacobian + np.outer(change - jacobian @ step, step) / (step @ step)
            e, stress = e + step, stress + change
        if left < NOISE * modulus:
            return self.crystal(best)
        raise RuntimeError(
            f"The cell does not come to rest: a stress of {left:.1e} eV/Å^3 is left after {ITERATIONS} steps. The "
            "calculator's stress is noisy, not its energy's, or the crystal is unstable."
        )
