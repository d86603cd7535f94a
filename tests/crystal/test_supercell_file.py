"""Supercells of a file: their sites are those of the crystal whatever the cell, its axes, its strain and its images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, make_supercell
from ase.constraints import FixAtoms
from ase.geometry import find_mic
from ase.io import write
from scipy.spatial.transform import Rotation

from qmfront.config.material import Crystal as Settings
from qmfront.crystal.defect import ADDED, Defect
from qmfront.crystal.lattice import Crystal, crystal_of
from qmfront.crystal.point_defect import PointDefect, point_defect
from qmfront.crystal.solutes import with_solutes
from qmfront.crystal.structure_file import defect_of_file
from qmfront.crystal.structure_marks import StructureFile
from qmfront.crystal.structure_reading import opened

CRYSTALS = {
    "Cu": ("fcc", 3.6),
    "W": ("bcc", 3.16),
    "Mg": ("hcp", 3.2),
    "Si": ("diamond", 5.43),
    "NiAl": ("b2", 2.88),
    "GaN": ("wurtzite", 3.18),
}


def crystal(symbol: str) -> Crystal:
    structure, a0 = CRYSTALS[symbol]
    return crystal_of(Settings(structure=structure, symbol=symbol, lattice_constant_guess=a0))


def read(path: Path, of: Crystal, **told: Any) -> tuple[Defect, np.ndarray | None]:
    return defect_of_file(of, of.lattice_constant, StructureFile(path, **told))


def written(atoms: Atoms, folder: Path, name: str = "own.extxyz", **how: Any) -> Path:
    path = folder / name
    write(path, atoms, **how)
    return path


def copper(repeats: int | tuple[int, int, int] = 3) -> Atoms:
    return bulk("Cu", cubic=True, a=3.6).repeat(repeats)


@pytest.mark.parametrize("symbol", CRYSTALS)
def test_any_supercell_of_any_crystal(symbol: str, tmp_path: Path) -> None:
    """A rattled vacancy in a cell of odd vectors, turned, strained, shuffled, its atoms in any image."""
    rng, perfect = np.random.default_rng(7), crystal(symbol)
    matrix = np.array([[3, 1, 0], [-1, 4, 1], [0, 1, 4]])
    ideal = make_supercell(perfect.to_atoms(), matrix)
    F = Rotation.random(random_state=2).as_matrix() @ (np.eye(3) + 4e-3 * np.diag([1, -0.5, 0.7]))
    ideal.set_cell(ideal.cell.array @ F.T, scale_atoms=True)
    ideal.positions += [1.0, -2.0, 0.3]
    gone = 11
    ideal = ideal[rng.permutation([i for i in range(len(ideal)) if i != gone])]
    rattle = rng.normal(scale=0.06, size=ideal.positions.shape)
    atoms = ideal.copy()
    atoms.positions += rattle + rng.integers(-1, 2, rattle.shape) @ ideal.cell.array
    defect, seeds = read(written(atoms, tmp_path, format="extxyz"), perfect)
    assert seeds is None and defect.dimension == 3 and np.all(defect.basis_index >= 0)
    off, _ = find_mic(defect.sites + defect.origin - ideal.positions, ideal.cell, pbc=True)
    assert off == pytest.approx(np.broadcast_to(off.mean(axis=0), off.shape), abs=1e-6)
    assert np.linalg.norm(off.mean(axis=0)) < 0.03  # the mean of the noise
    assert defect.predictor == pytest.approx(rattle - off, abs=1e-6)
    assert defect.in_file(np.zeros_like(rattle)).positions == pytest.approx(atoms.positions, abs=1e-6)
    labels = defect.stencil.vector @ defect.frame  # in crystal axes
    ends = perfect.basis[defect.basis_index]
    steps = (labels - ends[defect.stencil.second] + ends[defect.stencil.first]) @ np.linalg.inv(perfect.cell)
    assert steps == pytest.approx(np.rint(steps), abs=1e-6)


def test_the_sites_are_those_of_a_point_defect(tmp_path: Path) -> None:
    """Unrelaxed and in cubic axes, a file is the defect that settings describe."""
    atoms = copper(4)
    del atoms[5]
    of_file, _ = read(written(atoms, tmp_path), crystal("Cu"))
    described = point_defect(crystal("Cu"), PointDefect((0.0, 0.0, 0.0), ((0.0, 0.0, 0.0),), (), 4))
    for name in ("cell", "period", "r0", "core", "frame"):
        assert getattr(of_file, name) == pytest.approx(getattr(described, name), abs=1e-6), name
    distance = np.sort(np.linalg.norm(of_file.sites, axis=1))
    assert distance == pytest.approx(np.sort(np.linalg.norm(described.sites, axis=1)), abs=1e-6)
    counts = (np.sort(np.bincount(defect.stencil.first)) for defect in (of_file, described))
    assert np.array_equal(*counts)


def dumbbell() -> Atoms:
    atoms = bulk("W", cubic=True, a=3.16).repeat(4)
    atoms.append("W")
    atoms.positions[-1] = atoms.positions[60] - [0.7, 0.7, 0.0]
    atoms.positions[60] += [0.7, 0.7, 0.0]
    return atoms


def test_a_dumbbell_is_two_atoms_without_a_site(tmp_path: Path) -> None:
    defect, _ = read(written(dumbbell(), tmp_path), crystal("W"))
    assert np.flatnonzero(defect.basis_index == ADDED).tolist() == [60, 128]
    assert np.linalg.norm(defect.sites[[60, 128]], axis=1) == pytest.approx(0.7 * np.sqrt(2), abs=1e-6)
    bonded = np.unique(defect.stencil.first[np.isin(defect.stencil.second, [60, 128])])
    assert len(bonded) > 6 and np.all(np.linalg.norm(defect.sites[bonded], axis=1) < 1.3 * defect.r0)
    length = np.linalg.norm(defect.stencil.vector, axis=1)
    assert length.min() == pytest.approx(1.4 * np.sqrt(2), abs=1e-6)


def test_an_antisite_keeps_its_site(tmp_path: Path) -> None:
    atoms = bulk("NiAl", "cesiumchloride", a=2.88).repeat(5)
    atoms.numbers[0] = 13
    defect, _ = read(written(atoms, tmp_path), crystal("NiAl"))
    assert np.bincount(defect.basis_index).tolist() == [125, 125] and np.sum(defect.numbers == 13) == 126
    assert np.linalg.norm(defect.sites[0]) < 1e-6


def test_solutes_have_a_site_or_none(tmp_path: Path) -> None:
    """Of a file, in silicon with its two sublattices; beside them one of the settings, modulo the cell."""
    silicon = crystal("Si")
    atoms = make_supercell(silicon.to_atoms(), 4 * np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]))
    host = atoms.copy()
    atoms.numbers[[3, 40]] = 32
    between = atoms.positions[3] + 5.43 * np.array([0.5, 0.5, 0.5])
    atoms.append("H")
    atoms.positions[-1] = between
    defect, seeds = read(written(atoms, tmp_path), silicon)
    assert np.flatnonzero(defect.basis_index == ADDED).tolist() == [512] and seeds is not None
    assert defect.numbers.tolist() == atoms.numbers.tolist()
    assert np.linalg.norm(defect.predictor, axis=1).max() < 1e-6
    at = atoms.positions[100] - defect.origin + 0.1 - host.cell.array[1]
    found = with_solutes(defect, [tuple(at)], [32])
    assert np.flatnonzero(found.numbers != defect.numbers).tolist() == [100]


def test_a_boundary_that_has_opened_a_little_is_no_surface(tmp_path: Path) -> None:
    """By 0.4 Å, as boundaries do that relax; nothing is periodic across a gap of 4 Å unless settings say so."""
    atoms = two_grains()
    upper = atoms.positions[:, 1] > atoms.cell[1, 1] / 2 - 1e-3
    for gap, periodic in ((0.4, True), (4.0, False)):
        wider = atoms.copy()
        wider.positions[upper, 1] += gap
        wider.cell[1, 1] += 2 * gap
        assert opened(wider, crystal("Cu"), tmp_path).pbc.tolist() == [True, periodic, True]


def test_two_defects_far_apart_have_seeds_of_their_own(tmp_path: Path) -> None:
    atoms = copper((3, 3, 10))
    del atoms[[0, 180]]
    defect, seeds = read(written(atoms, tmp_path), crystal("Cu"))
    assert seeds is not None and seeds.sum() == 36
    assert np.array_equal(np.bincount(defect.stencil.first) == 17, seeds)


def test_what_comes_back_is_what_was_given(tmp_path: Path) -> None:
    """Order, cell, images, moments, own arrays and entries; through the arrays of a store."""
    atoms = dumbbell()
    atoms.set_initial_magnetic_moments(np.linspace(0, 1, len(atoms)))
    atoms.set_array("look", np.arange(len(atoms)))
    atoms.positions[::3] -= atoms.cell[1]
    atoms.info["temper"] = 0.5
    columns = ["symbols", "positions", "initial_magmoms", "look"]
    defect, _ = read(written(atoms, tmp_path, columns=columns), crystal("W"))
    again = Defect.from_arrays(defect.arrays())
    u = np.random.default_rng(0).normal(size=atoms.positions.shape)
    back = again.in_file(u)
    assert back.positions == pytest.approx(atoms.positions + u, abs=1e-6)
    assert np.array_equal(back.arrays["look"], np.arange(len(atoms))) and back.info["temper"] == 0.5
    assert back.get_initial_magnetic_moments() == pytest.approx(
        atoms.get_initial_magnetic_moments(), abs=1e-6
    )
    assert back.cell.array == pytest.approx(atoms.cell.array) and back.pbc.all()


def test_a_cell_with_another_lattice_constant(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Left out, it stays as it is, with a warning; given, it is scaled to the crystal at rest."""
    atoms = copper()
    del atoms[0]
    atoms.set_cell(atoms.cell * 1.01, scale_atoms=True)
    path = written(atoms, tmp_path)
    defect, _ = read(path, crystal("Cu"))
    assert "strained by +1.00%, +1.00%, +1.00%" in caplog.text and "about 3.636 Å" in caplog.text
    assert defect.cell == pytest.approx(atoms.cell.array) and np.abs(defect.predictor).max() < 1e-6
    assert np.linalg.norm(defect.stencil.vector, axis=1).min() == pytest.approx(3.6 / np.sqrt(2))
    scaled, _ = read(path, crystal("Cu"), lattice_constant=3.636)
    assert scaled.cell == pytest.approx(copper().cell.array)


