"""What is exported of the finished minimal study, read by the programs that it is for."""

import json
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest

from qmfront.analysis.structure import FinishedIteration, finished_iteration
from qmfront.command.main import main
from qmfront.models.ace.calculator import ACE
from qmfront.models.eam import EAM
from tests.export.lammps_run import has_pair_style, run

STUDY = ("--study", "config/studies/minimal.yaml")


def last(finished: Any, case: str = "minimal", k: int = 2) -> FinishedIteration:
    return finished_iteration(finished.folder / "results" / case, k)


def exported(finished: Any, *words: str) -> Path:
    assert main(["-C", str(finished.folder), "export", *words, *STUDY]) == 0
    return finished.folder / "export"


def test_extended_xyz_has_region_eta_residual_and_trust(finished: Any) -> None:
    """Those of the workflow are the same."""
    atoms, found = ase.io.read(exported(finished, "minimal") / "minimal.extxyz"), last(finished)
    assert np.array_equal(atoms.arrays["region_id"], found.region) and len(set(found.region)) == 4
    assert np.array_equal(atoms.arrays["eta"], found.eta)
    assert np.array_equal(atoms.arrays["residual"], found.residual)
    numbers = json.loads(finished.text("results/minimal/2/estimate.json"))
    assert found.eta.sum() == pytest.approx(numbers["eta"])
    told = {name: atoms.info[name] for name in ("eta", "trusted", "reasons")}
    assert told["trusted"] == numbers["trusted"] and told["eta"] == pytest.approx(numbers["eta"])
    relaxed = ase.io.read(finished.folder / "results/minimal/relaxed.extxyz")
    assert relaxed.info.keys() == atoms.info.keys() and "error" in atoms.info
    assert all(np.all(relaxed.info[name] == value) for name, value in atoms.info.items())
    assert np.array_equal(relaxed.positions, atoms.positions)


def test_lammps_has_our_groups_estimates_and_qm_forces(finished: Any) -> None:
    folder, found = exported(finished, "lammps", "minimal") / "minimal.lammps", last(finished)
    read = run(folder, "qm")
    assert list(read.groups.values()) == np.bincount(found.region, minlength=4).tolist()
    assert list(read.groups) == ["qm", "buffer", "mm", "clamp"] and min(read.groups.values()) > 0
    assert np.array_equal(read.eta, found.eta) and found.eta.max() > 0
    np.testing.assert_allclose(read.residual, np.linalg.norm(found.residual, axis=1), rtol=1e-14)
    compare(read.forces, found, EAM("W_zhou"))
    dumped = ase.io.read(folder / "forces.dump", format="lammps-dump-text")
    np.testing.assert_array_equal(dumped.positions, found.atoms.positions)


def test_lammps_has_the_forces_of_the_potential(finished: Any) -> None:
    """Where it has pair_style pace (a plugin of it counts: LAMMPS_PLUGIN_PATH)."""
    if not has_pair_style("pace"):
        pytest.skip("this LAMMPS has no pair_style pace")
    for case in ("minimal", "minimal_crack"):
        folder = exported(finished, "lammps", case) / f"{case}.lammps"
        found = last(finished, case, max(map(int, _iterations(finished, case))))
        name = {"minimal": "minimal", "minimal_crack": "minimal_surface"}[case]
        potential = ACE.load(finished.folder / f"results/potentials/{name}/potential.json")
        compare(run(folder, "mm").forces, found, potential)


def _iterations(finished: Any, case: str) -> list[str]:
    return [path.parent.name for path in (finished.folder / "results" / case).glob("[0-9]*/estimate.zarr")]


def compare(forces: np.ndarray, found: FinishedIteration, calc: Any) -> None:
    """On all atoms that are not clamped; those have none."""
    atoms, free = found.atoms.copy(), found.region < 3
    atoms.calc = calc
    ours = atoms.get_forces()
    assert np.abs(ours[free]).max() > 1e-4
    np.testing.assert_allclose(forces[free], ours[free], rtol=0, atol=1e-8)
    assert not forces[~free].any() and not free.all()


def test_what_cannot_be_exported(finished: Any, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["-C", str(finished.folder), "export"]
    assert main([*where, "lammps", "nowhere", *STUDY]) == 1
    assert "no iteration of nowhere is solved" in capsys.readouterr().err
    assert main([*where, "lammps", "minimal", "-k", "7", *STUDY]) == 1
    assert "iteration 7 is not solved. Choose one of 0, 1, 2" in capsys.readouterr().err
    assert main([*where, "lammps", "minimal"]) == 3
    assert "there is no study study.yaml" in capsys.readouterr().err
    assert main([*where, "xyz", "minimal", "-k", "0", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["kind"] == "xyz" and said["refused"] == {} and Path(said["files"]["minimal"][0]).is_file()
