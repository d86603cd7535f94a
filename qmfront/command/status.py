"""`qmfront status`: where the cases of a study stand, a row each."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from qmfront.command.output import table
from qmfront.progress import Case, Job, State, duration

HEAD = ("case", "k", "N_QM", "eta, Å", "trust", "QM calls", "time left", "state")
NOTHING = "-"


@dataclass(frozen=True)
class Row:
    """A case.

    case : its name
    reached : its last estimate, None if there is none
    job : what is at work for it, None if nothing is
    """

    case: str
    reached: Case | None
    job: Job | None

    @property
    def state(self) -> str:
        """In words."""
        if self.job is not None:
            return f"running: {self.job}"
        if self.reached is None:
            return "no estimate yet"
        return f"done: {self.reached.reason}" if self.reached.reason else "not finished"

    @property
    def left(self) -> float | None:
        """Seconds by the plan; 0 of a case that is done, None without a plan."""
        if self.reached is None:
            return None
        return 0.0 if self.reached.reason else self.reached.left

    @property
    def cells(self) -> tuple[str, ...]:
        """As the table shows it."""
        known, left = self.reached, self.left
        if known is None:
            return (self.case, *[NOTHING] * 6, self.state)
        return (
            self.case,
            str(known.k),
            str(known.n_qm),
            f"{known.eta:.2e}",
            "yes" if known.trusted else "no",
            str(known.qm_calls),
            NOTHING if left is None else duration(left),
            self.state,
        )

    def plain(self) -> dict[str, Any]:
        """As JSON; what is not known is null."""
        known = self.reached
        return {
            "case": self.case,
            "k": known and known.k,
            "n_qm": known and known.n_qm,
            "eta": known and known.eta,
            "trusted": known and known.trusted,
            "qm_calls": known and known.qm_calls,
            "seconds_left": self.left,
            "done": known is not None and bool(known.reason),
            "reason": known.reason if known else "",
            "running": self.job and asdict(self.job),
        }


def rows(state: State, named: Sequence[str]) -> list[Row]:
    """Rows of the cases that a study names, then of others that have results in the folder."""
    reached = {case.name: case for case in state.cases}
    jobs = {job.subject: job for job in reversed(state.jobs)}
    names = dict.fromkeys([*named, *reached])
    return [Row(name, reached.get(name), jobs.get(name)) for name in names]


def page(state: State, named: Sequence[str]) -> str:
    """The table, with Snakemake's count of steps and what runs for no case."""
    done, known = state.steps
    found = rows(state, named)
    lines = [f"{done} of {known} steps"] if known else []
    lines += [table(HEAD, [row.cells for row in found])] if found else []
    lines += [f"running: {job}" for job in state.jobs if job.subject not in {row.case for row in found}]
    return "\n".join(lines) or "Nothing was computed here yet."


def plain(state: State, named: Sequence[str]) -> dict[str, Any]:
    """The same as JSON."""
    done, known = state.steps
    return {
        "steps": {"done": done, "known": known},
        "cases": [row.plain() for row in rows(state, named)],
        "jobs": [asdict(job) for job in state.jobs],
    }
