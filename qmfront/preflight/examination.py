"""The examination of a reference model: all checks, in the order in which one failure spoils the next."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from qmfront.config.material import ForceConstantSteps, Preflight
from qmfront.crystal.lattice import Crystal
from qmfront.preflight.checks import Check
from qmfront.preflight.cost import Cost, fitted_cost
from qmfront.preflight.derivatives import force_check, stress_check
from qmfront.preflight.embedding import embedding_warnings
from qmfront.preflight.locality import Locality, locality_of, range_check, time_larger_calls
from qmfront.preflight.repetition import (
    determinism_check,
    noise_check,
    noise_of,
    periodicity_check,
    size_check,
)
from qmfront.preflight.rest import Rest, rest_checks
from qmfront.preflight.samples import cell_of, rattled
from qmfront.preflight.subject import RefusedError, Subject

SINGLE = (
    "The forces are in single precision (float32), seven digits. Ask the calculator for double precision, such as "
    "default_dtype: float64 of MACE: noise and inconsistencies of 1e-6 of their size come from that."
)

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Findings:
    """What an examination found.

    checks : those that were made
    rest, locality, cost : None if a failure came first
    calls, seconds : of the calculator
    warnings : what does not stop the run, and a reader of its results must know
    """

    checks: list[Check]
    rest: Rest | None
    locality: Locality | None
    cost: Cost | None
    calls: int
    seconds: float
    warnings: list[str] = field(default_factory=list)

    @property
    def problems(self) -> list[str]:
        """Causes and cures of all failures."""
        return [check.problem for check in self.checks if not check.passed]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not self.problems


def examine(subject: Subject, guess: Crystal, settings: Preflight, steps: ForceConstantSteps) -> Findings:
    """Call a calculator on small crystals until all checks are passed, or one fails.

    Parameters
    ----------
    guess : Crystal
        Near rest.
    settings : Preflight
    steps : ForceConstantSteps
        The noise of the forces is judged at their displacement.
    """
    checks: list[Check] = []
    rest = locality = None
    # before any check, since a model that fails one is not examined further
    warnings = embedding_warnings(subject.calculator, guess, rattle=settings.rattle)
    try:
        for check in _checks_of_a_cell(subject, guess, settings, steps):
            log.info("%s: %s %s%s", check.name, check.value, check.unit, "" if check.passed else ", refused")
            checks.append(check)
        if all(check.passed for check in checks):
            at_rest, rest = rest_checks(subject, guess)
            checks += at_rest
        if rest is not None and all(check.passed for check in checks):
            crystal = guess.strained(rest.scale * np.eye(3))
            if settings.clusters:
                locality = locality_of(subject, crystal, settings)
                checks.append(range_check(locality, accepted=settings.buffer_error))
            time_larger_calls(subject, crystal, settings)
    except RefusedError as error:
        checks.append(Check("calls", None, "", None, str(error)))
    if subject.in_single_precision:
        warnings.append(SINGLE)
    cost = fitted_cost(subject.timings) if subject.timings else None
    spent = sum(timing.seconds for timing in subject.timings)
    return Findings(checks, rest, locality, cost, subject.calls, spent, warnings)


def _checks_of_a_cell(
    subject: Subject, guess: Crystal, settings: Preflight, steps: ForceConstantSteps
) -> Iterator[Check]:
    """The checks on a rattled cell; a model that does not repeat itself is not examined further."""
    atoms = rattled(cell_of(guess, settings.atoms), settings.rattle)
    found = subject.evaluate(atoms)
    check, repeat = determinism_check(subject, atoms, found, limit=settings.noise)
    yield check
    if not check.passed:
        return
    noise = noise_of(subject, atoms, step=steps.displacement, repeat=repeat)
    cure = (
        "ask it for double precision"
        if subject.in_single_precision
        else "converge the calculator more tightly"
    )
    yield noise_check(noise, step=steps.displacement, limit=settings.difference_error, cure=cure)
    yield force_check(subject, atoms, found, limit=settings.force_error)
    yield stress_check(subject, atoms, limit=settings.stress_error)
    yield periodicity_check(subject, atoms, found, limit=settings.noise)
    yield size_check(subject, atoms, found, limit=settings.size_error)
