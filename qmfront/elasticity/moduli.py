"""Elastic moduli and relaxed lattice constant of a crystal from an ASE calculator."""

import logging
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from ase.calculators.calculator import BaseCalculator
from scipy.optimize import brentq

from qmfront.crystal.lattice import Crystal
from qmfront.elasticity.internal import FORCE_TOLERANCE, relaxed_shifts
from qmfront.elasticity.strain_polynomial import fit_strain_polynomial

SYMMETRY_TOLERANCE = 1e-5  # relative to the largest modulus; stress at rest enters here
ROOT_TOLERANCE = 1e-12  # relative, of the lattice constant
SAMPLED_ORDERS = (2, 3, 4)  # of the strain energy through sampled stresses
TINY = 1e-5  # strain; the polynomial is differentiated, which has no noise
MAJOR = (2, 3, 0, 1)
ROUGH = 1e-2  # relative; what a table of a potential breaks of the major symmetry, and a wrong stress exceeds
WIDE = np.array([-10.0, -5.0, -2.5, 2.5, 5.0, 10.0])  # steps of slopes that average over a rough table
WIDE_ORDER = 4  # of the polynomial in strain
SAME_MODULUS = 1e-3  # of the largest; moduli that differ by less have one name
WIDEST_BRACKET = 0.12  # relative change of the lattice constant that is searched

log = logging.getLogger(__name__)


def elastic_moduli(
    crystal: Crystal,
    calculator: BaseCalculator,
    *,
    step: float = 1e-3,
    internal: Literal["relaxed", "clamped"] = "relaxed",
    rest_force: float = FORCE_TOLERANCE,
) -> np.ndarray:
    """Elastic moduli at F = I, from first Piola-Kirchhoff stresses of the strained primitive cell.

        C_ijkl = dP_ij / dF_kl,    P = det(F) sigma F^-T = (1/V) dW_cb/dF

    by four-point central differences of step `step` in each F_kl (36 calls, error of order step^4). A crystal with a
    basis takes some ten force calls more for each of them. Where they break the major symmetry a little, the energy is
    no smooth function of strain (a table of a potential): slopes of polynomials through strains of up to 10 steps
    average over that.

    Parameters
    ----------
    crystal : Crystal
        Stress-free (lattice_constant); otherwise the minor symmetries fail.
    calculator : ASE calculator with stress
    step : float
        Largest strain is twice this.
    internal : "relaxed" or "clamped"
        Internal shifts of a crystal with a basis: from force balance, or none.
    rest_force : float, eV/Å
        Largest force that is left in force balance.

    Returns
    -------
    (3, 3, 3, 3) float, eV/Å^3
        Symmetrised over the minor and major symmetries.

    Raises
    ------
    ValueError
        For a crystal with a basis and a calculator without forces unless internal="clamped".
    RuntimeError
        If a symmetry fails by more than 1e-5 of the largest modulus, or a stress is not finite.
    """
    force = None if internal == "clamped" else rest_force
    near = _slopes(
        crystal, calculator, step * np.array([-2, -1, 1, 2]), np.array([1, -8, 8, -1]) / (12 * step), force
    )
    try:
        return _symmetrised(near)
    except _RoughModelError as error:
        log.warning("%s Slopes over strains of %.1g are taken.", error, step * WIDE.max())
    powers = (step * WIDE)[:, None] ** np.arange(WIDE_ORDER + 1)
    weights = np.linalg.pinv(powers)[1]
    return _symmetrised(_slopes(crystal, calculator, step * WIDE, weights, force), major=ROUGH)


def sampled_moduli(gradients: np.ndarray, stresses: np.ndarray, crystal: Crystal) -> np.ndarray:
    """Elastic moduli (3, 3, 3, 3), eV/Å^3, of the polynomial of strain orders 2 to 4 through sampled stresses.

    A fit over strains of per cents averages the noise of a self-consistent field and of a basis that changes with the
    cell, where differences of step 1e-3 multiply it.

    Parameters
    ----------
    gradients : (s, 3, 3) float
    stresses : (s, 3, 3) float, eV
        dW_cb/dF of the primitive cell at rest inside.
    crystal : Crystal
        At zero stress.

    Raises
    ------
    ValueError
        If there are too few samples.
    """
    energy = fit_strain_polynomial(
        gradients, stresses, orders=SAMPLED_ORDERS, rotations=crystal.point_group()
    )
    moduli = np.zeros((3, 3, 3, 3))
    for k, m in np.ndindex(3, 3):
        step = np.zeros((3, 3))
        step[k, m] = TINY
        up, down = energy.stress(np.array([np.eye(3) + step, np.eye(3) - step]))
        moduli[:, :, k, m] = (up - down) / (2 * TINY * crystal.volume)
    return _symmetrised(moduli)


