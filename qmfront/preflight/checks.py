"""What preflight measures: each check has a number, a limit, and the name of the cause when it fails."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One measurement.

    name : what was compared
    value, unit : the result; None where there is none
    limit : largest value that passes; None for what is only reported
    problem : cause and cure if it fails, "" if it passes
    """

    name: str
    value: float | None
    unit: str
    limit: float | None = None
    problem: str = ""

    @property
    def passed(self) -> bool:
        """Whether there is no problem."""
        return not self.problem


def limited(name: str, value: float, unit: str, limit: float, *, problem: str) -> Check:
    """A check that fails with this problem if the value is above the limit."""
    return Check(name, value, unit, limit, problem if not value <= limit else "")
