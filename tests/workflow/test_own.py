"""Studies with calculators that are not ours, by configuration alone, from the preflight to the checks."""

import io
import json
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.slow


def test_lammps(fresh: Any) -> None:
    """A vacancy in Stillinger-Weber silicon: the error falls, the estimate follows it, the plan knows what is done."""
    from tests.models.lammps_oracle import lammps_module

    lammps_module()
    config = ("config/studies/own_lammps.yaml",)
    done = fresh.snakemake(config=config)
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(io.StringIO(fresh.text("results/own_lammps/convergence.csv")))
    assert len(table) > 1
    assert table["error"].iloc[-1] < 0.7 * table["error"].iloc[0]
    assert table["eta_exact"].div(table["error"]).between(0.5, 1.5).all()
    done = fresh.snakemake("plans", config=config)
    assert done.returncode == 0, done.stdout
    plan = json.loads(fresh.text("results/plan/own_lammps.json"))
    assert plan["finished"] == len(table)
    assert plan["scenarios"]["expected"]["hours_left"] == 0


def test_a_file_and_emt(fresh: Any) -> None:
    """The example of the tutorial; the plan made before and the truth."""
    config = ("config/studies/own.yaml",)
    assert fresh.snakemake("plans", config=config).returncode == 0
    plan = json.loads(fresh.text("results/plan/own.json"))
    done = fresh.snakemake(config=config)
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(io.StringIO(fresh.text("results/own/convergence.csv")))
    assert plan["iterations"][0]["n_qm"] == table["n_qm"].iloc[0]
    sites = table["n_qm"] + table["n_buf"]
    assert plan["iterations"][0]["cluster"] == pytest.approx(sites.iloc[0], rel=0.02)
    assert table["eta"].iloc[-1] < 1e-4