def test_one_held_atom_takes_away_translations_alone(tmp_path: Path) -> None:
    atoms = copper()
    del atoms[0]
    atoms.set_constraint(FixAtoms([4]))
    defect, _ = read(written(atoms, tmp_path, columns=["symbols", "positions", "move_mask"]), crystal("Cu"))
    assert defect.free.all()


def spoilt(change: Callable[[Atoms], Any]) -> Callable[[], Atoms]:
    def make() -> Atoms:
        atoms = copper((4, 4, 4))
        del atoms[0]
        change(atoms)
        return atoms

    return make


def with_nickel(atoms: Atoms) -> None:
    atoms.numbers[::3] = 28


def two_grains(symbol: str = "Cu", structure: str = "fcc") -> Atoms:
    """A crystal and its mirror image at the plane (310), and so again at half of the cell."""
    lower = make_supercell(bulk(symbol, structure, cubic=True, a=3.6), [[3, 1, 0], [-2, 6, 0], [0, 0, 3]])
    lower.rotate(-np.rad2deg(np.arctan(1 / 3)), "z", rotate_cell=True)
    lower.wrap(eps=1e-6)
    edge, upper = lower.cell[1, 1], lower.copy()
    upper.positions[:, 1] = np.where(lower.positions[:, 1] < 1e-3, edge, 2 * edge - lower.positions[:, 1])
    both = lower + upper
    both.cell[1, 1] = 2 * edge
    return both


