"""Where a run is killed: chosen places in the order in which a run comes to them, and moments at random."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

Victim = Literal["job", "snakemake", "both"]

MEANING = {
    "start": "before the first statement of a job",
    "call": "inside a QM call",
    "journal": "between write and rename of a journal entry",
    "journaled": "after a journal entry has its name, before its value is used",
    "chunk": "inside a Zarr write",
    "rename": "between write and rename of a result",
    "end": "after the results are written, before Snakemake knows",
    "decision": "during the checkpoint",
    "moment": "at a random moment",
}


TARGETS = {
    "bulk": "results/bulk/tungsten.zarr/zarr.json",
    "structure": "results/small/structure.zarr/zarr.json",
    "training": "results/potentials/minimal/training.zarr/zarr.json",
    "potential": "results/potentials/minimal/potential.json",
    "reference": "results/small/reference.zarr/zarr.json",
    "solve": "results/small/0/solution.zarr/zarr.json",
    "mismatch": "results/small/mismatch.zarr/zarr.json",
    "adapt": "results/small/0/decision.json",
    "snakemake": "results/small/convergence.csv",
    "convergence": "results/small/convergence.csv",
    "draw_decomposition": "figures/figure_1.png",
    "check": "results/checks.txt",
    "summary": "results/summary.html",
}
"""What a rule of the small case writes. With it as the target of a life, no other job runs ahead of the next points."""


@dataclass(frozen=True)
class KillPoint:
    """SIGKILL to the victims when the rule comes to a place for the n-th time, or after some seconds.

    rule : of the job, "snakemake" for Snakemake itself, "" for a random moment
    where : key of `MEANING`
    number : n, from 1
    seconds : of a random moment, after the first job of the life began
    """

    rule: str
    where: str
    victim: Victim
    number: int = 1
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.where == "moment":
            return f"{self.seconds:.1f} s after its first job began: {self.victim}"
        return f"{self.rule} {self.where} {self.number}: {self.victim}"


def few() -> list[KillPoint]:
    """Five points for every run of the tests: one of each kind that matters most."""
    return [
        KillPoint("bulk", "call", "both", 20),
        KillPoint("structure", "chunk", "job", 5),
        KillPoint("solve", "journal", "snakemake", 3),
        KillPoint("solve", "rename", "both"),
        KillPoint("snakemake", "decision", "both"),
    ]


def many() -> list[KillPoint]:
    """Every rule, every place, every victim, each job more than once, in the order of the run."""
    calling = ("bulk", "training", "reference", "solve", "adapt")
    chosen = [
        *_of("bulk", ("call", "both", 3), ("journal", "job", 20), ("journaled", "both", 20)),
        *_of("bulk", ("chunk", "both", 4), ("rename", "job", 1), ("end", "both", 1)),
        *_of("structure", ("start", "both", 1), ("chunk", "job", 9), ("rename", "snakemake", 2)),
        *_of("structure", ("rename", "both", 3), ("end", "job", 1)),
        *_of("training", ("journal", "both", 10), ("call", "snakemake", 10), ("rename", "both", 1)),
        *_of("mismatch", ("chunk", "job", 1), ("rename", "both", 1)),
        *_of("potential", ("start", "snakemake", 1), ("rename", "both", 2), ("chunk", "job", 2)),
        *_of("reference", ("call", "both", 5), ("journaled", "snakemake", 20), ("rename", "both", 1)),
        *_of("solve", ("start", "both", 1), ("call", "job", 3), ("journal", "both", 5)),
        *_of("solve", ("journaled", "snakemake", 1), ("chunk", "both", 2), ("rename", "job", 1)),
        *_of("solve", ("end", "both", 1)),
        *_of("adapt", ("start", "both", 1), ("call", "both", 2), ("chunk", "both", 1)),
        *_of("adapt", *(("rename", "both", number) for number in range(1, 6)), ("end", "snakemake", 1)),
        *_of("snakemake", ("decision", "both", 1), ("decision", "both", 2)),
        *_of("convergence", ("rename", "both", 1), ("rename", "job", 2)),
        *_of("draw_decomposition", ("rename", "both", 2)),
        *_of("check", ("rename", "snakemake", 1)),
        *_of("summary", ("rename", "both", 1)),
    ]
    assert {point.rule for point in chosen} > set(calling)
    return chosen


def moments(n: int, *, longest: float, seed: int) -> list[KillPoint]:
    """Kills of everything at random moments."""
    seconds = np.random.default_rng(seed).uniform(0.0, longest, n)
    return [KillPoint("", "moment", "both", seconds=float(value)) for value in seconds]


def _of(rule: str, *places: tuple[str, Victim, int]) -> Iterator[KillPoint]:
    return (KillPoint(rule, where, victim, number) for where, victim, number in places)