def lattice_constant(crystal: Crystal, calculator: BaseCalculator) -> Crystal:
    """The crystal scaled uniformly to zero pressure, the lattice constant exact to 1e-12 relative.

    Enough for cubic crystals whose internal coordinates are fixed by symmetry, as those of diamond.

    Raises
    ------
    RuntimeError
        If the pressure keeps its sign within 12 %, or the relaxed crystal keeps shear or anisotropic stress.
    """

    def tension(scale: float) -> float:
        return float(np.trace(stress_tensor(crystal.strained(scale * np.eye(3)), calculator))) / 3

    width = 0.005
    while tension(1 - width) * tension(1 + width) > 0:
        width *= 2
        if width > WIDEST_BRACKET:
            raise RuntimeError(
                f"The pressure keeps its sign within {50 * width:.1f} % of the given lattice constant (r0 = "
                f"{crystal.nearest_neighbour_distance:.4f} Å). Start from a better value."
            )
    scale = brentq(tension, 1 - width, 1 + width, xtol=ROOT_TOLERANCE, rtol=ROOT_TOLERANCE)
    relaxed = crystal.strained(scale * np.eye(3))
    stress = stress_tensor(relaxed, calculator)
    bulk_modulus = (tension(scale + 1e-4) - tension(scale - 1e-4)) / 6e-4
    if np.abs(stress).max() > 1e-6 * abs(bulk_modulus):
        raise RuntimeError(
            f"At zero pressure a stress of {np.abs(stress).max():.2e} eV/Å^3 is left (bulk modulus "
            f"{bulk_modulus:.3f}). Uniform scaling relaxes cubic crystals only; relax the cell otherwise."
        )
    return relaxed


def piola_stress(
    crystal: Crystal, calculator: BaseCalculator, deformation: np.ndarray, *, shift: np.ndarray | None = None
) -> np.ndarray:
    """First Piola-Kirchhoff stress P = det(F) sigma F^-T (3, 3), eV/Å^3, of the homogeneous crystal.

    shift (nb, 3), Å, moves the atoms of the deformed cell, see `internal`; without it the basis deforms with the cell.
    """
    F = np.asarray(deformation, float)
    deformed = crystal.strained(F) if shift is None else crystal.strained(F).shifted(shift)
    return np.linalg.det(F) * stress_tensor(deformed, calculator) @ np.linalg.inv(F).T


