"""A failing job: traceback in its log, message at the end of the log and on the terminal."""

import logging
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qmfront.storage.logs import logged


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Jobs own their process and replace its handlers; tests put them back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers, root.level = handlers, level


def _failing_job() -> None:
    logging.getLogger("qmfront").info("step 1")
    sys.stderr.write("a warning\n")
    raise ValueError("3 atoms where 4 are needed. Add one.")


def test_a_failure_is_told_in_the_log_and_on_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal, log = sys.stderr, tmp_path / "job.log"
    with pytest.raises(SystemExit) as caught, logged(log):
        _failing_job()
    lines = log.read_text().splitlines()
    assert caught.value.code == 1
    assert lines[0].endswith("qmfront: step 1")
    assert lines[1] == "a warning"
    assert "Traceback" in lines[2]
    assert lines[-1] == "ValueError: 3 atoms where 4 are needed. Add one."
    assert capsys.readouterr().err.split("\n")[1:] == ["ValueError: 3 atoms where 4 are needed. Add one.", ""]
    assert sys.stderr is terminal


def test_a_job_that_is_done_leaves_the_terminal_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logged(tmp_path / "job.log"):
        sys.stderr.write("note\n")
    assert capsys.readouterr().err == ""
    assert (tmp_path / "job.log").read_text() == "note\n"


def test_an_interruption_stays_one(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), logged(tmp_path / "job.log"):
        raise KeyboardInterrupt
