"""A user's file: sites, neighbours, clamp and seeds by array and by rule, and every way in which it does not fit."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.constraints import FixAtoms, FixCartesian, FixedPlane
from ase.io import write

from qmfront.crystal.defect import Defect
from qmfront.crystal.lattice import Crystal, cubic_crystal
from qmfront.crystal.structure_file import defect_of_file
from qmfront.crystal.structure_marks import StructureFile

A0 = 3.6
CHOSEN: dict[str, Any] = {
    "axes": np.eye(3, dtype=int),
    "lattice_constant": None,
    "lattice": None,
    "clamp": "fix_atoms",
    "seed": None,
    "core": None,
    "radius_r0": 4.0,
    "rim": 6.0,
}
Write = Callable[..., Path]


def cylinder(cell: Atoms, *, free: float, rim: float, periods: int = 3, remove: bool = True) -> Atoms:
    """A cylinder about an atom of a cubic cell, that atom removed, atoms beyond `free` fixed; marked by arrays too."""
    turns = int(np.ceil(2 * (free + rim) / cell.cell[0, 0])) + 2
    atoms = cell.repeat((turns, turns, periods))
    middle = np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1).argmin()
    centre = atoms.positions[middle].copy()
    distance = np.linalg.norm((atoms.positions - centre)[:, :2], axis=1)
    keep = distance < free + rim
    keep[middle] = not remove
    atoms, distance = atoms[keep], distance[keep]
    atoms.pbc = (False, False, True)
    atoms.set_constraint(FixAtoms(mask=distance > free))
    atoms.arrays["held"] = (distance > free).astype(int)
    atoms.arrays["look"] = (distance < 3.0).astype(int)
    atoms.arrays["site"] = atoms.positions.copy()
    atoms.info["centre"] = centre
    return atoms


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def make(atoms: Atoms) -> Path:
        path = tmp_path / "own.extxyz"
        names = [name for name in ("held", "look", "site") if name in atoms.arrays]
        write(path, atoms, columns=["symbols", "positions", "move_mask", *names])
        return path

    return make


def copper() -> Crystal:
    return cubic_crystal("Cu", "fcc", A0)


def vacancy() -> Atoms:
    return cylinder(bulk("Cu", cubic=True, a=A0), free=11.0, rim=8.0)


def read(path: Path, crystal: Crystal | None = None, **changes: Any) -> tuple[Defect, np.ndarray]:
    return defect_of_file(
        copper() if crystal is None else crystal, A0, StructureFile(path, **{**CHOSEN, **changes})
    )


def test_a_vacancy_by_rules(written: Write) -> None:
    """The seeds are the twelve nearest and six second neighbours of the atom that is missing, and so is the core."""
    atoms = vacancy()
    defect, seeds = read(written(atoms))
    assert np.array_equal(~defect.free, atoms.arrays["held"] == 1)
    assert seeds.sum() == 18
    assert defect.core.tolist() == [0, 0, 0]
    assert np.abs(defect.sites[:, :2] + atoms.info["centre"][:2] - atoms.positions[:, :2]).max() < 1e-6
    assert np.all(defect.predictor == 0)
    count = np.bincount(defect.stencil.first)
    assert np.all(count[defect.free & ~seeds] == 18) and np.all(count[seeds] == 17)
    assert defect.r0 == pytest.approx(A0 / np.sqrt(2))


def test_clamp_and_seeds_by_array(written: Write) -> None:
    atoms = vacancy()
    defect, seeds = read(written(atoms), clamp="held", seed="look")
    assert np.array_equal(defect.free, atoms.arrays["held"] == 0)
    assert np.array_equal(seeds, atoms.arrays["look"] == 1)
    middle = atoms.positions[atoms.arrays["look"] == 1, :2].mean(axis=0)
    assert defect.sites[:, :2] + middle == pytest.approx(atoms.positions[:, :2], abs=1e-6)


def test_clamp_by_radius_about_a_given_core(written: Write) -> None:
    atoms = vacancy()
    defect, seeds = read(written(atoms), clamp="radius", core=tuple(atoms.info["centre"][:2]))
    distance = np.linalg.norm(defect.sites[:, :2], axis=1)
    assert np.array_equal(defect.free, distance < 4.0 * defect.r0)
    assert seeds.sum() == 2 and distance[seeds] == pytest.approx(0, abs=1e-6)  # the rest of the column


def test_a_file_with_another_lattice_constant_is_scaled(written: Write) -> None:
    small = vacancy()
    small.set_cell(small.cell * 3.5 / A0, scale_atoms=True)
    small.arrays["site"] *= 3.5 / A0
    defect, _ = read(written(small), lattice_constant=3.5, lattice="site")
    wanted, _ = read(written(vacancy()))
    assert defect.sites == pytest.approx(wanted.sites, abs=1e-6)
    assert np.abs(defect.predictor).max() < 1e-6
    assert defect.cell[2, 2] == pytest.approx(3 * A0)


def test_sites_of_the_lattice_by_array(written: Write) -> None:
    """Displaced atoms: where they belong stands in the file, and the difference is the predictor."""
    atoms = vacancy()
    shift = np.random.default_rng(0).normal(scale=0.05, size=atoms.positions.shape)
    atoms.positions += shift * (atoms.arrays["held"] == 0)[:, None]
    defect, _ = read(written(atoms), lattice="site")
    assert defect.predictor == pytest.approx(shift * defect.free[:, None], abs=1e-6)
    assert np.abs(defect.stencil.vector).max() == pytest.approx(A0)


def test_other_axes(written: Write) -> None:
    """The same crystal with x along [110]: labels are vectors of the crystal in the axes of the file."""
    cell = bulk("Cu", "fcc", a=A0, orthorhombic=True)  # [1-10]/2, [110]/2, [001]
    axes = np.array([[1, -1, 0], [1, 1, 0], [0, 0, 1]])
    defect, seeds = read(written(cylinder(cell, free=11.0, rim=8.0)), axes=axes)
    assert seeds.sum() == 18
    back = defect.stencil.vector @ defect.frame
    assert np.abs(2 * back / A0 - np.rint(2 * back / A0)).max() < 1e-9


@pytest.mark.parametrize(
    ("formula", "structure"),
    [("AlPd", "cesiumchloride"), ("NaCl", "rocksalt"), ("GaAs", "zincblende"), ("Si", "diamond")],
)
def test_sublattices(formula: str, structure: str, written: Write) -> None:
    """By species, and for diamond by the neighbours: an atom and its image under the crystal are one sublattice."""
    names = {"cesiumchloride": "b2"}
    crystal = cubic_crystal(formula, names.get(structure, structure), 5.0)  # type: ignore[arg-type]
    cell = bulk(formula, structure, a=5.0, cubic=True)
    atoms = cylinder(cell, free=12.0, rim=9.0, periods=1, remove=False)
    rattle = np.random.default_rng(1).normal(scale=0.1, size=atoms.positions.shape)
    atoms.positions += rattle * (atoms.arrays["held"] == 0)[:, None]
    chosen = StructureFile(written(atoms), **{**CHOSEN, "seed": "look", "lattice": "site"})
    defect, _ = defect_of_file(crystal, 5.0, chosen)
    assert np.array_equal(crystal.numbers[defect.basis_index], atoms.numbers)
    offset = defect.sites - crystal.basis[defect.basis_index]
    coordinates = (offset - offset[0]) @ np.linalg.inv(crystal.cell)
    assert np.abs(coordinates - np.rint(coordinates)).max() < 1e-5


def spoilt(**changes: Any) -> Atoms:
    atoms = vacancy()
    for name, value in changes.items():
        setattr(atoms, name, value)
    return atoms


def turned(angle: float) -> Atoms:
    """The whole file about z, degrees."""
    atoms = vacancy()
    atoms.rotate(angle, "z")
    return atoms


def not_finite() -> Atoms:
    atoms = vacancy()
    atoms.positions[7, 1] = np.nan
    return atoms


def doubled(period: bool) -> Atoms:
    """An atom written twice; or every atom of z = 0 once more at z = h."""
    atoms = vacancy()
    again = atoms[np.abs(atoms.positions[:, 2]) < 1e-6] if period else atoms[7:8]
    again.positions[:, 2] += atoms.cell[2, 2] * period
    return atoms + again


def no_period() -> Atoms:
    atoms = vacancy()
    atoms.set_cell(np.zeros((3, 3)))
    return atoms


def sliding(mask: tuple[bool, bool, bool]) -> Atoms:
    """The rim is held by FixCartesian."""
    return spoilt(constraints=[FixCartesian(np.flatnonzero(vacancy().arrays["held"]), mask)])


@pytest.mark.parametrize(
    ("atoms", "changes", "message"),
    [
        (not_finite, {}, "1 atoms of"),
        (not_finite, {}, "have a position that is no finite number, the first is atom 7"),
        (lambda: doubled(period=False), {}, "2 atoms of"),
        (lambda: doubled(period=False), {}, "lie on a site with another atom: atoms 7 and"),
        (
            lambda: doubled(period=True),
            {},
            "One is the periodic image of the other, since the period is 10.8000 Å",
        ),
        (no_period, {}, "has no period along z: its cell vector there is zero"),
        (lambda: turned(1.0), {}, "turned by 1.00° (+1.00° of it about z) against defect.axes"),
        (lambda: turned(45.0), {}, "Write defect.axes: [[1, 1, 0], [-1, 1, 0], [0, 0, 1]]"),
        (lambda: turned(10.0), {}, "turned by 10.0° about z against defect.axes. Leave defect.axes out"),
        (
            vacancy,
            {"axes": np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]])},
            "Write defect.axes: [[0, 1, 0], [-1, 0, 0], [0, 0, 1]]",
        ),
        (
            lambda: sliding((True, True, False)),
            {},
            "by FixCartesian along x and y alone. An atom is clamped wholly",
        ),
        (vacancy, {"clamp": "site"}, "'site' of"),
        (vacancy, {"lattice": "held"}, "does not hold three finite numbers per atom"),
        (lambda: spoilt(pbc=False), {}, "A straight defect is periodic along its line alone"),
        (
            vacancy,
            {"axes": np.array([[0, 0, 1], [1, -1, 0], [1, 1, 0]])},
            "Leave defect.axes out, so that they are found",
        ),
        (
            vacancy,
            {"axes": np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])},
            "not perpendicular and right-handed",
        ),
        (vacancy, {"lattice_constant": 3.5}, "Correct defect.axes, or say the lattice constant"),
        (vacancy, {"clamp": "heldd"}, "has no array 'heldd' (there is: held, look, "),
        (vacancy, {"clamp": "look=7"}, "has look = 7; there is 0, 1. Correct the value"),
        (
            vacancy,
            {"rim": 10.5, "clamp": "held"},
            "free atoms are within 10.5 Å (what potential and QM model reach) of sites",
        ),
        (
            vacancy,
            {"rim": 30.0},
            "are within 30 Å (what potential and QM model reach) of sites that it ends before",
        ),
        (
            lambda: spoilt(symbols="Ni" * len(vacancy())),
            {},
            "atoms of the file are Ni, which the crystal (Cu)",
        ),
        (
            lambda: cylinder(bulk("Cu", cubic=True, a=A0), free=11.0, rim=8.0, remove=False),
            {},
            "is a seed of the QM region: all free atoms have the neighbours of the perfect crystal",
        ),
    ],
)
def test_files_that_do_not_fit(
    atoms: Callable[[], Atoms], changes: dict[str, Any], message: str, written: Write
) -> None:
    with pytest.raises(ValueError) as caught:
        read(written(atoms()), **changes)
    assert message in str(caught.value)


def test_other_axes_that_a_message_proposes_are_right(written: Write) -> None:
    defect, seeds = read(written(turned(45.0)), axes=np.array([[1, 1, 0], [-1, 1, 0], [0, 0, 1]]))
    assert seeds.sum() == 18 and defect.n_sites == len(vacancy())


def test_a_rim_held_in_all_three_directions(written: Write) -> None:
    """FixCartesian along x, y and z is FixAtoms."""
    defect, _ = read(written(sliding((True, True, True))))
    assert np.array_equal(defect.free, vacancy().arrays["held"] == 0)


def test_a_constraint_of_another_kind(tmp_path: Path) -> None:
    path = tmp_path / "own.traj"
    write(path, spoilt(constraints=[FixedPlane([3, 4], (0, 0, 1))]))
    with pytest.raises(ValueError, match="holds 2 atoms by FixedPlane. An atom is clamped wholly or free"):
        read(path)


def test_a_box_with_vacuum_is_not_periodic_across_it(written: Write) -> None:
    """Whatever the file says: nothing repeats there."""
    defect, seeds = read(written(spoilt(pbc=(True, False, True))))
    other, same = read(written(vacancy()))
    assert np.array_equal(seeds, same) and np.array_equal(defect.free, other.free)
    assert defect.pbc.tolist() == [False, False, True]


def test_a_period_downwards_is_the_same_lattice(written: Write) -> None:
    atoms = vacancy()
    atoms.cell[2] *= -1
    defect, seeds = read(written(atoms))
    other, same = read(written(vacancy()))
    assert np.array_equal(seeds, same) and np.array_equal(defect.sites, other.sites)
    assert defect.cell[2, 2] > 0 and len(defect.stencil) == len(other.stencil)


@pytest.mark.parametrize(("name", "ase_format"), [("POSCAR", "vasp"), ("own.data", "lammps-data")])
def test_a_box_that_is_not_filled(name: str, ase_format: str, tmp_path: Path) -> None:
    """POSCAR holds the rim by selective dynamics; LAMMPS data has the species by mass."""
    atoms = vacancy()
    lengths = [60.0, 60.0, atoms.cell[2, 2]]  # LAMMPS boxes start at the origin in ASE's writer
    atoms.positions[:, :2] += 30.0 - atoms.info["centre"][:2]
    atoms.set_cell(lengths)
    path = tmp_path / name
    extra = {"masses": True} if ase_format == "lammps-data" else {}
    write(path, atoms, format=ase_format, **extra)
    fixed = "radius" if ase_format == "lammps-data" else "fix_atoms"
    told = {"format": ase_format, "clamp": fixed, "core": (30.0, 30.0)}
    defect, _ = read(path, **told)  # nothing is in the corners of its box
    assert defect.n_sites == len(atoms) and set(defect.numbers) == {29}
    inside = np.linalg.norm(defect.sites[:, :2], axis=1) < (11.0 if fixed == "fix_atoms" else 4.0 * defect.r0)
    assert np.array_equal(defect.free, inside)


def test_types_of_lammps_without_masses_are_the_one_species(tmp_path: Path) -> None:
    path = tmp_path / "own.data"
    atoms = vacancy()
    atoms.positions[:, :2] += 30.0 - atoms.info["centre"][:2]
    atoms.set_cell([60.0, 60.0, atoms.cell[2, 2]])
    write(path, atoms, format="lammps-data")
    assert "Masses" not in path.read_text(encoding="utf-8")
    told = {"format": "lammps-data", "clamp": "radius", "core": (30.0, 30.0), "pbc": (False, False, True)}
    defect, _ = read(path, **told)
    assert set(defect.numbers) == {29}
    with pytest.raises(ValueError, match="Give the elements of its types 1, 2, ... in defect.types"):
        read(path, cubic_crystal("NiAl", "b2", A0), **told)


def test_a_strained_far_field_is_noticed(written: Write) -> None:
    """One per cent in the plane, where no period tells."""
    atoms = vacancy()
    atoms.positions[:, :2] *= 1.01
    with pytest.raises(ValueError, match="strained by"):
        read(written(atoms))


def test_the_state_of_the_atoms_is_kept(written: Write, tmp_path: Path) -> None:
    """In the order and the frame of the file, but for what describes the case."""
    atoms = vacancy()
    atoms.set_initial_magnetic_moments(np.linspace(-1, 1, len(atoms)))
    path = tmp_path / "moments.extxyz"
    columns = ["symbols", "positions", "move_mask", "initial_magmoms", "held", "look"]
    write(path, atoms, columns=columns)
    defect, _ = read(path, clamp="held")
    assert set(defect.state.arrays) == {"initial_magmoms", "look"}
    assert defect.state.arrays["initial_magmoms"] == pytest.approx(
        atoms.get_initial_magnetic_moments(), abs=1e-6
    )
    whole = defect.body.atoms(np.zeros_like(defect.sites))
    assert whole.positions + defect.origin == pytest.approx(atoms.positions, abs=1e-6)
    assert whole.get_initial_magnetic_moments() == pytest.approx(
        atoms.get_initial_magnetic_moments(), abs=1e-6
    )
