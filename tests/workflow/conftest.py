"""A copy of the project in which Snakemake runs the minimal case once; every test starts from that finished state."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PARTS = (
    "Snakefile",
    "config",
    "envs",
    "profiles",
    "pyproject.toml",
    "qmfront",
    "scripts",
    "tests/results",
    "workflow",
)
CORES = 2
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Project:
    """A copy of the project in a folder of its own."""

    folder: Path

    @classmethod
    def copy_of(cls, root: Path, folder: Path) -> "Project":
        for part in PARTS:
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            if (root / part).is_dir():
                shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(root / part, folder / part)
        return cls(folder)

    def command(self, *arguments: str, config: tuple[str, ...] = ("config/minimal.yaml",)) -> list[str]:
        """Targets and options come before --configfile, which takes all that follows."""
        call = [sys.executable, "-m", "snakemake", "--cores", str(CORES), *arguments]
        return [*call, "--configfile", *config] if config else call

    def snakemake(
        self, *arguments: str, config: tuple[str, ...] = ("config/minimal.yaml",), path: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """What Snakemake says, standard error included; `path` goes on PYTHONPATH."""
        return subprocess.run(
            self.command(*arguments, config=config),
            cwd=self.folder,
            env=environment(path),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )

    def overlay(self, name: str, content: dict[str, Any]) -> tuple[str, ...]:
        """The configuration files of the minimal case with this one on top."""
        (self.folder / "config" / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return ("config/minimal.yaml", f"config/{name}.yaml")

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


def environment(path: Path | None = None) -> dict[str, str]:
    """One thread per process; packages on `path` can be imported by Snakemake and its jobs."""
    return {**os.environ, **ONE_THREAD, **({"PYTHONPATH": str(path)} if path else {})}


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
    shutil.rmtree(project.folder)
    shutil.copytree(untouched, project.folder, symlinks=True)
    return project


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
