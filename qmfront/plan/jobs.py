"""What a plan counts: jobs before and after the iterations, and the iterations themselves."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Range(Generic[T]):
    """The same for the least, the expected and the largest eta."""

    low: T
    expected: T
    high: T

    def map(self, function: Callable[[T], S]) -> "Range[S]":
        """The function of each."""
        return Range(function(self.low), function(self.expected), function(self.high))


@dataclass(frozen=True)
class Job:
    """A job before the first iteration, or after the last one.

    stage : its name
    calls, atoms : QM calls, and atoms of the largest of them
    seconds, memory : of the job; MB
    """

    stage: str
    calls: int
    atoms: int
    seconds: float
    memory: float
    finished: bool = False


@dataclass(frozen=True)
class Iteration:
    """An iteration, finished or to come: its jobs `solve` and `adapt`.

    k : counted from 0
    n_qm, cluster : QM sites; atoms of QM region and buffer
    eta : Å
    calls : QM calls
    solve_seconds : of the solve
    adapt_seconds : of residual, Hessian correction, estimate and front
    memory : of the larger job, MB
    """

    k: int
    n_qm: int
    cluster: int
    eta: float
    calls: int
    solve_seconds: float
    adapt_seconds: float
    memory: float
    finished: bool = False

    @property
    def seconds(self) -> float:
        """Of both jobs."""
        return self.solve_seconds + self.adapt_seconds
