"""What a computation is doing: `python -m qmfront.progress [-- COMMAND ...]`.

Without a command it prints the state once, a line per case and per running job. With one it runs it; on a terminal a
live line stays below what the command writes, elsewhere the command runs as it is. All is read from the files of the
run (locks and logs of jobs, estimates, decisions, Snakemake's log), so that it works from any machine that sees them.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qmfront.storage.lock import is_held

INTERVAL = 1.0
"""Seconds between two looks at the files."""


@dataclass(frozen=True)
class Job:
    """A job at work: its rule, its case or material, its iteration, seconds since its start, QM calls so far."""

    rule: str
    subject: str
    k: int | None
    seconds: float
    qm_calls: int

    def __str__(self) -> str:
        where = f"{self.rule} {self.subject}".strip() + (f" k={self.k}" if self.k is not None else "")
        calls = f", {self.qm_calls} QM calls" if self.qm_calls else ""
        return f"{where} ({duration(self.seconds)}{calls})"


@dataclass(frozen=True)
class Case:
    """Where the adaptive loop of a case stands, after its last estimate.

    k : iteration of that estimate
    n_qm : QM atoms of it
    eta : Å
    qm_calls : of all solves so far
    reason : why it stopped; empty if it goes on
    trusted : whether anything speaks against the estimate
    left : seconds of the iterations after that one by the plan of the case, None without a plan
    """

    name: str
    k: int
    n_qm: int
    eta: float
    qm_calls: int
    reason: str = ""
    trusted: bool = True
    left: float | None = None

    def __str__(self) -> str:
        bar = "" if self.trusted else " (not trusted)"
        state = (
            f"{self.name} k={self.k}: N_QM {self.n_qm}, eta {self.eta:.2e} Å{bar}, {self.qm_calls} QM calls"
        )
        if self.reason:
            return f"{state}, done: {self.reason}"
        return state if self.left is None else f"{state}, {duration(self.left)} left by the plan"


@dataclass(frozen=True)
class State:
    """Running jobs, cases with an estimate, and Snakemake's count of steps (done, known so far)."""

    jobs: tuple[Job, ...]
    cases: tuple[Case, ...]
    steps: tuple[int, int]


def state_of(root: Path) -> State:
    """The state of the computation in a project folder."""
    return State(tuple(running_jobs(root)), tuple(cases(root)), steps(root))


def running_jobs(root: Path) -> list[Job]:
    """Jobs whose lock is held, the oldest first."""
    found = []
    for lock in (root / "logs").rglob("*.log.lock"):
        log = lock.with_suffix("")
        if not (log.is_file() and is_held(lock)):
            continue
        parts = log.relative_to(root / "logs").with_suffix("").parts
        k = int(parts[-2]) if len(parts) > 1 and parts[-2].isdigit() else None
        subject = " ".join(part for part in parts[:-1] if not part.isdigit())
        calls = re.findall(r"QM call (\d+):", log.read_text(encoding="utf-8", errors="replace"))
        age = time.time() - lock.stat().st_mtime
        found.append(Job(parts[-1], subject, k, max(0.0, age), int(calls[-1]) if calls else 0))
    return sorted(found, key=lambda job: -job.seconds)


def cases(root: Path) -> list[Case]:
    """Cases that have an estimate."""
    found = []
    for folder in sorted({path.parents[1] for path in (root / "results").glob("*/*/estimate.json")}):
        estimates = {
            int(path.parent.name): path
            for path in folder.glob("*/estimate.json")
            if path.parent.name.isdigit()
        }
        with suppress(OSError, ValueError, KeyError):  # files come and go while a run is on
            read = {k: json.loads(path.read_text(encoding="utf-8")) for k, path in estimates.items()}
            last = max(read)
            decision = estimates[last].with_name("decision.json")
            made = json.loads(decision.read_text(encoding="utf-8")) if decision.is_file() else {}
            calls = sum(estimate["qm_calls"] for estimate in read.values())
            reason = made["reason"] if made.get("stop") else ""
            left = _left(root / "results" / "plan" / f"{folder.name}.json", last)
            known = read[last]
            trusted = known.get("trusted", True)
            found.append(Case(folder.name, last, known["n_qm"], known["eta"], calls, reason, trusted, left))
    return found


def steps(root: Path) -> tuple[int, int]:
    """Steps done and known so far, from the newest log of Snakemake; more become known as iterations are added."""
    logs = sorted((root / ".snakemake" / "log").glob("*.snakemake.log"))
    text = logs[-1].read_text(encoding="utf-8", errors="replace") if logs else ""
    counts = re.findall(r"^(\d+) of (\d+) steps", text, re.MULTILINE)
    return (int(counts[-1][0]), int(counts[-1][1])) if counts else (0, 0)


def lines(state: State) -> list[str]:
    """The state in words, for terminals and logs."""
    done, known = state.steps
    head = [f"{done} of {known} steps"] if known else []
    running = [f"running: {job}" for job in state.jobs]
    return [*head, *map(str, state.cases), *running] or ["Nothing was computed here yet."]


def live_line(state: State) -> str:
    """One line: what runs, and where its case stands."""
    running = [*map(str, state.jobs[:2])] + (
        [f"and {len(state.jobs) - 2} more"] if len(state.jobs) > 2 else []
    )
    subjects = {job.subject for job in state.jobs}
    standing = [str(case) for case in state.cases if case.name in subjects]
    return " | ".join([*running, *standing[:1]])


def attended(command: Sequence[str], root: Path) -> int:
    """Run a command with a live line below its output; its exit status."""
    from tqdm import tqdm

    process = subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    form = "{percentage:3.0f}% |{bar:20}| {n_fmt}/{total_fmt} steps, {elapsed}{postfix}"
    with tqdm(total=1, bar_format=form, dynamic_ncols=True, leave=False) as bar:
        reader = threading.Thread(
            target=_pass_on, args=(process.stdout, partial(bar.write, file=sys.stderr)), daemon=True
        )
        reader.start()
        while process.poll() is None:
            with suppress(KeyboardInterrupt):  # the command hears it too, and ends its jobs
                time.sleep(INTERVAL)
                state = state_of(root)
                bar.n, bar.total = state.steps[0], max(state.steps[1], 1)
                bar.set_postfix_str(live_line(state))
        reader.join(INTERVAL)
    return process.returncode


def _pass_on(stream: Iterable[str], write: Callable[[str], None]) -> None:
    for line in stream:
        write(line.rstrip("\n"))


def _left(plan: Path, k: int) -> float | None:
    """Seconds of the iterations after k in the plan of a case."""
    if not plan.is_file():
        return None
    rows = json.loads(plan.read_text(encoding="utf-8"))["iterations"]
    return sum(row["seconds"] for row in rows if row["k"] > k)


def duration(seconds: float) -> str:
    """Minutes and seconds, or hours before them."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def main(arguments: Sequence[str]) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m qmfront.progress", description=__doc__)
    parser.add_argument("command", nargs="*", help="what to run, after --")
    command = parser.parse_args(arguments).command
    if not command:
        sys.stdout.write("\n".join(lines(state_of(Path.cwd()))) + "\n")
        return 0
    if not sys.stderr.isatty():
        sys.stdout.flush()
        os.execvp(command[0], command)
    return attended(command, Path.cwd())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
