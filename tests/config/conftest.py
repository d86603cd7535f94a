"""The configuration files of the project as Snakemake would merge them."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

ROOT = Path(__file__).parents[2]
MAIN = load_configfile(ROOT / "config" / "config.yaml")
OVERLAYS = {name: load_configfile(ROOT / "config" / f"{name}.yaml") for name in ("minimal", "paper")}


def merged_config(name: str = "config") -> dict[str, Any]:
    config = copy.deepcopy(MAIN)
    if name != "config":
        update_config(config, copy.deepcopy(OVERLAYS[name]))
    return config


@pytest.fixture(params=["config", "minimal", "paper"])
def shipped(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each configuration that the project ships."""
    return merged_config(request.param)


@pytest.fixture
def root() -> Path:
    return ROOT


@pytest.fixture
def changed() -> Callable[..., dict[str, Any]]:
    """changed({"case_defaults.refine.mesh": 0.2}): config.yaml with values replaced at dotted paths."""

    def change(values: dict[str, Any]) -> dict[str, Any]:
        config = merged_config()
        for path, value in values.items():
            *parents, last = path.split(".")
            section = config
            for parent in parents:
                section = section[parent]
            section[last] = value
        return config

    return change


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """project(a={...}): a folder whose config/cases holds these case files and nothing else."""

    def make(**cases: str) -> Path:
        folder = tmp_path / "config" / "cases"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in cases.items():
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return make
