"""The reference model under test: every call is timed, and a failure is given the name of its cause."""

import logging
import os
import re
import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.calculator import PropertyNotImplementedError

from qmfront.evaluate.evaluation import Evaluation, EvaluationError, ask

KILOBYTES = 1024 if sys.platform == "darwin" else 1
"""ru_maxrss is in bytes on macOS and in kilobytes elsewhere."""
ELSEWHERE = 0.01
"""Processor time over wall time; below it the model is taken to compute in another process."""
WORTH_A_LINE = 1.0
"""s; a call that takes as long leaves a line in the log."""
NOT_CONVERGED = re.compile(r"converge|\bscf\b|self.?consisten", re.IGNORECASE)

log = logging.getLogger(__name__)


class RefusedError(RuntimeError):
    """The reference model cannot be used; the message names the cause."""


@dataclass(frozen=True)
class Timing:
    """One call: number of atoms, seconds (`own_seconds`), and the peak memory (MB) of the process and its children."""

    n_atoms: int
    seconds: float
    memory: float


def own_seconds(evaluation: Evaluation) -> float:
    """What a call takes on cores of its own, s: wall time, but not on a machine with more work than cores.

    There wall time measures others too: processor time is taken if it is the shorter one, unless it is so short that
    the model must compute elsewhere (a server, an accelerator).
    """
    crowded = os.getloadavg()[0] > (os.cpu_count() or 1)
    if crowded and evaluation.cpu_seconds > ELSEWHERE * evaluation.seconds:
        return min(evaluation.seconds, evaluation.cpu_seconds)
    return evaluation.seconds


class Subject:
    """A calculator that is built again when a fresh one is wanted, and the timings of all calls but the first.

    Parameters
    ----------
    make : () -> ASE calculator
    name : dotted path, for messages
    dress : what gives atoms the moments that they are asked about with
    """

    def __init__(
        self, make: Callable[[], Any], name: str, dress: Callable[[Atoms], Atoms] = lambda atoms: atoms
    ) -> None:
        self.make, self.name, self.dress = make, name, dress
        self.calculator = make()
        self.timings: list[Timing] = []
        self.calls = 0
        self._precisions: set[bool] = set()

    @property
    def in_single_precision(self) -> bool:
        """Whether all forces so far, zeros aside, are numbers of single precision, as those of many learned models."""
        return self._precisions == {True}

    def evaluate(self, atoms: Atoms, *, stress: bool = False, fresh: bool = False) -> Evaluation:
        """Energy (the free energy where there is one), forces and, if wanted, stress.

        fresh : from a newly built calculator, which has no memory of earlier calls

        Raises
        ------
        RefusedError if the calculator raises, is not converged, or returns something that is not a number.
        """
        calculator = self.make() if fresh else self.calculator
        properties = ("energy", "forces", "stress") if stress else ("energy", "forces")
        try:
            found = ask(self.dress(atoms), calculator, properties, name=self.name)
        except PropertyNotImplementedError as error:
            raise RefusedError(
                f"It gives no {error}, which the lattice constant, the moduli and the fit are made of. Choose a mode "
                "of the calculator that has one (plane waves in GPAW)."
            ) from error
        except EvaluationError as error:
            raise RefusedError(_cause(error, atoms)) from error
        if not converged(calculator):
            raise RefusedError(
                f"The self-consistent field is not converged: {self.name} says so of {len(atoms)} atoms, and returns "
                "forces all the same. Allow more iterations, mix less, or smear the occupations more."
            )
        self.calls += 1
        if found.seconds > WORTH_A_LINE:
            log.info("call %d: %d atoms, %.1f s", self.calls, len(atoms), found.seconds)
        if found.forces.any():
            self._precisions.add(bool(np.array_equal(found.forces, found.forces.astype(np.float32))))
        if self.calls > 1:  # the first call may compile code
            self.timings.append(Timing(len(atoms), own_seconds(found), peak_memory()))
        return found


def stress_of(evaluation: Evaluation) -> np.ndarray:
    """The stress (6,) of an evaluation with stress, eV/Å^3, in Voigt order."""
    assert evaluation.stress is not None, "evaluated without stress"
    return evaluation.stress


def peak_memory() -> float:
    """Largest resident memory so far of this process and, if larger, of its finished children, MB."""
    used = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return used / KILOBYTES / 1024


def converged(calculator: Any) -> bool:
    """False only if the calculator says that its last call is not: results, itself, or its scf."""
    results = getattr(calculator, "results", None) or {}
    reported = [
        results.get("converged"),
        getattr(calculator, "converged", None),
        getattr(getattr(calculator, "scf", None), "converged", None),
    ]
    return not any(isinstance(value, bool | np.bool_) and not value for value in reported)


def _cause(error: EvaluationError, atoms: Atoms) -> str:
    """What stands behind a call on atoms that failed."""
    below = error.__cause__
    text = str(error)
    if "NaN or infinity" in text:
        return f"It returns numbers that are not finite: {text}"
    if below is not None and NOT_CONVERGED.search(f"{type(below).__name__} {below}"):
        return (
            f"The self-consistent field does not converge: {text} Allow more iterations, mix less, or smear the "
            "occupations more."
        )
    if not atoms.pbc.any():
        return (
            f"It fails on a cluster in vacuum: {text} A model of periodic cells alone serves point defects in boxes "
            "(embedding: {kind: box} of the cases, preflight.clusters: false); its range is not measured then."
        )
    return f"It fails on a small crystal: {text}"
