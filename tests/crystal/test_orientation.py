"""Axes of a crystal in a file, found from neighbours; and files of LAMMPS, atomman and matscipy as they are."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write
from scipy.spatial.transform import Rotation

from qmfront.config.material import Crystal as Settings
from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal, crystal_of, cubic_crystal
from qmfront.crystal.orientation import exact_frame, grains_of
from qmfront.crystal.structure_file import defect_of_file
from qmfront.crystal.structure_marks import StructureFile
from qmfront.crystal.structure_reading import read_structure

A0 = 3.16


def tungsten() -> Crystal:
    return cubic_crystal("W", "bcc", A0)


def read(path: Path, **told: Any) -> tuple[Defect, np.ndarray | None]:
    return defect_of_file(tungsten(), A0, StructureFile(path, **{"rim": 6.0, **told}))


@pytest.mark.parametrize(
    ("structure", "symbol"),
    [("fcc", "Cu"), ("hcp", "Mg"), ("zincblende", "SiC"), ("l1_2", "NiAl"), ("sc", "Po")],
)
def test_rotation_and_scale_of_a_rattled_crystal(structure: str, symbol: str) -> None:
    """Up to a symmetry of the crystal; 2 % too large, with noise of 2 % of r0."""
    crystal = crystal_of(Settings(structure=structure, symbol=symbol, lattice_constant_guess=4.0))  # type: ignore[arg-type]
    R, atoms = Rotation.random(random_state=1).as_matrix(), crystal.to_atoms().repeat(4)
    atoms.set_cell(1.02 * atoms.cell.array @ R.T, scale_atoms=True)
    noise = 0.02 * crystal.nearest_neighbour_distance
    atoms.positions += np.random.default_rng(0).normal(scale=noise, size=atoms.positions.shape)
    (grain,) = grains_of(atoms, crystal)
    assert grain.share == 1.0 and grain.scale == pytest.approx(1.02, abs=2e-3)
    same = [np.abs(R @ S - grain.frame).max() for S in crystal.point_group() if np.linalg.det(S) > 0]
    assert min(same) < 3e-3


def test_axes_with_small_indices_become_exact() -> None:
    """1/2<111> as the line, with the noise of a file; the frame is the one of matscipy up to a symmetry."""
    crystal = tungsten()
    wanted = np.array([[1, 1, -2], [-1, 1, 0], [1, 1, 1]]) / np.sqrt([6, 2, 3])[:, None]
    atoms = crystal.to_atoms().repeat(5)
    atoms.set_cell(atoms.cell.array @ wanted.T, scale_atoms=True)
    atoms.positions += np.random.default_rng(0).normal(scale=0.02, size=atoms.positions.shape)
    frame = exact_frame(grains_of(atoms, crystal)[0], crystal)
    assert min(np.abs(wanted @ S - frame).max() for S in crystal.point_group()) < 1e-12


def screw(turn: int = 0) -> Atoms:
    """A screw along [001], atoms fixed beyond 14 Å; axes exchanged `turn` times."""
    atoms = bulk("W", cubic=True, a=A0).repeat((14, 14, 1))
    x, y, _ = (atoms.positions - atoms.cell.sum(axis=0) / 2 + [0.4, 0.3, 0.0]).T
    atoms.positions[:, 2] += A0 * np.arctan2(y, x) / (2 * np.pi)
    atoms = atoms[np.hypot(x, y) < 21.0]
    atoms.pbc = (False, False, True)
    atoms.arrays["kind"] = 1 + (np.hypot(x, y)[np.hypot(x, y) < 21.0] > 14.0)
    atoms.set_momenta(np.random.default_rng(1).normal(size=atoms.positions.shape))
    order = np.roll(np.arange(3), turn)
    atoms.positions, atoms.arrays["momenta"] = atoms.positions[:, order], atoms.arrays["momenta"][:, order]
    atoms.cell, atoms.pbc = atoms.cell.array[order][:, order], atoms.pbc[order]
    return atoms


@pytest.mark.parametrize("turn", [1, 2])
def test_a_line_along_another_axis_is_the_same_defect(turn: int, tmp_path: Path) -> None:
    """Atomman's lines are along x; what comes back lies as it was given, momenta too."""
    for number in (0, turn):
        write(tmp_path / f"{number}.extxyz", screw(number))
    told = {"clamp": "kind=2"}
    (along_z, seeds), (other, same) = (read(tmp_path / f"{n}.extxyz", **told) for n in (0, turn))
    assert np.array_equal(seeds, same) and np.array_equal(along_z.free, other.free)
    for name in ("sites", "cell", "frame"):
        assert getattr(other, name) == pytest.approx(getattr(along_z, name), abs=1e-7), name
    assert other.body.atoms(np.zeros_like(other.sites)).get_momenta() == pytest.approx(
        screw().get_momenta(), abs=1e-7
    )
    back = Defect.from_arrays(other.arrays()).in_file(np.ones_like(other.sites) * [1, 2, 3])
    wanted = screw(turn)
    moved = np.roll([1, 2, 3], turn)
    assert back.positions == pytest.approx(wanted.positions + moved, abs=1e-6)
    assert back.get_momenta() == pytest.approx(wanted.get_momenta(), abs=1e-7)
    assert back.cell.array == pytest.approx(wanted.cell.array) and np.array_equal(back.pbc, wanted.pbc)


