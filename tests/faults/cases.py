"""A small case in a project of its own: before, and after a run in which nothing happened."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.faults.calls import INJECT, calls_file, variables
from tests.workflow.project import ROOT, Project

CASE = {"extends": "minimal", "title": "smallest disc", "domain": {"radius_r0": 15.0}}
STUDY = {
    "trust": ["counted"],
    "cases": ["small"],
    "materials": {"tungsten": {"qm": {"calculator": "counted.Counted"}}},
    "potentials": {"minimal": {"basis": {"cutoff": 4.5, "max_degree": [8, 8]}}},
}
FIGURE = {"figure_1": {"kind": "decomposition", "case": "small", "iteration": -1}}
PREFLIGHT = "preflight"
FILES = ("results", "figures", "logs", "work", ".snakemake")


@dataclass(frozen=True)
class Undisturbed:
    """The finished case.

    project : where tests break things; always the same folder, since Snakemake and compiled kernels know files by path
    untouched : what it was after the undisturbed run
    config, targets : configuration files, and what is asked for
    """

    project: Project
    untouched: Project
    config: tuple[str, ...]
    targets: tuple[str, ...]

    @classmethod
    def computed(cls, folder: Path, case: Mapping[str, Any], targets: tuple[str, ...]) -> "Undisturbed":
        project, config = prepared(folder, case)
        done = project.snakemake(*targets, config=config, path=INJECT, variables=variables(project))
        assert done.returncode == 0, done.stdout
        untouched = Project(project.folder.with_name("untouched"))
        shutil.copytree(project.folder, untouched.folder, symlinks=True)
        return cls(project, untouched, config, targets)

    def waiting(self) -> Project:
        """The project before anything was computed; compiled kernels and the preflight are kept."""
        for path in (self.project.folder / name for name in FILES):
            for one in path.glob("*") if path.name == "results" else [path]:
                if one.name != PREFLIGHT:
                    shutil.rmtree(one) if one.is_dir() else one.unlink(missing_ok=True)
        calls_file(self.project).unlink(missing_ok=True)
        return self.project

    def finished(self) -> Project:
        """The project with everything computed, and no calls counted yet."""
        project = self.waiting()
        for name in (name for name in FILES if (self.untouched.folder / name).exists()):
            shutil.copytree(
                self.untouched.folder / name, project.folder / name, symlinks=True, dirs_exist_ok=True
            )
        return project

    def run(self, *options: str, **variables_too: str) -> Any:
        """Snakemake on the case; options come in place of its targets."""
        return self.project.snakemake(
            *(options or self.targets),
            config=self.config,
            path=INJECT,
            variables={**variables(self.project), **variables_too},
        )


def prepared(folder: Path, case: Mapping[str, Any]) -> tuple[Project, tuple[str, ...]]:
    """A project in which the case is ready to be computed, and its configuration files.

    Its calculator has passed the preflight, which asks it some forty times and journals nothing.
    """
    project = Project.copy_of(ROOT, folder / "project")
    text = yaml.safe_dump({**CASE, **case})
    (project.folder / "config/cases/small.yaml").write_text(text, encoding="utf-8")
    (project.folder / "config/small.yaml").write_text(
        yaml.safe_dump({**STUDY, "figures": FIGURE}), encoding="utf-8"
    )
    config = ("config/small.yaml",)
    target = f"results/{PREFLIGHT}/tungsten.json"
    done = project.snakemake(target, config=config, path=INJECT, variables=variables(project))
    assert done.returncode == 0, done.stdout
    calls_file(project).unlink()
    return project, config
