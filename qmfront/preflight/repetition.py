"""The same forces in other words: determinism, translations, a doubled cell, and the noise of forces."""

from dataclasses import dataclass

import numpy as np
from ase import Atoms

from qmfront.evaluate.evaluation import Evaluation
from qmfront.preflight.checks import Check, limited
from qmfront.preflight.samples import SEED, rattled
from qmfront.preflight.subject import Subject

OTHER_STEP = 0.03
"""Å; displacement of the structure that is evaluated between two evaluations of the same one."""
ENERGY = "when it is asked again"


@dataclass(frozen=True)
class Noise:
    """Noise of the forces and the largest force constant that was seen on the way, eV/Å and eV/Å^2."""

    force: float
    stiffness: float


def determinism_check(
    subject: Subject, atoms: Atoms, first: Evaluation, *, limit: float
) -> tuple[Check, float]:
    """The largest change of a force: evaluated again after another structure, and by a newly built calculator."""
    subject.evaluate(rattled(atoms, OTHER_STEP, seed=SEED + 3))
    again, fresh = subject.evaluate(atoms), subject.evaluate(atoms, fresh=True)
    changes = {
        "when it is asked again after another structure": np.abs(again.forces - first.forces).max(),
        "when the calculator is built again": np.abs(fresh.forces - first.forces).max(),
        ENERGY: abs(again.energy - first.energy) / max(len(atoms), 1),
    }
    worst = max(changes, key=lambda when: changes[when])
    what, unit = ("another energy", "eV per atom") if worst == ENERGY else ("other forces", "eV/Å")
    problem = (
        f"Not deterministic: the same atoms get {what} {worst}, by {changes[worst]:.1e} {unit}. Random numbers, "
        "a self-consistent field that stops early, or memory of the last call; fix the seed, converge more tightly, or "
        "start every call from scratch."
    )
    value = float(max(changes.values()))
    return limited("determinism", value, "eV/Å", limit, problem=problem), value


def periodicity_check(subject: Subject, atoms: Atoms, first: Evaluation, *, limit: float) -> Check:
    """The largest change of a force when one atom moves by a lattice vector, and then everything by any vector."""
    moved = atoms.copy()
    moved.positions[len(atoms) // 2] += atoms.cell.array[0] - atoms.cell.array[2]
    shifted = moved.copy()
    shifted.positions += np.array([0.173, -0.291, 0.418])
    wrapped, translated = (
        float(np.abs(subject.evaluate(other).forces - first.forces).max()) for other in (moved, shifted)
    )
    if wrapped > translated / 2:
        problem = (
            f"Not periodic: an atom moved by a lattice vector changes forces by {wrapped:.1e} eV/Å. The calculator "
            "ignores the cell, or takes the nearest image alone in a cell that is too small."
        )
    else:
        problem = (
            f"Moving all atoms together changes forces by {translated:.1e} eV/Å: the grid is felt (egg-box effect). "
            "Refine the grid, or use plane waves."
        )
    return limited("periodicity and translation", max(wrapped, translated), "eV/Å", limit, problem=problem)


def size_check(subject: Subject, atoms: Atoms, first: Evaluation, *, limit: float) -> Check:
    """Twice the cell: twice the energy, and the same forces."""
    shortest = int(np.argmin(np.linalg.norm(atoms.cell.array, axis=1)))
    repeats = [1, 1, 1]
    repeats[shortest] = 2
    double = subject.evaluate(atoms.repeat(tuple(repeats)))
    energy = abs(double.energy - 2 * first.energy) / (2 * len(atoms))
    forces = float(np.abs(double.forces - np.tile(first.forces, (2, 1))).max())
    problem = (
        f"Twice the cell has not twice the energy, or other forces: {energy:.1e} eV per atom and {forces:.1e} eV/Å "
        f"for {len(atoms)} atoms. Either the energy is not extensive, or k-points that do not follow the cell are too "
        "few: ask for k-points by density, or loosen preflight.size_error if that error is meant."
    )
    return limited("twice the cell", max(energy, forces), "eV, eV/Å", limit, problem=problem)


def noise_of(subject: Subject, atoms: Atoms, *, step: float, repeat: float) -> Noise:
    """Noise of the forces from their roughness along a line, and from repetition.

    Five points -2 step ... 2 step of one atom: what a parabola does not explain is noise, also where the same
    structure has the same forces.
    """
    points = np.arange(-2, 3)
    forces = []
    for point in points:
        moved = atoms.copy()
        moved.positions[0] += point * step * np.array([0.6, 0.48, 0.64])
        forces.append(subject.evaluate(moved).forces.ravel())
    values = np.array(forces)
    powers = np.vander(points.astype(float), 3)
    fitted, *_ = np.linalg.lstsq(powers, values, rcond=None)
    rough = np.sqrt(np.sum((values - powers @ fitted) ** 2, axis=0) / (len(points) - 3)).max()
    return Noise(max(float(rough), repeat), float(np.abs(fitted[1]).max() / step))


def noise_check(noise: Noise, *, step: float, limit: float, cure: str) -> Check:
    """The relative error of central differences of forces.

    cure : what to do where the displacement is not enlarged
    """
    error = noise.force / (np.sqrt(2) * step) / max(noise.stiffness, 1e-12)
    wanted = noise.force / (np.sqrt(2) * limit * max(noise.stiffness, 1e-12))
    digit = 10.0 ** np.floor(np.log10(max(wanted, 1e-12)))
    enough = float(np.ceil(wanted / digit) * digit)  # rounded down it would be refused again
    displacement = (
        f"A force_constants.displacement of {enough:.1g} Å or more would do, or {cure}"
        if enough <= 0.05
        else f"No displacement would do ({enough:.1g} Å is no longer small): {cure}"
    )
    problem = (
        f"The noise is too large for finite differences: {noise.force:.1e} eV/Å in the forces makes an error of "
        f"{error:.1e} in the force constants at a displacement of {step:g} Å. {displacement}."
    )
    return limited("noise in differences of forces", float(error), "1", limit, problem=problem)
