"""The examination of a reference model: all checks, in the order in which one failure spoils the next."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from qmfront.crystal.lattice import Crystal
from qmfront.preflight.checks import Check
from qmfront.preflight.cost import Cost, fitted_cost
from qmfront.preflight.derivatives import force_check, stress_check
from qmfront.preflight.locality import PRICED, Locality, enlarge, locality_of
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

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """The section preflight of a material, `refuse` left out, and the displacement of the force constants (Å)."""

    atoms: int
    rattle: float
    noise: float
    force_error: float
    stress_error: float
    size_error: float
    difference_error: float
    buffer_error: float
    seconds: float
    displacement: float
    clusters: bool = True


@dataclass(frozen=True)
class Findings:
    """What came out.

    checks : those that were made
    rest, locality, cost : None if a failure came first
    calls, seconds : of the calculator
    """

    checks: list[Check]
    rest: Rest | None
    locality: Locality | None
    cost: Cost | None
    calls: int
    seconds: float

    @property
    def problems(self) -> list[str]:
        """Causes and cures of all failures."""
        return [check.problem for check in self.checks if not check.passed]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "passed": not self.problems,
            "checks": [check.plain() for check in self.checks],
            "rest": self.rest and self.rest._asdict(),
            "locality": self.locality and asdict(self.locality),
            "cost": self.cost and self.cost.plain(),
            "calls": self.calls,
            "seconds": self.seconds,
        }


def examine(make: Callable[[], Any], name: str, guess: Crystal, limits: Limits) -> Findings:
    """Ask a calculator about a small crystal until it is trusted, or caught.

    Parameters
    ----------
    make : () -> ASE calculator
    name : its dotted path
    guess : Crystal
        Near rest.
    limits : Limits
    """
    subject, checks = Subject(make, name), []
    rest = locality = None
    try:
        for check in _sound(subject, guess, limits):
            log.info("%s: %s %s%s", check.name, check.value, check.unit, "" if check.passed else ", refused")
            checks.append(check)
        if all(check.passed for check in checks):
            at_rest, rest = rest_checks(subject, guess)
            checks += at_rest
        if rest is not None and all(check.passed for check in checks):
            crystal = guess.strained(rest.scale * np.eye(3))
            if limits.clusters:
                locality = locality_of(
                    subject,
                    crystal,
                    rattle=limits.rattle,
                    tolerance=limits.buffer_error,
                    seconds=limits.seconds,
                )
            enlarge(
                subject,
                crystal,
                rattle=limits.rattle,
                seconds=PRICED * limits.seconds,
                clusters=limits.clusters,
            )
    except RefusedError as error:
        checks.append(Check("answers", None, "", None, str(error)))
    spent = sum(timing.seconds for timing in subject.timings)
    cost = fitted_cost(subject.timings) if subject.timings else None
    return Findings(checks, rest, locality, cost, subject.calls, spent)


def _sound(subject: Subject, guess: Crystal, limits: Limits) -> Any:
    """The checks on a rattled cell; nothing is asked of a model that does not repeat itself."""
    atoms = rattled(cell_of(guess, limits.atoms), limits.rattle)
    answer = subject.ask(atoms)
    check, repeat = determinism_check(subject, atoms, answer, limit=limits.noise)
    yield check
    if not check.passed:
        return
    noise = noise_of(subject, atoms, step=limits.displacement, repeat=repeat)
    yield noise_check(noise, step=limits.displacement, limit=limits.difference_error)
    yield force_check(subject, atoms, answer, limit=limits.force_error)
    yield stress_check(subject, atoms, limit=limits.stress_error)
    yield periodicity_check(subject, atoms, answer, limit=limits.noise)
    yield size_check(subject, atoms, answer, limit=limits.size_error)
