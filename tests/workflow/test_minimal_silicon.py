"""The small silicon study with tight binding, end to end; and that its journal makes an interrupted one cheap.

Three minutes: slow, as the one in a box (test_points_minimal). What they add to the minimal case, tight binding, boxes
and locality, has quick tests of its own.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.slow
CONFIG = ("config/studies/minimal_silicon.yaml",)
CASE = "minimal_silicon"


@pytest.fixture(scope="module")
def silicon(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = Project.copy_of(ROOT, tmp_path_factory.mktemp("silicon") / "project")
    done = project.snakemake(config=CONFIG)
    assert done.returncode == 0, done.stdout
    return project


def qm_calls(project: Project, log: str) -> list[str]:
    return [line for line in project.text(log).splitlines() if "QM call" in line]


def test_figures_and_table_are_there(silicon: Project) -> None:
    figures = yaml.safe_load(silicon.text(CONFIG[0]))["figures"]
    wanted = [name for name, entry in figures.items() if entry]
    assert {"figure_8", "figure_9", "figure_10", "figure_11", "si_locality"} <= set(wanted)
    for name in wanted:
        assert (silicon.folder / "figures" / f"{name}.png").stat().st_size > 5000, name
    table = pd.read_csv(silicon.folder / f"results/{CASE}/convergence.csv")
    assert table["n_qm"].is_monotonic_increasing and len(table) == 2
    assert np.all(np.isfinite(table[["error", "eta", "eta_exact", "eta_buffer"]]))
    assert table["error"].iloc[1] < table["error"].iloc[0]
    ratio = table["eta_exact"] / table["error"]
    assert np.all((ratio > 0.5) & (ratio < 2.0)), ratio


def test_an_interrupted_reference_and_solve_repeat_no_qm_call(silicon: Project) -> None:
    """Their stores are lost; the journal is not."""
    results = silicon.folder / "results" / CASE
    lost = ("reference.zarr", "1/solution.zarr")
    for store in lost:
        shutil.rmtree(results / store)
    before = len(list(Path(silicon.folder, "work", "journal").glob("??/*.npz")))
    done = silicon.snakemake(*(f"results/{CASE}/{store}/zarr.json" for store in lost), config=CONFIG)
    assert done.returncode == 0, done.stdout
    for log in (f"logs/{CASE}/reference.log", f"logs/{CASE}/1/solve.log"):
        calls = qm_calls(silicon, log)
        assert len(calls) > 3 and all("(cached)" in line for line in calls), log
    assert len(list(Path(silicon.folder, "work", "journal").glob("??/*.npz"))) == before
