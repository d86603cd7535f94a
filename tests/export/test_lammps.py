"""Any cell, any elements and any embedded-atom file: LAMMPS finds the forces that we have."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from qmfront.analysis.structure import FinishedIteration
from qmfront.evaluate.model_spec import ModelSpec
from qmfront.export.lammps import LammpsBox, lammps_files
from qmfront.export.lammps_models import NoPairStyle, PairStyle, mm_pair_style, qm_pair_style
from qmfront.models.ace.potential import Repulsion
from qmfront.models.eam import EAM
from qmfront.training.repulsion import repulsive_energy_forces
from tests.export.lammps_run import run
from tests.export.test_yace import POTENTIALS
from tests.models.lammps_oracle import potential_file


def finished(atoms: Atoms) -> FinishedIteration:
    """An iteration of the atoms of a file, with numbers that tell sites and directions apart."""
    rng = np.random.default_rng(1)
    n = len(atoms)
    of_file: Any = SimpleNamespace(is_of_file=True)
    return FinishedIteration(
        atoms, of_file, np.arange(n) % 3, 10.0 ** rng.uniform(-9, 0, n), rng.normal(size=(n, 3)), {"eta": 0.1}
    )


def rattled_alloy(*, left_handed: bool = False) -> Atoms:
    """A skewed, turned cell of aluminium and nickel in an order that is not that of their numbers."""
    rng = np.random.default_rng(5)
    atoms = bulk("Ni", a=3.55, cubic=True).repeat((3, 3, 4))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.1 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += 0.1 * rng.normal(size=atoms.positions.shape)
    atoms.symbols = [("Ni", "Al", "Ni", "Ni", "Al")[k % 5] for k in range(len(atoms))]
    atoms.rotate(37, (1, 2, -1), rotate_cell=True)
    if left_handed:
        atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    return atoms


@pytest.mark.parametrize("left_handed", [False, True])
@pytest.mark.filterwarnings("ignore:The EAM table")
def test_an_alloy_in_a_skewed_cell(tmp_path: Path, left_handed: bool) -> None:
    """Forces turn back, eta and residual are those of the atoms, and LAMMPS's own splines are ours by interpolation."""
    path, found = (
        potential_file("NiAlH_jea.eam.alloy"),
        finished(rattled_alloy(left_handed=left_handed)),
    )
    kwargs = {"potential": str(path), "interpolation": "lammps"}
    model = qm_pair_style(ModelSpec("qmfront.models.eam.EAM", kwargs), ("Al", "Ni"), {})
    assert isinstance(model, PairStyle) and not model.note
    written(tmp_path, lammps_files(found, {"qm": model}, title="alloy"))
    read = run(tmp_path, "qm")
    atoms = found.atoms.copy()
    atoms.calc = EAM(**kwargs)
    turn = LammpsBox.of(*found.box).turn
    assert np.abs(turn - np.diag(np.diag(turn))).max() > 0.1
    np.testing.assert_allclose(read.forces @ turn, atoms.get_forces(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(read.energies, atoms.get_potential_energies(), rtol=0, atol=1e-9)
    assert np.array_equal(read.eta, found.eta)
    np.testing.assert_allclose(read.residual, np.linalg.norm(found.residual, axis=1), rtol=1e-13)
    assert read.groups == {"qm": 48, "buffer": 48, "mm": 48, "clamp": 0}


def written(folder: Path, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content) if isinstance(content, bytes) else path.write_text(content)


def test_lammps_behind_ase_is_lammps_by_itself(tmp_path: Path) -> None:
    """Its commands and its numbering of the elements, with the file beside the script in place of its path."""
    path = potential_file("Si.sw")
    atoms = bulk("Si", cubic=True).repeat(2)
    atoms.positions += 0.1 * np.random.default_rng(2).normal(size=atoms.positions.shape)
    model = qm_pair_style(
        ModelSpec(
            "ase.calculators.lammpslib.LAMMPSlib",
            {"lmpcmds": ["pair_style sw", f"pair_coeff * * {path} Si"], "atom_types": {"Si": 1}},
        ),
        ("Si",),
        {"potential": str(path)},
    )
    assert isinstance(model, PairStyle) and model.commands[1] == "pair_coeff * * Si.sw Si"
    written(tmp_path, lammps_files(finished(atoms), {"qm": model}, title="silicon"))
    forces = run(tmp_path, "qm").forces
    assert np.abs(forces).max() > 0.1 and np.abs(forces.sum(axis=0)).max() < 1e-9


def test_the_repulsion_is_a_pair_style(tmp_path: Path) -> None:
    """By itself, on a cell in which atoms are close."""
    repulsion = Repulsion(strength=1.7, radius=2.6)
    bare = POTENTIALS["one species"]
    potential = replace(bare, repulsion=repulsion)
    alone = replace(model := mm_pair_style(potential, ("W",)), parts=model.parts[1:])
    assert alone.styles == ("lepton",) and model.styles == ("pace", "lepton")
    atoms = bulk("W", a=2.7, cubic=True).repeat(3)
    atoms.positions += 0.1 * np.random.default_rng(2).normal(size=atoms.positions.shape)
    written(tmp_path, lammps_files(finished(atoms), {"mm": alone}, title="close"))
    energy, forces = repulsive_energy_forces(atoms, repulsion)
    read = run(tmp_path, "mm")
    assert np.abs(forces).max() > 0.01
    np.testing.assert_allclose(read.forces, forces, rtol=0, atol=1e-10)
    assert read.energies.sum() == pytest.approx(energy, rel=1e-12)


def test_models_that_lammps_cannot_read_say_why() -> None:
    for spec, reason in (
        (ModelSpec("ase.calculators.emt.EMT"), "ase.calculators.emt.EMT has no pair style"),
        (
            ModelSpec("qmfront.models.eam.EAM", {"potential": "a.eam.alloy", "switch_width": 0.4}),
            "switch_width = 0.4 Å",
        ),
        (ModelSpec("ase.calculators.lammpslib.LAMMPSlib", {"lmpcmds": []}), "atom_types"),
    ):
        model = qm_pair_style(spec, ("W",), {})
        assert isinstance(model, NoPairStyle) and reason in model.reason
    found, none = finished(bulk("W", cubic=True)), NoPairStyle("it has no pair style")
    with pytest.raises(ValueError, match="has no pair style"):
        lammps_files(found, {"qm": none}, title="")
