"""`make run`: a killed one goes on with the same command, and blanks in the path of the project do no harm."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.workflow.project import ROOT, Project, environment

PREFLIGHT = "results/preflight/tungsten.md"
STUDY = "--configfile config/studies/minimal.yaml"


@pytest.fixture
def made(tmp_path: Path) -> Project:
    """A project below a folder with a blank in its name, with an environment of its own, as make sets it up."""
    project = Project.copy_of(ROOT, tmp_path / "my projects" / "qmfront")
    shutil.copy2(ROOT / "Makefile", project.folder)
    (project.folder / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg", "include"):
        (project.folder / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    time.sleep(0.01)
    for stamp in ("run", "dev"):
        (project.folder / ".venv" / f".installed-{stamp}").touch()
    return project


def run(project: Project, arguments: str) -> subprocess.Popen:
    return subprocess.Popen(
        ["make", "run", f"ARGS={arguments}", "CORES=2"],
        cwd=project.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_blanks_in_the_path_of_the_project(made: Project) -> None:
    """And in that of Python, which is in the project."""
    process = run(made, f"{PREFLIGHT} {STUDY}")
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    assert (made.folder / PREFLIGHT).is_file()


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_command(made: Project) -> None:
    """All of its processes are killed in the middle of a solve; what is in the journal then is not written again."""
    process = run(made, STUDY)
    log = made.folder / "logs/minimal/0/solve.log"
    deadline = time.monotonic() + 300.0
    while "QM call 3" not in (log.read_text(encoding="utf-8") if log.is_file() else ""):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert list((made.folder / ".snakemake/locks").iterdir())
    before = journal(made)
    process = run(made, STUDY)
    said, _ = process.communicate(timeout=600)
    assert process.returncode == 0, said
    assert "The last run was killed" in said
    assert before.items() <= journal(made).items()
    process = run(made, STUDY)
    said, _ = process.communicate(timeout=60)
    assert "Everything was up to date" in said


def journal(project: Project) -> dict[Path, int]:
    """When each finished evaluation was written."""
    return {path: path.stat().st_mtime_ns for path in (project.folder / "work/journal").glob("??/*.npz")}
