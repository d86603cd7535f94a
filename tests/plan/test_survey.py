"""What a file holds is told by its atoms: each kind of defect is made here, and recognised."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.io import write

from qmfront.config.defect import File
from qmfront.plan.survey import Survey, burgers_vector, survey

A0 = 3.165
SLIP = A0 * np.sqrt(3) / 2
RADIUS = 34.0


def surveyed(atoms: Atoms, folder: Path, **keys: object) -> Survey:
    write(folder / "file.extxyz", atoms)
    return survey(folder / "file.extxyz", File(file=str(folder / "file.extxyz"), **keys))


def supercell() -> Atoms:
    return bulk("Cu", cubic=True, a=3.61).repeat(5)


def cylinder() -> Atoms:
    """Tungsten around a line along [111], off any atom; x, y and z are [1, -1, 0], [1, 1, -2] and [1, 1, 1]."""
    axes = np.array([[1, -1, 0], [1, 1, -2], [1, 1, 1]])
    cell = make_supercell(bulk("W", cubic=True, a=A0), axes)
    frame = axes / np.linalg.norm(axes, axis=1)[:, None]
    cell = Atoms(
        cell.symbols, cell.positions @ frame.T, cell=np.diag(np.linalg.norm(axes, axis=1) * A0), pbc=True
    )
    cell = cell[(cell.positions[:, 2] + 0.1) % (2 * SLIP) < SLIP]
    atoms = cell.repeat((22, 13, 1))
    atoms.positions -= atoms.positions.mean(axis=0) + np.array([0.31, 0.17, 0.0])
    atoms = atoms[np.linalg.norm(atoms.positions[:, :2], axis=1) < RADIUS]
    atoms.cell[2] = [0.0, 0.0, SLIP]
    atoms.pbc = (False, False, True)
    return atoms


def polar(atoms: Atoms) -> tuple[np.ndarray, np.ndarray]:
    x, y = atoms.positions[:, :2].T
    return np.hypot(x, y), np.arctan2(y, x)


def test_a_vacancy(tmp_path: Path) -> None:
    atoms = supercell()
    del atoms[123]
    atoms.rattle(0.03, seed=2)
    found = surveyed(atoms, tmp_path)
    assert found.kind == "a vacancy" and not found.problem
    assert found.found is not None and found.found.crystal.structure == "fcc"


def test_two_vacancies_and_an_interstitial(tmp_path: Path) -> None:
    """Beside each other, so that some atoms lack two neighbours; the interstitial is far from both."""
    atoms = supercell()
    apart = atoms.get_distances(0, range(len(atoms)), mic=True)
    neighbour = int(np.flatnonzero(np.abs(apart - 3.61 / np.sqrt(2)) < 1e-6)[0])
    atoms.append("Cu")
    atoms.positions[-1] = atoms.positions[np.argmax(apart)] + [3.61 / 2, 0.0, 0.0]
    del atoms[[0, neighbour]]
    assert surveyed(atoms, tmp_path).kind == "2 vacancies and an interstitial"


def test_a_perfect_crystal_has_no_defect(tmp_path: Path) -> None:
    found = surveyed(supercell(), tmp_path)
    assert found.defect is None and found.problem


@pytest.mark.parametrize("sign", [-1, 1])
def test_a_screw_dislocation_has_its_burgers_vector(sign: int, tmp_path: Path) -> None:
    """The one that its atoms were displaced by, with its sign; without it there is none."""
    atoms = cylinder()
    atoms.positions[:, 2] += sign * SLIP * polar(atoms)[1] / (2 * np.pi)
    found = surveyed(atoms, tmp_path, core=[0.0, 0.0])
    assert found.kind == f"a dislocation with a Burgers vector of {SLIP:.2f} Å", found.problem
    assert found.defect is not None
    slip = burgers_vector(found.defect)
    np.testing.assert_allclose(np.abs(slip), [0.0, 0.0, SLIP], atol=1e-6)


def test_a_column_without_an_atom_is_a_vacancy(tmp_path: Path) -> None:
    atoms = cylinder()
    del atoms[int(polar(atoms)[0].argmin())]
    assert surveyed(atoms, tmp_path).kind == "a vacancy"


def test_a_crack_parts_the_ring(tmp_path: Path) -> None:
    """Opened along the negative x axis as sqrt(r)."""
    atoms = cylinder()
    r, theta = polar(atoms)
    atoms.positions[:, 1] += 0.8 * np.sqrt(r) * np.sin(theta / 2)
    found = surveyed(atoms, tmp_path, core=[0.0, 0.0], lattice_constant=A0)
    assert found.kind == "a crack", found.problem
    assert "defect.kind: crack" in found.problem  # files of cracks are refused, and told how to do it


def test_what_is_not_found_is_told(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    gas = Atoms("Cu64", rng.uniform(0.0, 14.0, (64, 3)), cell=[14.0] * 3, pbc=True)
    found = surveyed(gas, tmp_path)
    assert found.found is None and "crystal" in found.problem
