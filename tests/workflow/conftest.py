"""A copy of the project in which Snakemake runs the minimal case once; every test starts from that finished state."""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflow.project import ROOT, Project, environment


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path, str]:
    """The minimal case computed once: project, untouched copy of its folder, and what Snakemake said."""
    project = Project.copy_of(ROOT, tmp_path_factory.mktemp("workflow") / "project")
    done = project.snakemake()
    assert done.returncode == 0, done.stdout
    untouched = project.folder.with_name("untouched")
    shutil.copytree(project.folder, untouched, symlinks=True)
    return project, untouched, done.stdout


@pytest.fixture
def finished(finished_once: tuple[Project, Path, str]) -> Project:
    """The finished minimal case, as it was after the run; in the same folder, since Snakemake knows files by path."""
    project, untouched, _ = finished_once
    restore(project.folder, untouched)
    return project


def restore(folder: Path, untouched: Path) -> None:
    """Make a folder what its copy is: what differs in time, size or kind is copied again, what is new goes."""
    for path in folder.iterdir():
        if not os.path.lexists(untouched / path.name):
            _removed(path)
    for source in untouched.iterdir():
        target = folder / source.name
        if source.is_dir() and not source.is_symlink():
            if target.is_symlink() or not target.is_dir():
                _removed(target)
                target.mkdir()
            restore(target, source)
        elif not os.path.lexists(target) or _state(target) != _state(source):
            _removed(target)
            shutil.copy2(source, target, follow_symlinks=False)
    shutil.copystat(untouched, folder)


def _state(path: Path) -> tuple[int, int, int]:
    status = path.lstat()
    return status.st_mode, status.st_size, status.st_mtime_ns


def _removed(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A project in which nothing was computed."""
    return Project.copy_of(ROOT, tmp_path / "project")


@pytest.fixture
def said(finished_once: tuple[Project, Path, str]) -> str:
    return finished_once[2]


@pytest.fixture
def planned_jobs() -> Callable[[str], dict[str, int]]:
    return _planned_jobs


@pytest.fixture
def one_thread() -> dict[str, str]:
    return environment()


def _planned_jobs(output: str) -> dict[str, int]:
    """Number of jobs by rule in the table that Snakemake prints before it starts; empty if there is nothing to do."""
    return {
        name: int(count)
        for name, count in re.findall(r"^(\w+) +(\d+)$", output, re.MULTILINE)
        if name != "total"
    }
