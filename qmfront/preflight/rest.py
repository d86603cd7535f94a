"""The lattice at rest: where stress and where energy say that it is, and the bulk modulus."""

from dataclasses import dataclass

import numpy as np

from qmfront.crystal.lattice import Crystal
from qmfront.preflight.checks import Check
from qmfront.preflight.subject import Subject, stress_of

SPREAD = 0.01
FARTHEST = 0.06
"""Relative distance of the lattice constant at rest from the guess."""
WEAK = 1e-3
"""eV/Å^3, 0.16 GPa; a bulk modulus below it is none: solid argon has 0.017. # ASSUME"""
APART = 0.01
"""Relative distance between the zero of the stress and the minimum of the energy, which a real model keeps."""


@dataclass(frozen=True)
class Rest:
    """scale : lattice constant at zero stress over the guess; bulk_modulus : eV/Å^3."""

    scale: float
    bulk_modulus: float


def rest_checks(subject: Subject, guess: Crystal) -> tuple[list[Check], Rest]:
    """Three lattices of the primitive cell: parabolas through pressure and energy."""
    scales = np.array([1 - SPREAD, 1.0, 1 + SPREAD])
    found = [subject.evaluate(guess.strained(s * np.eye(3)).to_atoms(), stress=True) for s in scales]
    tension = np.array([stress_of(each)[:3].mean() for each in found])
    energy = np.array([each.energy for each in found])
    a, b, c = np.polyfit(scales - 1, tension, 2)
    modulus = float(b / 3)
    steps = np.roots([a, b, c])
    real = steps[np.abs(steps.imag) < 1e-12].real if len(steps) else np.array([])
    step = float(real[np.argmin(np.abs(real))]) if len(real) else np.inf
    curvature, slope, _ = np.polyfit(scales - 1, energy, 2)
    minimum = -slope / (2 * curvature) if curvature > 0 else np.inf
    at_rest = _at_rest(step, modulus, guess)
    if not at_rest.passed:
        return [at_rest], Rest(1.0, modulus)
    checks = [
        at_rest,
        Check(
            "minimum of the energy against zero of the stress",
            float(abs(minimum - step)) if np.isfinite(minimum) else None,
            "1",
            APART,
            _apart(minimum, step),
        ),
    ]
    return checks, Rest(1 + step, modulus)


def _at_rest(step: float, modulus: float, guess: Crystal) -> Check:
    problem = ""
    if abs(modulus) < WEAK:
        problem = (
            f"The lattice does not resist a stretch (bulk modulus {modulus:.1e} eV/Å^3): atoms that are "
            f"{guess.nearest_neighbour_distance:.3g} Å apart hardly interact. The calculator may lack its arguments "
            "(qm.kwargs), such as those of a pair potential, or have others than this crystal needs."
        )
    elif not modulus > 0:
        problem = (
            f"The stress falls when the lattice is stretched (bulk modulus {modulus:.3f} eV/Å^3): its sign is wrong, "
            "or the crystal is unstable. Check crystal.structure and lattice_constant_guess."
        )
    elif not abs(step) <= FARTHEST:
        problem = (
            f"The lattice is not at rest within {FARTHEST:.0%} of the guess (r0 = "
            f"{guess.nearest_neighbour_distance:.4f} Å): the stress asks for {step:+.1%}. Correct "
            "crystal.lattice_constant_guess, or the calculator."
        )
    value = abs(step) if np.isfinite(step) else None
    return Check("distance of the lattice constant from the guess", value, "1", FARTHEST, problem)


def _apart(minimum: float, step: float) -> str:
    if abs(minimum - step) <= APART:
        return ""
    return (
        f"Stress and energy are inconsistent: the stress vanishes at {step:+.2%} of the guess, the energy is least at "
        f"{minimum:+.2%}. Raise the plane-wave cut-off (Pulay stress), or correct the stress of the calculator."
    )
