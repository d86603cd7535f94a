"""Runs a workflow through a list of kill points, restarts it as the README says, and counts what was lost."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from qmfront.storage import store
from tests.faults.calls import INJECT, calls, journaled, variables
from tests.faults.cases import Undisturbed
from tests.faults.points import TARGETS, KillPoint
from tests.kinds import KINDS
from tests.workflow.project import Project, environment

PATIENCE = 300.0
"""Seconds after which a run that neither ends nor dies is a failure."""


@dataclass
class Death:
    """One kill and what it cost.

    point : where
    struck : whether the run came there
    repeated : evaluations that were in the journal when this life began, and were computed again
    """

    point: KillPoint
    struck: bool
    repeated: int = 0


@dataclass
class Chronicle:
    """All that happened on the way to the finished results.

    begun : evaluations that the calculator began
    entries : evaluations in the journal at the end
    """

    deaths: list[Death] = field(default_factory=list)
    begun: int = 0
    entries: int = 0

    @property
    def survived(self) -> list[Death]:
        return [death for death in self.deaths if death.struck]

    @property
    def repeated(self) -> int:
        return sum(death.repeated for death in self.deaths)

    @property
    def lost(self) -> int:
        """Evaluations that were begun and died with their job."""
        return self.begun - self.entries


def through(case: Undisturbed, points: Sequence[KillPoint], *, narrow: bool = False) -> Chronicle:
    """Kill at one point after the other; every life goes on from what the last one left; then run to the end.

    narrow : ask in every life only for what the rule of its point writes
    """
    chronicle, project = Chronicle(), case.waiting()
    for point in points:
        known, before = journaled(project), calls(project)
        struck = _life(case, point, (TARGETS[point.rule],) if narrow else case.targets)
        now, begun = journaled(project), calls(project) - before
        chronicle.deaths.append(Death(point, struck, _computed_again(begun, known, now)))
        if point.victim != "snakemake":
            look_whole(project)
    known, before = journaled(project), calls(project)
    done = case.run()
    assert done.returncode == 0, done.stdout
    now = journaled(project)
    chronicle.deaths[-1].repeated += _computed_again(calls(project) - before, known, now)
    chronicle.begun, chronicle.entries = calls(project).total(), now.total()
    return chronicle


def _computed_again(begun: Counter[str], known: Counter[str], now: Counter[str]) -> int:
    """Evaluations that were in the journal when a life began, and were begun without adding an entry to it.

    The same atoms may be asked for forces and for the stress too, which are two entries.
    """
    return sum(max(0, number - (now[name] - known[name])) for name, number in begun.items() if known[name])


def _life(case: Undisturbed, point: KillPoint, targets: tuple[str, ...]) -> bool:
    """Start Snakemake, wait until the point kills it or the run is over; whether the point was reached."""
    project = case.project
    spent = project.folder.with_name("spent")
    spent.unlink(missing_ok=True)
    plan = {"rule": point.rule, "where": point.where, "number": point.number, "victim": point.victim}
    fault = {"QMFRONT_FAULT": json.dumps({**plan, "spent": str(spent)})} if point.rule else {}
    with open(project.folder.with_name("said.txt"), "a", encoding="utf-8") as said:
        said.write(f"--- {point}\n")
        said.flush()
        process = subprocess.Popen(
            project.command(*targets, config=case.config),
            cwd=project.folder,
            env=environment(INJECT, {**variables(project), **fault}),
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        if point.seconds:
            _wait_for_jobs(process, project)
        process.wait(point.seconds or PATIENCE)
    except subprocess.TimeoutExpired:
        assert point.seconds, f"{point}: the run neither ended nor died"
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        spent.touch()
    if point.victim == "both":
        os.killpg(process.pid, signal.SIGKILL) if _alive(process.pid) else None
        _wait_for_silence(process.pid)
    return spent.exists()


def _wait_for_jobs(process: subprocess.Popen, project: Project) -> None:
    """Until the first job of this life has opened its log, or the life is over: random moments count from there."""
    begin = time.time()
    while process.poll() is None:
        if any(path.stat().st_mtime > begin for path in (project.folder / "logs").rglob("*.log")):
            return
        time.sleep(0.02)


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _wait_for_silence(group: int) -> None:
    deadline = time.monotonic() + 10.0
    while _alive(group) and time.monotonic() < deadline:
        time.sleep(0.005)


def stores(project: Project) -> dict[str, store.Store]:
    """All stores that look finished, by path; loading one that is not raises."""
    found = {}
    for path in sorted((project.folder / "results").rglob("*.zarr/zarr.json")):
        kind = json.loads(path.read_text(encoding="utf-8"))["attributes"]["kind"]
        found[str(path.parent.relative_to(project.folder))] = store.load(path, KINDS[kind])
    return found


def look_whole(project: Project) -> None:
    """Whatever looks finished is whole, at any moment."""
    stores(project)
    for path in (project.folder / "results").rglob("*.json"):
        if ".zarr" not in str(path) and path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
