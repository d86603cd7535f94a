"""Studies of the project as Snakemake would read them."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.common.configfile import load_configfile

ROOT = Path(__file__).parents[2]
STUDIES = {
    path.stem: path
    for path in (ROOT / "config/config.yaml", *sorted((ROOT / "config/studies").glob("*.yaml")))
}
"""File by name; the default study is called config."""


EDGE = yaml.safe_load((ROOT / "config/cases/edge_T4.yaml").read_text(encoding="utf-8"))
"""Keys of a complete case."""


def study_as_written(name: str) -> dict[str, Any]:
    """A study; its cases by name, none of them changed."""
    return load_configfile(str(STUDIES[name]))


@pytest.fixture(params=["config", "minimal", "paper", "gallery"])
def shipped(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Studies of tungsten that the project ships."""
    return study_as_written(request.param)


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def changed() -> Callable[..., dict[str, Any]]:
    """changed({"case_defaults.refine.mesh": 0.2}): the gallery with values replaced at dotted paths."""

    def change(values: dict[str, Any]) -> dict[str, Any]:
        config = study_as_written("gallery")
        config["cases"] = {name: {} for name in config["cases"]}
        for path, value in values.items():
            *parents, last = path.split(".")
            section = config
            for parent in parents:
                section = section.setdefault(parent, {})
            section[last] = value
        return config

    return change


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """project(a={...}): a folder with the materials and potentials of the project, and these cases alone."""

    def make(**cases: str) -> Path:
        folder = tmp_path / "config" / "cases"
        for kind in ("materials", "potentials"):
            shutil.copytree(ROOT / "config" / kind, tmp_path / "config" / kind, dirs_exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in cases.items():
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return make
