"""A copy of the project in a folder of its own, in which tests run Snakemake and break things."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from numba.core.caching import UserProvidedCacheLocator

from qmfront.models.compiled import fingerprint
from qmfront.storage.reached_code import REMEMBERED

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
        _hand_over(root, folder)
        return cls(folder)

    def command(
        self, *arguments: str, config: tuple[str, ...] = ("config/studies/minimal.yaml",), cores: int = CORES
    ) -> list[str]:
        """Targets and options come before --configfile, which takes all that follows."""
        call = [sys.executable, "-m", "snakemake", "--cores", str(cores), *arguments]
        return [*call, "--configfile", *config] if config else call

    def snakemake(
        self,
        *arguments: str,
        config: tuple[str, ...] = ("config/studies/minimal.yaml",),
        path: Path | None = None,
        variables: Mapping[str, str] | None = None,
        cores: int = CORES,
    ) -> subprocess.CompletedProcess[str]:
        """What Snakemake says, standard error included; `path` goes on PYTHONPATH, `variables` into the environment."""
        return subprocess.run(
            self.command(*arguments, config=config, cores=cores),
            cwd=self.folder,
            env=environment(path, variables),
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
        )

    def overlay(self, name: str, content: dict[str, Any]) -> tuple[str, ...]:
        """The minimal study with changes on top."""
        (self.folder / "config" / f"{name}.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        return ("config/studies/minimal.yaml", f"config/{name}.yaml")

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")


def _hand_over(root: Path, folder: Path) -> None:
    """What the project has parsed and compiled; kernels lie in folders with a hash of the path of their sources."""
    parsed = Path(".snakemake/code", REMEMBERED)
    if (root / parsed).is_file():
        (folder / parsed).parent.mkdir(parents=True)
        shutil.copy2(root / parsed, folder / parsed)
    models = Path("qmfront/models")
    cache = models / "__pycache__" / f"numba-{fingerprint(root / models)}"
    for package in (models, models / "ace", models / "nrltb"):
        ours, theirs = (
            base / cache / UserProvidedCacheLocator.get_suitable_cache_subpath(str(base / package / "x.py"))
            for base in (root, folder)
        )
        if ours.is_dir():
            shutil.copytree(ours, theirs)


def environment(path: Path | None = None, variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """One thread per process; packages on `path` can be imported by Snakemake and its jobs."""
    found = {**os.environ, **ONE_THREAD, **(variables or {})}
    return found | ({"PYTHONPATH": str(path)} if path else {})
