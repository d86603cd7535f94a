"""A project whose jobs go to SLURM, and what SLURM says about them."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.faults.calls import INJECT, calls, journaled, variables
from tests.workflow.project import Project, environment

WITHOUT_ACCOUNTING = (
    "--slurm-no-account",
    "--slurm-status-command",
    "squeue",
    "--slurm-init-seconds-before-status-checks",
    "3",
)
PATIENCE = 600.0
"""Seconds until a run that does not end is given up."""


@dataclass(frozen=True)
class Submitted:
    """A project, its configuration files and what is asked for."""

    project: Project
    config: tuple[str, ...]
    targets: tuple[str, ...]

    def command(self, *options: str) -> list[str]:
        call = [sys.executable, "-m", "snakemake", *self.targets]
        profile = ["--profile", "workflow/profiles/slurm", *WITHOUT_ACCOUNTING]
        return [*call, *profile, *options, "--configfile", *self.config]

    @contextmanager
    def started(self, *options: str, trouble: str = "") -> Iterator[subprocess.Popen]:
        """Snakemake at work; what it says is in said.txt. Ended by force if it is still there afterwards."""
        with open(self.said, "a", encoding="utf-8") as said:
            process = subprocess.Popen(
                self.command(*options),
                cwd=self.project.folder,
                env=environment(INJECT, {**variables(self.project), "QMFRONT_TROUBLE": trouble}),
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def run(self, *options: str, trouble: str = "") -> str:
        """Snakemake to its end, which must be a good one; what it said."""
        with self.started(*options, trouble=trouble) as process:
            process.wait(PATIENCE)
        text = self.said.read_text(encoding="utf-8")
        assert process.returncode == 0, text
        return text

    @property
    def said(self) -> "Project":
        return self.project.folder.with_name("said.txt")

    def begun(self) -> int:
        """QM calls that were begun."""
        return calls(self.project).total()

    def lost(self) -> int:
        """QM calls that were begun and are not in the journal."""
        return self.begun() - journaled(self.project).total()


def jobs() -> dict[str, str]:
    """State of the jobs that SLURM remembers, by number."""
    said = slurm("squeue", "--noheader", "--states=all", "--format=%i %T")
    return dict(line.split() for line in said.splitlines())


def active() -> list[str]:
    """Numbers of the jobs that run or wait."""
    return [
        number
        for number, state in jobs().items()
        if state in ("RUNNING", "PENDING", "CONFIGURING", "COMPLETING")
    ]


def slurm(*command: str) -> str:
    """Output of a command of SLURM."""
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout


def wait_until(condition: Callable[[], bool], *, what: str, seconds: float = 180.0) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.1)