def rotated_moduli(moduli: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """C_ijkl in the axes given by the rows of frame (3, 3): C'_ijkl = f_ia f_jb f_kc f_ld C_abcd."""
    return np.einsum("ia,jb,kc,ld,abcd->ijkl", frame, frame, frame, frame, moduli, optimize=True)


def cubic_moduli(c11: float, c12: float, c44: float) -> np.ndarray:
    """C_ijkl (3, 3, 3, 3) of a cubic crystal in cubic axes, in the unit of the arguments."""
    from matscipy.elasticity import Voigt_6x6_to_full_3x3x3x3, cubic_to_Voigt_6x6  # imports scipy.stats

    return Voigt_6x6_to_full_3x3x3x3(cubic_to_Voigt_6x6(c11, c12, c44))


def to_voigt(moduli: np.ndarray) -> np.ndarray:
    """Voigt matrix (6, 6), order xx yy zz yz xz xy, of C_ijkl; raises if a symmetry is broken."""
    from matscipy.elasticity import full_3x3x3x3_to_Voigt_6x6  # imports scipy.stats

    return full_3x3x3x3_to_Voigt_6x6(moduli, tol=SYMMETRY_TOLERANCE * np.abs(moduli).max())


def from_voigt(voigt: np.ndarray) -> np.ndarray:
    """C_ijkl (3, 3, 3, 3) of a Voigt matrix (6, 6), order xx yy zz yz xz xy."""
    from matscipy.elasticity import Voigt_6x6_to_full_3x3x3x3  # imports scipy.stats

    return Voigt_6x6_to_full_3x3x3x3(np.asarray(voigt, float))


def different_entries(voigt: np.ndarray) -> dict[str, tuple[int, int]]:
    """The entries of a Voigt matrix (6, 6) that differ, by name: C11, C12 and C44 of a cubic crystal.

    C11, C12, C13, C33, C44 and C66 of a hexagonal one. Entries of one sort (those of stretches, between stretches, of
    shears, and all others) that differ by less than SAME_MODULUS of the largest are one; small ones are left out.
    """
    small = SAME_MODULUS * np.abs(voigt).max()
    found: dict[str, tuple[int, int]] = {}
    for i, j in combinations_with_replacement(range(6), 2):
        sort = _sort(i, j)
        known = [voigt[place] for place in found.values() if _sort(*place) == sort]
        if abs(voigt[i, j]) > small and all(abs(voigt[i, j] - value) > small for value in known):
            found[f"C{i + 1}{j + 1}"] = (i, j)
    return found


def _sort(i: int, j: int) -> str:
    if i < 3 and j < 3:
        return "stretch" if i == j else "stretches"
    return "shear" if i == j else "other"


def _slopes(
    crystal: Crystal,
    calculator: BaseCalculator,
    strains: np.ndarray,
    weights: np.ndarray,
    rest_force: float | None,
) -> np.ndarray:
    """sum_n weights_n P(I + strains_n e_k (x) e_l), (3, 3, 3, 3)."""
    directions = np.eye(9).reshape(9, 3, 3)
    gradients = np.array([np.eye(3) + s * direction for direction in directions for s in strains])
    stresses = _stresses(crystal, calculator, gradients, rest_force).reshape(9, len(strains), 3, 3)
    return np.einsum("n,pnij->ijp", weights, stresses).reshape(3, 3, 3, 3)


def _stresses(
    crystal: Crystal, calculator: BaseCalculator, gradients: np.ndarray, rest_force: float | None
) -> np.ndarray:
    """P (g, 3, 3) at gradients (g, 3, 3), forces inside the cell below rest_force; None: no shifts."""
    if len(crystal.numbers) == 1 or rest_force is None:
        return np.array([piola_stress(crystal, calculator, F) for F in gradients])
    shifts = relaxed_shifts(crystal, calculator, gradients, tolerance=rest_force).shifts
    return np.array(
        [piola_stress(crystal, calculator, F, shift=s) for F, s in zip(gradients, shifts, strict=True)]
    )


def stress_tensor(crystal: Crystal, calculator: BaseCalculator) -> np.ndarray:
    """sigma (3, 3), eV/Å^3, of the crystal as it is; raises RuntimeError if it is not finite."""
    atoms = crystal.to_atoms()
    stress = calculator.get_stress(atoms)
    if not np.all(np.isfinite(stress)):
        raise RuntimeError(f"The calculator returned a stress that is not finite: {stress}.")
    xx, yy, zz, yz, xz, xy = stress
    return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])


class _RoughModelError(RuntimeError):
    """The major symmetry is broken, but only a little."""


def _symmetrised(moduli: np.ndarray, *, major: float = SYMMETRY_TOLERANCE) -> np.ndarray:
    scale = np.abs(moduli).max()
    for axes in ((1, 0, 2, 3), (0, 1, 3, 2), MAJOR):
        other = moduli.transpose(axes)
        error = np.abs(moduli - other).max() / scale
        if not error < (major if axes == MAJOR else SYMMETRY_TOLERANCE):
            raise (_RoughModelError if axes == MAJOR and error < ROUGH else RuntimeError)(
                f"dP/dF breaks the symmetry {axes} of elastic moduli by {error:.1e} relative. The crystal is "
                "under stress (relax it with lattice_constant), the calculator's stress is not its energy's, or it is "
                "noisy (moduli.step: null takes the moduli from the strain samples)."
            )
        moduli = 0.5 * (moduli + other)
    return moduli