def test_a_cylinder_of_matscipy_as_it_is(tmp_path: Path) -> None:
    """Its box is periodic in all directions, its cylinders nearly touch; axes, core and more of the rim are found."""
    from matscipy.dislocation import BCCEdge111Dislocation

    made = BCCEdge111Dislocation(A0, 522.0, 204.0, 161.0, symbol="W")
    _, atoms = made.build_cylinder(34.0, method="adsl", verbose=False)
    path = tmp_path / "own.xyz"
    write(path, atoms, format="extxyz")
    defect, _ = read(path, rim=11.0)
    assert atoms.pbc.all() and defect.pbc.tolist() == [False, False, True]
    held = atoms.arrays["fix_mask"]
    assert not np.any(defect.free & held) and 0.9 * np.sum(~held) < defect.free.sum() < np.sum(~held)
    assert np.linalg.norm(defect.origin[:2] - atoms.info["core_positions"][0][:2]) < 2.0
    assert min(np.abs(made.axes / np.linalg.norm(made.axes, axis=1)[:, None] @ S - defect.frame).max()
               for S in tungsten().point_group()) < 1e-9  # fmt: skip
    back = defect.in_file(np.zeros_like(defect.sites))
    assert back.cell.array == pytest.approx(atoms.cell.array) and "core_positions" in back.info


DUMP = """ITEM: TIMESTEP
{step}
ITEM: NUMBER OF ATOMS
4
ITEM: BOX BOUNDS xy xz yz pp ff ff
0.0 5.0 1.0
1.0 5.0 0.0
-2.0 2.0 0.0
ITEM: ATOMS id type {columns} q vx vy vz c_stress[1]
7 1 {one} 0.3 0 0 0 -3
3 2 {two} -0.3 1 0 0 -3
5 1 {two} -0.3 1 0 0 -3
4 1 {one} -0.3 1 0 0 -3
"""


@pytest.mark.parametrize(
    ("columns", "one", "two"),
    [("xs ys zs", "0.5 0.5 0.5", "0 0.25 0"), ("x y z ix iy iz", "2.5 3 0 1 0 0", "0.25 2 -2 0 0 0")],
)
def test_dumps_of_lammps(columns: str, one: str, two: str, tmp_path: Path) -> None:
    """Scaled or not they are where LAMMPS has them, in the order of the lines, of any step."""
    told = {"columns": columns, "one": one, "two": two}
    (tmp_path / "own.dump").write_text(
        DUMP.format(step=0, **told) + DUMP.format(step=10, **told), encoding="utf-8"
    )
    atoms = read_structure(tmp_path / "own.dump", file_format=None, pbc=None, types=("Cu", "Al"), frame=1)
    assert atoms.get_chemical_symbols() == ["Cu", "Al", "Cu", "Cu"] and atoms.info["timestep"] == 10
    assert atoms.positions[:2] == pytest.approx(np.array([[2.5, 3.0, 0.0], [0.25, 2.0, -2.0]]))
    assert atoms.arrays["id"].tolist() == [7, 3, 5, 4] and atoms.pbc.tolist() == [True, False, False]
    assert (
        atoms.get_initial_charges() == pytest.approx([0.3, -0.3, -0.3, -0.3]) and "c_stress_1" in atoms.arrays
    )
    first = read_structure(tmp_path / "own.dump", file_format="lammps-dump-text", pbc=None, frame=0)
    assert first.info["timestep"] == 0 and not first.numbers.any()
    with pytest.raises(ValueError, match="has no configuration 2, counted from 0"):
        read_structure(tmp_path / "own.dump", file_format=None, pbc=None, frame=2)
    with pytest.raises(ValueError, match="atoms of type 2, and defect.types names 1 elements"):
        read_structure(tmp_path / "own.dump", file_format=None, pbc=None, types=("Cu",))


def test_data_of_lammps_come_back_in_their_order(tmp_path: Path) -> None:
    atoms = bulk("W", cubic=True, a=A0).repeat(4)
    del atoms[17]
    atoms.set_initial_charges(np.linspace(-1, 1, len(atoms)))
    path = tmp_path / "own.lmp"
    write(path, atoms, format="lammps-data", atom_style="charge", masses=True)
    head, _, rows = path.read_text(encoding="utf-8").partition("Atoms # charge\n\n")
    path.write_text(
        head + "Atoms # charge\n\n" + "\n".join(rows.strip().splitlines()[::-1]) + "\n", encoding="utf-8"
    )
    defect, _ = read(path)
    back = defect.in_file(np.zeros_like(defect.sites))
    assert back.positions == pytest.approx(atoms.positions[::-1], abs=1e-6)
    assert back.get_initial_charges() == pytest.approx(atoms.get_initial_charges()[::-1], abs=1e-6)
    assert back.arrays["id"].tolist() == list(range(len(atoms), 0, -1))
    assert (
        "id" not in defect.body.atoms(np.zeros_like(defect.sites)).arrays
    )  # a name of LAMMPS is nothing to a model