def test_two_grains_have_a_lattice_each(tmp_path: Path) -> None:
    """Turned by 36.87 degrees, Sigma 5; no bond of a lattice leads from one to the other; a vacancy is found in one."""
    atoms = two_grains()
    edge = atoms.cell[1, 1] / 2
    gone = int(np.linalg.norm(atoms.positions - [5.7, 1.5 * edge, 5.4], axis=1).argmin())
    place = atoms.positions[gone].copy()
    del atoms[gone]
    defect, seeds = read(written(atoms, tmp_path), crystal("Cu"))
    assert defect.origin == pytest.approx(place, abs=1e-6)
    assert defect.frames is not None and defect.grain is not None
    cosine = (np.trace(defect.frames[0].T @ defect.frames[1] @ np.diag([1.0, 1.0, 1.0])) - 1) / 2
    assert min(abs(np.rad2deg(np.arccos(cosine)) - angle) for angle in (36.87, 53.13)) < 0.01
    added = defect.basis_index == ADDED
    height = atoms.positions[:, 1] / edge
    assert np.abs(height[added] - np.rint(height[added])).max() * edge < 3.0 and added.sum() == 60
    near = (
        np.linalg.norm(find_mic(atoms.positions - place, atoms.cell, pbc=True)[0], axis=1) < 1.5 * defect.r0
    )
    assert seeds is not None and near.sum() == 18 and np.array_equal(seeds, added | near)
    inside = defect.stencil.chosen(~added[defect.stencil.first] & ~added[defect.stencil.second])
    assert np.array_equal(defect.grain[inside.first], defect.grain[inside.second])
    labels = np.einsum("pi,pij->pj", inside.vector, defect.frames[defect.grain[inside.first]])
    assert 2 * labels / 3.6 == pytest.approx(np.rint(2 * labels / 3.6), abs=1e-4)
    assert np.array_equal(height[~added] < 1, defect.grain[~added] == defect.grain[height.argmin()])


