"""Calculators that hang, raise or return NaN, once or for ever."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from qmfront.evaluate.evaluation import EvaluationError
from qmfront.evaluate.inventory import summary
from qmfront.evaluate.journal import Journal
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.evaluate.retry import CallTimeoutError, Patience, within

ROOT = Path(__file__).parents[2]
CLUSTER = Atoms("Cu2", [[0, 0, 0], [0, 0, 2.5]])


class Moody(Calculator):
    """Does what the next of `moods` says (nan, raise, hang), and works once there are none left."""

    implemented_properties = ("energy", "forces")
    moods: list[str] = []  # noqa: RUF012 (shared on purpose: a new calculator goes on where the old one was)

    def calculate(
        self, atoms: Atoms | None = None, properties: object = (), changes: object = all_changes
    ) -> None:
        mood = type(self).moods.pop(0) if type(self).moods else ""
        if mood == "raise":
            raise OSError("no licence")
        if mood == "hang":
            time.sleep(30)
        if mood == "program":
            subprocess.run(["sleep", "30"], check=True)
        forces = np.full((len(atoms), 3), np.nan if mood == "nan" else 1.0)
        self.results = {"energy": 1.0, "forces": forces}


@pytest.fixture
def spec(monkeypatch: pytest.MonkeyPatch) -> ModelSpec:
    """The calculator under a name that can be imported."""
    monkeypatch.setitem(sys.modules, "moody", sys.modules[__name__])
    return ModelSpec("moody.Moody")


@pytest.mark.parametrize("mood", ["nan", "raise", "hang", "program"])
def test_a_call_that_fails_once_is_asked_again(
    mood: str, spec: ModelSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Moody.moods = [mood]
    journal = Journal(tmp_path, Patience(time_limit=0.3, retries=1))
    start = time.monotonic()
    found = journal.evaluate(CLUSTER, Moody(), spec)
    assert time.monotonic() - start < 25  # of 30, on a machine with other work
    assert np.all(found.forces == 1.0)
    assert summary(tmp_path).count == 1
    assert "QM call of 2 atoms: try 1 of 2 failed, asking a new calculator." in caplog.text


@pytest.mark.parametrize("mood", ["nan", "raise", "hang"])
def test_a_call_that_fails_every_time_is_given_up(
    mood: str, spec: ModelSpec, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Moody.moods = [mood] * 3
    journal = Journal(tmp_path, Patience(time_limit=0.2, retries=2))
    words = {"nan": "as NaN or infinity", "raise": "OSError: no licence", "hang": "no answer within 0.2 s"}
    with pytest.raises(EvaluationError, match=words[mood]):
        journal.evaluate(CLUSTER, Moody(), spec)
    assert Moody.moods == []
    assert "try 3 of 3 failed, giving up" in caplog.text
    assert summary(tmp_path).count == 0
    assert not list((tmp_path / "locks").iterdir())


def test_without_retries_the_first_failure_counts(spec: ModelSpec, tmp_path: Path) -> None:
    Moody.moods = ["raise", "raise"]
    with pytest.raises(EvaluationError, match="no licence"):
        Journal(tmp_path).evaluate(CLUSTER, Moody(), spec)
    assert Moody.moods == ["raise"]
    Moody.moods = []


def test_a_call_in_time_is_left_alone() -> None:
    with within(60.0):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0.0
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)  # the alarm was taken back
    with within(None):
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_programs_of_a_late_call_are_ended() -> None:
    earlier, started = subprocess.Popen(["sleep", "20"]), []

    def call() -> None:
        started.append(subprocess.Popen(["sh", "-c", "sleep 20 & wait; exit 1"]))
        started[0].wait()

    try:
        with pytest.raises(CallTimeoutError), within(0.3):
            call()
        assert started[0].wait(5) != 0
        assert earlier.poll() is None
    finally:
        earlier.kill()
        earlier.wait()


def test_compiled_code_that_never_comes_back_ends_the_job(tmp_path: Path) -> None:
    """A loop in C that hears no signal: the process ends with its traceback, long before the loop would."""
    code = (
        "import ctypes\n"
        "from qmfront.evaluate import retry\n"
        "retry.GRACE = 0.3\n"
        "with retry.within(0.3):\n"
        "    while True:\n"
        "        try:\n"
        "            ctypes.PyDLL(None).usleep(60_000_000)\n"
        "        except retry.CallTimeoutError:\n"
        "            pass\n"
    )
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=50
    )
    assert time.monotonic() - start < 40
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert 'File "<string>", line 7' in done.stderr
