"""Forces and stress against differences of the energy, and what is wrong where they disagree.

    F . d = -dE/dt  along displacements t d,      V sigma : e = dE/dt  under strains t e

by four-point differences. They are compared with forces or stresses as a whole: one factor between both, such as -1, or
hartree per bohr in place of eV/Å, is another mistake than no relation at all.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from ase import Atoms
from ase.units import Bohr, GPa, Hartree, Rydberg

from qmfront.evaluate.evaluation import Evaluation
from qmfront.preflight.checks import Check, limited
from qmfront.preflight.samples import TENSION, directions, strained
from qmfront.preflight.subject import Subject, stress_of

FORCE_STEP = 0.01
"""Å; displacement of the atom that moves most."""
STRAIN_STEP = 2.5e-3
STRAINS = np.array([np.eye(3), [[1.0, 0.4, -0.3], [0.4, -0.6, 0.5], [-0.3, 0.5, 0.2]]])
POINTS = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
ONE_FACTOR = 0.05
"""Differences that one factor explains up to this fraction have a wrong sign or unit."""

FORCE_UNITS = {
    "eV/bohr": Bohr,
    "hartree/bohr": Bohr / Hartree,
    "rydberg/bohr": Bohr / Rydberg,
    "hartree/Å": 1 / Hartree,
}
STRESS_UNITS = {"GPa": 1 / GPa, "kbar": 10 / GPa}


def force_check(subject: Subject, atoms: Atoms, evaluation: Evaluation, *, limit: float) -> Check:
    """Forces of the atoms, those of `evaluation`, against energies of displaced ones."""
    moves = directions(atoms, 3)

    def moved(move: np.ndarray, t: float) -> Atoms:
        other = atoms.copy()
        other.positions += t * move
        return other

    slopes = np.array([_slope(subject, partial(moved, move), FORCE_STEP) for move in moves])
    return _compared(
        "forces against differences of the energy",
        slopes,
        -np.einsum("dni,ni->d", moves, evaluation.forces),
        limit=limit,
        words=("forces", FORCE_UNITS, "minus the gradient of the energy"),
    )


def stress_check(subject: Subject, atoms: Atoms, *, limit: float) -> Check:
    """Stress of the atoms under tension against energies of strained ones."""
    tense = strained(atoms, TENSION)
    xx, yy, zz, yz, xz, xy = stress_of(subject.evaluate(tense, stress=True))
    sigma = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])

    def under(strain: np.ndarray, t: float) -> Atoms:
        return strained(tense, t * strain)

    slopes = np.array([_slope(subject, partial(under, e), STRAIN_STEP) for e in STRAINS])
    return _compared(
        "stress against differences of the energy",
        slopes,
        tense.get_volume() * np.einsum("ij,sij->s", sigma, STRAINS),
        limit=limit,
        words=(
            "stress",
            STRESS_UNITS,
            "the derivative of the energy by strain over the volume, tension positive",
        ),
    )


def _slope(subject: Subject, at: Callable[[float], Atoms], step: float) -> float:
    """dE/dt at 0 of the atoms at(t)."""
    return sum(weight * subject.evaluate(at(point * step)).energy for point, weight in POINTS) / step


def _compared(
    name: str,
    slopes: np.ndarray,
    values: np.ndarray,
    *,
    limit: float,
    words: tuple[str, dict[str, float], str],
) -> Check:
    """The relative misfit, and its cause."""
    size = max(float(np.linalg.norm(slopes)), 1e-12)
    misfit = float(np.linalg.norm(values - slopes)) / size
    return limited(name, misfit, "1", limit, problem=_cause(slopes, values, misfit, words))


def _cause(
    slopes: np.ndarray, values: np.ndarray, misfit: float, words: tuple[str, dict[str, float], str]
) -> str:
    what, units, meaning = words
    factor = float(slopes @ values) / max(float(slopes @ slopes), 1e-24)
    rest = float(np.linalg.norm(values - factor * slopes)) / max(float(np.linalg.norm(values)), 1e-24)
    if rest < ONE_FACTOR and abs(factor + 1) < ONE_FACTOR:
        return f"Wrong sign of the {what}: they are -1 times {meaning}. Turn the sign in the calculator."
    if rest < ONE_FACTOR and abs(factor - 1) > ONE_FACTOR:
        unit = min(units, key=lambda name: abs(np.log(abs(factor) / units[name])))
        known = abs(np.log(abs(factor) / units[unit])) < 0.02
        hint = f", as if they were in {unit}" if known else ""
        return (
            f"Wrong unit or factor of the {what}: they are {factor:.4g} times {meaning}{hint}. "
            "ASE calculators speak eV and Å; convert."
        )
    return (
        f"Energy and {what} are inconsistent: {what} differ from {meaning} by {misfit:.1e} of their size. With "
        "smeared occupations forces belong to the free energy: list free_energy among implemented_properties. "
        "Otherwise converge the calculator more tightly, or choose a mode in which they belong together."
    )
