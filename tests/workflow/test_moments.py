"""Magnetic moments through a whole run: the model is given them in every call, and the user has them back."""

import json
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
import yaml
from ase.build import bulk

from tests.crystal.test_structure_file import cylinder

NOTING = '''
"""The EAM of tungsten for atoms that are called iron; it notes the moments of every call in a file per process."""

import json
import os

from qmfront.models.eam import EAM


class Noting(EAM):
    def __init__(self, folder: str) -> None:
        super().__init__(potential="W_zhou")
        self.folder = folder

    def calculate(self, atoms, *args, **kwargs) -> None:
        with open(f"{self.folder}/{os.getpid()}.jsonl", "a") as stream:
            stream.write(json.dumps(atoms.get_initial_magnetic_moments().tolist()) + "\\n")
        plain = atoms.copy()
        plain.symbols[:] = "W"
        super().calculate(plain, *args, **kwargs)
        self.atoms = atoms.copy()
'''
IRON, FLIPPED = 2.2, -1.5
"""μB; of the crystal, and of the neighbours of the vacancy in the file."""


pytestmark = pytest.mark.slow


@pytest.fixture
def study(fresh: Any, tmp_path: Path) -> tuple[str, ...]:
    """A vacancy in a file, the neighbours of which are turned round."""
    atoms = cylinder(bulk("Fe", cubic=True, a=3.165), free=12.0, rim=10.5)
    atoms.set_initial_magnetic_moments(np.where(atoms.arrays["look"] == 1, FLIPPED, IRON))
    columns = ["symbols", "positions", "move_mask", "initial_magmoms"]
    ase.io.write(fresh.folder / "config/structures/iron.extxyz", atoms, columns=columns)
    (tmp_path / "noting.py").write_text(NOTING, encoding="utf-8")
    (tmp_path / "calls").mkdir()
    content = {
        "trust": ["noting"],
        "materials": {
            "iron": {
                "crystal": {"structure": "bcc", "symbol": "Fe", "lattice_constant_guess": 3.165},
                "qm": {
                    "calculator": "noting.Noting",
                    "kwargs": {"folder": str(tmp_path / "calls")},
                    "cutoff": 5.4,
                    "moments": {"Fe": IRON},
                },
                "force_constants": {"reach": 10.0},
                "stress_samples": {"count": 12},
                "preflight": {"seconds": 2},
            }
        },
        "potentials": {
            "iron": {
                "recipe": "paper",
                "material": "iron",
                "basis": {"cutoff": 5.0, "max_degree": [10, 8]},
                "held_out": {"count": 2},
            }
        },
        "cases": {
            "iron": {
                "material": "iron",
                "potential": "iron",
                "defect": {
                    "kind": "file",
                    "file": "config/structures/iron.extxyz",
                    "axes": np.eye(3, dtype=int).tolist(),
                },
                "start": {"relax": False},
                "initial_region": {"radius_r0": 1.5},
                "buffer": {"width": 5.4},
                "adapt": {"max_iterations": 1},
            }
        },
    }
    (fresh.folder / "config/iron.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return ("config/iron.yaml",)


def test_moments_reach_every_call_and_come_back(fresh: Any, study: tuple[str, ...], tmp_path: Path) -> None:
    done = fresh.snakemake("results/iron/relaxed.extxyz", config=study, path=tmp_path)
    assert done.returncode == 0, done.stdout
    lines = [line for path in (tmp_path / "calls").iterdir() for line in path.read_text().splitlines()]
    calls = [np.array(json.loads(line)) for line in lines]
    assert len(calls) > 50
    assert all(np.isin(call, (IRON, FLIPPED)).all() for call in calls)
    told = [call for call in calls if np.any(call == FLIPPED)]
    given = ase.io.read(fresh.folder / "config/structures/iron.extxyz")
    moments = given.get_initial_magnetic_moments()
    assert len(told) > 2 and {np.sum(call == FLIPPED) for call in told} == {np.sum(moments == FLIPPED)}
    relaxed = ase.io.read(fresh.folder / "results/iron/relaxed.extxyz")
    assert np.array_equal(relaxed.get_initial_magnetic_moments(), moments)
    moved = relaxed.positions - given.positions
    assert 1e-3 < np.linalg.norm(moved, axis=1).max() < 0.5, "it is that structure, relaxed"
