"""One evaluation: asking a calculator and doubting its answer; `entry` has the bytes that keep it."""

import os
import reprlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError
from ase.stress import full_3x3_to_voigt_6_stress

from qmfront.evaluate.retry import within

SKEW = 1e-3
"""Of a full stress, relative to its largest component: models in single precision differ by 1e-6 or so."""
SHAPES = {"energy": lambda n: (), "forces": lambda n: (n, 3), "stress": lambda n: (6,)}


class EvaluationError(RuntimeError):
    """A calculator failed, or returned something that is not energy, forces or stress."""


@dataclass(frozen=True)
class Evaluation:
    """Values of one QM evaluation.

    energy : float, eV; the free energy where the calculator has one, since forces are minus its gradient
    forces : (n, 3) float, eV/Å, without constraints
    stress : (6,) float, eV/Å^3, ASE's sign and order; None unless asked for
    seconds, cpu_seconds : wall and processor time of the calculator when it computed this, children included
    cached : whether it was read from the journal
    origin : machine and folder of the journal for which it was computed; empty for entries of earlier versions
    """

    energy: float
    forces: np.ndarray
    stress: np.ndarray | None
    seconds: float
    cpu_seconds: float
    cached: bool
    origin: str = ""


def ask(
    atoms: Atoms, calculator: Any, properties: Sequence[str], *, name: str, time_limit: float | None = None
) -> Evaluation:
    """Energy, forces and, if it is among the properties, stress of a copy of the atoms.

    Parameters
    ----------
    name : of the calculator, for errors
    time_limit : seconds for all properties together

    Raises
    ------
    EvaluationError if the calculator raises, takes too long, or returns wrong shapes, NaN or infinity.
    PropertyNotImplementedError if the calculator does not know one of the properties.
    """
    work = in_its_box(atoms)
    energy_name = (
        "free_energy" if "free_energy" in getattr(calculator, "implemented_properties", ()) else "energy"
    )
    wall, cpu = time.perf_counter(), _cpu_seconds()
    given: dict[str, object] = {}
    asked = "forces"
    try:
        with within(time_limit):
            for item in (item for item in ("forces", "energy", "stress") if item in properties):
                asked = energy_name if item == "energy" else item
                given[item] = _one(calculator, asked, work, known="forces" in given)
    except PropertyNotImplementedError:
        raise
    except Exception as error:  # any calculator of the user may stand here, with any error of its own
        raise EvaluationError(
            f"{name} failed to give {asked} of {len(atoms)} atoms ({type(error).__name__}: {error}). "
            "Check the structure and the settings of the calculator; nothing was journaled."
        ) from error
    wall, cpu = time.perf_counter() - wall, _cpu_seconds() - cpu
    values = {item: _sound(item, value, len(atoms), name) for item, value in given.items()}
    return Evaluation(float(values["energy"]), values["forces"], values.get("stress"), wall, cpu, False)


def in_its_box(atoms: Atoms) -> Atoms:
    """A copy without calculator, moved along free directions so that all atoms lie inside the cell, where it has one.

    Grid codes and LAMMPS refuse or lose atoms outside; forces do not feel the move.
    """
    work = atoms.copy()
    work.calc = None
    for axis in np.flatnonzero(~work.pbc & (np.linalg.norm(work.cell.array, axis=1) > 0)):
        fractional = (
            work.cell.scaled_positions(work.positions)[:, axis] if work.cell.rank == 3 else np.zeros(1)
        )
        if fractional.min() < 0 or fractional.max() > 1:
            work.positions += (0.5 - (fractional.min() + fractional.max()) / 2) * work.cell.array[axis]
    return work


def _one(calculator: Any, item: str, atoms: Atoms, *, known: bool) -> Any:
    """One property; once the forces are known, what came with them is taken as it is.

    Calculators that do not remember their atoms would otherwise compute everything again for the energy.
    """
    results = getattr(calculator, "results", None) or {}
    return results[item] if known and item in results else calculator.get_property(item, atoms)


def _sound(item: str, value: object, n_atoms: int, name: str) -> np.ndarray:
    advice = (
        "Check the structure (atoms too close?) and the settings of the calculator; nothing was journaled."
    )
    try:
        given: np.ndarray = np.ma.asanyarray(value)
        if given.dtype.kind not in "iuf" or np.ma.is_masked(given):
            raise TypeError(f"{given.dtype} is no real number")
        array = np.array(given, float)
    except (TypeError, ValueError):
        raise EvaluationError(
            f"{name} returned {reprlib.repr(value)} as {item}, and not real numbers alone. {advice}"
        ) from None
    expected = SHAPES[item](n_atoms)
    if item == "stress" and array.shape == (3, 3):
        array = _voigt(array, name, advice)
    if array.shape != expected:
        raise EvaluationError(
            f"{name} returned {item} of shape {array.shape} in place of {expected}. {advice}"
        )
    if bad := int(np.count_nonzero(~np.isfinite(array))):
        raise EvaluationError(
            f"{name} returned {bad} of {array.size} numbers of {item} as NaN or infinity. {advice}"
        )
    array.flags.writeable = False
    return array


def _voigt(stress: np.ndarray, name: str, advice: str) -> np.ndarray:
    """The six components of a full stress, which some calculators return though ASE asks for these."""
    skew = float(np.abs(stress - stress.T).max())
    if skew > SKEW * float(np.abs(stress).max()):
        raise EvaluationError(
            f"{name} returned a stress that is not symmetric, by {skew:.1e} eV/Å^3. {advice}"
        )
    return np.asarray(full_3x3_to_voigt_6_stress(stress))


def _cpu_seconds() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
