"""Several processes with one journal, and processes that are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from qmfront.evaluate.inventory import summary

ROOT = Path(__file__).parents[2]
WORKER = '''
import json, os, sys, time
from pathlib import Path
import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

class Slow(Calculator):
    """Appends one line per calculation, then takes its time."""
    implemented_properties = ["energy", "forces"]

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        with open("calls.txt", "a") as stream:
            stream.write(f"{atoms.positions[0, 0]:.0f} {os.getpid()}\\n")
        time.sleep(float(os.environ["SLOW"]))
        self.results = {"energy": float(np.sum(atoms.positions**2)), "forces": np.sin(atoms.positions)}

if __name__ == "__main__":
    from qmfront.evaluate.journal import Journal, Tally
    from qmfront.evaluate.model_spec import ModelSpec
    from worker import Slow
    journal, tally = Journal("journal"), Tally()
    values = []
    for index in range(int(sys.argv[1])):
        positions = np.random.default_rng(index).normal(size=(6, 3))
        positions[0, 0] = index
        found = journal.evaluate(Atoms("Si6", positions), Slow(), ModelSpec("worker.Slow"), tally=tally)
        values.append([found.energy, *found.forces.ravel()])
    print(json.dumps({"values": values, "computed": tally.computed, "cached": tally.cached}))
'''


def start(folder: Path, n: int, slow: float) -> subprocess.Popen:
    (folder / "worker.py").write_text(WORKER)
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{folder}", "SLOW": str(slow)}
    command = [sys.executable, "worker.py", str(n)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=folder, env=environment, **pipes, text=True)


def result(process: subprocess.Popen) -> dict:
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    return json.loads(output)


def test_kill_9_at_any_moment_repeats_no_finished_evaluation(tmp_path: Path) -> None:
    n, calls, rng = 25, tmp_path / "calls.txt", np.random.default_rng(4)
    kills = 2
    for _ in range(kills):
        begun = len(calls.read_text().splitlines()) if calls.exists() else 0
        process = start(tmp_path, n, 0.02)
        while not calls.exists() or len(calls.read_text().splitlines()) == begun:
            assert process.poll() is None, process.communicate()
            time.sleep(0.002)
        time.sleep(rng.uniform(0.0, 0.12))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
    journaled = summary(tmp_path / "journal").count
    begun = len(calls.read_text().splitlines())
    assert 0 < journaled <= begun <= journaled + kills  # each kill lost at most the evaluation under way
    final = result(start(tmp_path, n, 0.0))
    assert (final["cached"], final["computed"]) == (journaled, n - journaled)
    assert len(calls.read_text().splitlines()) == begun + n - journaled
    for index, values in enumerate(final["values"]):
        positions = np.random.default_rng(index).normal(size=(6, 3))
        positions[0, 0] = index
        assert np.array_equal(values, [np.sum(positions**2), *np.sin(positions).ravel()])


def test_two_processes_compute_each_evaluation_once(tmp_path: Path) -> None:
    n = 8
    answers = [result(process) for process in [start(tmp_path, n, 0.1) for _ in range(2)]]
    lines = [line.split() for line in (tmp_path / "calls.txt").read_text().splitlines()]
    assert sorted(int(index) for index, _ in lines) == list(range(n))
    assert answers[0]["values"] == answers[1]["values"]
    assert answers[0]["computed"] + answers[1]["computed"] == n
    assert not list((tmp_path / "journal" / "locks").iterdir())
