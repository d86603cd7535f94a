"""A case that starts at the minimum of its potential, through the workflow: what the defaults do."""

import io
import json
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import yaml

from qmfront.storage.layouts.start import START
from qmfront.storage.store import load

BEGUN = {
    "material": "tungsten",
    "potential": "minimal",
    "defect": {"kind": "point", "position": [2.0, 2.0, 2.0], "removed": [[0.0, 0.0, 0.0]]},
    "domain": {"kind": "box", "cells": 6},
    "start": {"relax": True},
    "buffer": {"width": 5.4},
    "reference": {"compute": False},
    "adapt": {"max_iterations": 2, "prove": True},
}
"""A vacancy in a box of 431 atoms; crystal and potential are those of the minimal study."""


def test_a_case_starts_at_the_minimum_of_its_potential(finished: Any) -> None:
    """Its first region are the defective sites there; what was chosen is in the logs; the summary has its verdict."""
    (finished.folder / "config/begun.yaml").write_text(yaml.safe_dump({"cases": {"begun": BEGUN}}))
    done = finished.snakemake("results/summary.html", config=("config/begun.yaml",))
    assert done.returncode == 0, done.stdout
    start = load(finished.folder / "results/begun/start.zarr", START)
    region = ase.io.read(finished.folder / "results/begun/start.extxyz").arrays["region"]
    assert start["defective"].any() and np.array_equal(start["defective"], region == "QM")
    table = pd.read_csv(io.StringIO(finished.text("results/begun/convergence.csv")))
    assert table["n_qm"][0] == np.sum(region == "QM")
    assert table["lowest_eigenvalue"].gt(0.0).all() and table["error"].isna().all()
    estimate = json.loads(finished.text("results/begun/1/estimate.json"))
    assert estimate["proof_calls"] > 0
    assert "buffer.width = 5.4 Å, as written" in finished.text("logs/begun/structure.log")
    assert "first QM region: " in finished.text("logs/begun/start.log")
    assert "refine.mesh = 0.4 Å (the default)" in finished.text("logs/begun/0/adapt.log")
    assert "refine.mesh" not in finished.text("logs/begun/1/adapt.log")
    word = "trusted" if table["trusted"].iloc[-1] else "not trusted"
    assert f'<td class="text">{word}' in finished.text("results/summary.html")
