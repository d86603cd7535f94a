"""The di-interstitial in a box of 66 atoms with tight binding, end to end, and its forces from tiles."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from qmfront.storage import store
from qmfront.storage.layouts.residual import RESIDUAL
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.slow
CONFIG = ("config/studies/points_minimal.yaml",)
CASE = "results/di_66"


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.copy_of(ROOT, tmp_path_factory.mktemp("points") / "project")
    done = project.snakemake(config=CONFIG)
    assert done.returncode == 0, done.stdout
    return project


def test_figures_and_table_are_there(points: Project) -> None:
    figures = yaml.safe_load(points.text(CONFIG[0]))["figures"]
    wanted = [name for name, entry in figures.items() if entry]
    assert {"figure_12", "figure_13", "figure_14", "figure_15", "divided"} <= set(wanted)
    for name in wanted:
        assert (points.folder / "figures" / f"{name}.png").stat().st_size > 5000, name
    assert points.text(f"{CASE}/relaxed.extxyz").splitlines()[0] == "66"


def test_the_error_falls_and_is_estimated(points: Project) -> None:
    table = pd.read_csv(points.folder / CASE / "convergence.csv")
    assert table["n_qm"].is_monotonic_increasing and len(table) >= 2
    assert table["error"].iloc[-1] < table["error"].iloc[0]
    ratio = table["eta_exact"] / table["error"]
    assert np.all((ratio > 0.5) & (ratio < 2.0)), ratio


def test_forces_from_tiles_are_those_of_one_call(points: Project) -> None:
    """The box around every tile is the whole domain here: nothing but the bookkeeping is left to differ."""
    found = json.loads(points.text(f"{CASE}/0/divided.json"))
    assert found["n_atoms"] == 66 and found["boxes"] == 8 and found["jobs"] == 2
    assert found["largest_error"] < 1e-8
    exact = store.load(Path(points.folder, CASE, "0", "residual.zarr"), RESIDUAL)["exact"]
    assert np.abs(exact).max() > 1e-2