@pytest.mark.parametrize(
    ("atoms", "told", "message"),
    [
        (copper, {}, "is the perfect crystal: no site is vacant"),
        (spoilt(with_nickel), {}, "atoms of the file are Ni, which the crystal (Cu) does not have"),
        (spoilt(lambda a: a.set_constraint(FixAtoms([3, 4]))), {}, "holds 2 atoms; all its atoms have to be free"),
        (spoilt(lambda a: a.set_cell(1.05 * a.cell, scale_atoms=True)), {}, "about 3.78 Å, as defect.lattice_constant"),
        (spoilt(lambda a: a.set_cell(a.cell + np.diag([0, 0, 1.0]))), {}, "has no single reference lattice: its"),
        (spoilt(lambda a: a.rotate(20, "z", rotate_cell=True)), {"axes": np.eye(3)}, "turned by 20.0° against"),
        (spoilt(lambda a: a.center(vacuum=6.0, axis=2)), {}, "films and clusters have surfaces"),
        (spoilt(lambda a: a.set_pbc(False)), {}, "periodic along [False, False, False]"),
        (spoilt(lambda a: None), {"core": (1.0, 2.0)}, "three coordinates. Leave it out"),
        (spoilt(lambda a: None), {"clamp": "radius"}, "all its atoms have to be free"),
        (lambda: bulk("Cu", "bcc", cubic=True, a=2.87).repeat(4), {}, "is nowhere in"),
    ],
)  # fmt: skip
def test_what_is_no_supercell_with_a_defect(
    atoms: Callable[[], Atoms], told: dict[str, Any], message: str, tmp_path: Path
) -> None:
    path = written(atoms(), tmp_path, columns=["symbols", "positions", "move_mask"])
    with pytest.raises(ValueError) as caught:
        read(path, crystal("Cu"), **told)
    assert message in str(caught.value)


def test_a_file_that_is_silent_must_say_what_is_periodic(tmp_path: Path) -> None:
    """A screw in a rectangular block of LAMMPS data: one that repeated would have others at its corners."""
    atoms = bulk("W", cubic=True, a=3.16).repeat((12, 12, 1))
    x, y, _ = (atoms.positions - atoms.cell.sum(axis=0) / 2 + [0.4, 0.3, 0.0]).T
    atoms.positions[:, 2] += 3.16 * np.arctan2(y, x) / (2 * np.pi)
    path = written(atoms, tmp_path, "own.data", format="lammps-data")
    with pytest.raises(ValueError, match="does not say what is periodic.*Write defect.pbc"):
        read(path, crystal("W"))
    defect, seeds = read(path, crystal("W"), pbc=(False, False, True), rim=6.0)
    assert defect.dimension == 2 and seeds is not None and 0 < defect.free.sum() < len(atoms)
    assert np.linalg.norm(defect.sites[seeds][:, :2], axis=1).max() < 3.2
    assert np.linalg.norm(defect.origin[:2] - (18.96 - np.array([0.4, 0.3]))) < 2.0


def test_a_dipole_is_its_own_reference(tmp_path: Path) -> None:
    from matscipy.dislocation import BCCScrew111Dislocation, CubicCrystalDislocationQuadrupole

    made = CubicCrystalDislocationQuadrupole(BCCScrew111Dislocation, 3.16, 522.0, 204.0, 161.0, symbol="W")
    atoms = made.build_quadrupole(glide_separation=6, verbose=False)[1]
    atoms.set_constraint()
    defect, seeds = read(written(atoms, tmp_path, columns=["symbols", "positions"]), crystal("W"))
    assert np.all(defect.predictor == 0) and seeds is not None and 0 < seeds.sum() < len(atoms) / 3
    assert np.all(np.isinf(defect.period)) and defect.dimension == 3
