"""Studies with calculators that are not ours, by configuration alone, from the preflight to the checks."""

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from ase.build import bulk, make_supercell
from ase.io import read, write

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


def test_a_crystal_and_a_supercell_from_files(fresh: Any) -> None:
    """A CIF and a rattled vacancy in a cell along [110], in any image: as given it comes back, and relaxed."""
    rng = np.random.default_rng(0)
    write(fresh.folder / "config/structures/cu.cif", bulk("Cu", cubic=True, a=3.6))
    atoms = make_supercell(bulk("Cu", cubic=True, a=3.6), [[4, 4, 0], [-4, 4, 0], [0, 0, 6]])
    del atoms[100]
    atoms.positions += rng.normal(scale=0.03, size=atoms.positions.shape)
    atoms.positions += rng.integers(-1, 2, atoms.positions.shape) @ atoms.cell.array
    atoms.set_tags(np.arange(len(atoms)))
    own = fresh.folder / "config/structures/vacancy.extxyz"
    write(own, atoms, columns=["symbols", "positions", "tags"])
    study = yaml.safe_load(fresh.text("config/studies/own.yaml"))
    study["materials"]["copper"]["crystal"] = {"structure": "file", "file": "config/structures/cu.cif"}
    study["cases"]["own"] |= {
        "defect": {"kind": "file", "file": "config/structures/vacancy.extxyz"},
        "buffer": {"width": 6.5},
        "adapt": {"max_iterations": 2},
        "reference": {"compute": True, "max_force": 1e-4},
    }
    (fresh.folder / "config/files.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")
    done = fresh.snakemake(config=("config/files.yaml",))
    assert done.returncode == 0, done.stdout
    table = pd.read_csv(io.StringIO(fresh.text("results/own/convergence.csv")))
    assert table["eta"].div(table["error"]).between(0.8, 1.25).all() and table["error"].iloc[-1] < 5e-3
    before, after = read(own), read(fresh.folder / "results/own/relaxed.extxyz")
    moved = after.positions - before.positions
    assert moved == pytest.approx(after.arrays["displacement"], abs=1e-7) and np.abs(moved).max() < 0.3
    assert np.array_equal(after.get_tags(), before.get_tags())
    assert after.cell.array == pytest.approx(before.cell.array) and after.pbc.all()
