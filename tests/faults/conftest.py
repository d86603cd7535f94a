"""A small but complete case whose calculator counts its calls, computed once without any disturbance."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.faults.killing import INJECT, calls_file, variables
from tests.workflow.project import ROOT, Project

CASE = {
    "extends": "minimal",
    "title": "smallest disc, two iterations",
    "domain": {"radius_r0": 15.0},
    "reference": {"max_force": 1e-4},
    "adapt": {"max_iterations": 2},
}
STUDY = {
    "cases": ["small"],
    "materials": {"tungsten": {"qm": {"calculator": "counted.Counted"}}},
    "potentials": {"minimal": {"basis": {"cutoff": 4.5, "max_degree": [8, 8]}}},
    "figures": {"figure_1": {"kind": "decomposition", "case": "small", "iteration": -1}},
}


def small(folder: Path) -> tuple[Project, tuple[str, ...]]:
    """A project in which the small case is ready to be computed, and its configuration files."""
    project = Project.copy_of(ROOT, folder / "project")
    (project.folder / "config/cases/small.yaml").write_text(yaml.safe_dump(CASE), encoding="utf-8")
    names = yaml.safe_load(project.text("config/config.yaml"))["figures"]
    study = {**STUDY, "figures": {**dict.fromkeys(names), **STUDY["figures"]}}
    return project, project.overlay("small", study)


@pytest.fixture(scope="session")
def undisturbed_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Project, tuple[str, ...]]:
    """The project of all tests here, a copy of it after an undisturbed run, and its configuration files."""
    project, config = small(tmp_path_factory.mktemp("faults"))
    done = project.snakemake(config=config, path=INJECT, variables=variables(project))
    assert done.returncode == 0, done.stdout
    untouched = Project(project.folder.with_name("untouched"))
    shutil.copytree(project.folder, untouched.folder, symlinks=True)
    return project, untouched, config


@pytest.fixture
def undisturbed(undisturbed_once: tuple[Project, Project, tuple[str, ...]]) -> Project:
    """Where the results of a run in which nothing happened are kept, to compare with."""
    return undisturbed_once[1]


@pytest.fixture
def study(undisturbed_once: tuple[Project, Project, tuple[str, ...]]) -> tuple[str, ...]:
    """Configuration files of the small case."""
    return undisturbed_once[2]


@pytest.fixture
def finished(undisturbed_once: tuple[Project, Project, tuple[str, ...]]) -> Project:
    """The small case, all computed; in the folder of the run, since Snakemake knows files by path."""
    project, untouched, _ = undisturbed_once
    shutil.rmtree(project.folder)
    shutil.copytree(untouched.folder, project.folder, symlinks=True)
    return project


@pytest.fixture
def waiting(finished: Project) -> Project:
    """The small case before anything is computed; compiled kernels are kept."""
    return emptied(finished)


def emptied(project: Project) -> Project:
    """The same project without results, journal and the memory of Snakemake."""
    for name in ("results", "figures", "logs", "work", ".snakemake"):
        shutil.rmtree(project.folder / name, ignore_errors=True)
    calls_file(project).unlink(missing_ok=True)
    return project
