"""Embedded-atom energies, forces and stress against LAMMPS on periodic cells, clusters and the quasi-2D cell."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk

from qmfront.models.eam import EAM, load_eam
from tests.models.lammps_oracle import judge, potential_file, write_setfl


def rattled_cell(repeat: tuple[int, int, int], seed: int, *, symbols: str = "W", a: float = 3.2) -> Atoms:
    """Triclinic, rattled bcc cell; the species are dealt at random."""
    rng = np.random.default_rng(seed)
    atoms = bulk("W", a=a, cubic=True).repeat(repeat)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.04 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += 0.12 * rng.normal(size=atoms.positions.shape)
    names = Atoms(symbols).get_chemical_symbols()
    atoms.symbols = [names[k % len(names)] for k in rng.permutation(len(atoms))]
    return atoms


def cluster(seed: int = 4) -> Atoms:
    """A free, rattled ball of atoms."""
    atoms = bulk("W", a=3.2, cubic=True).repeat(5)
    centre = atoms.positions.mean(axis=0)
    atoms = atoms[np.linalg.norm(atoms.positions - centre, axis=1) < 6.5]
    atoms.positions += 0.15 * np.random.default_rng(seed).normal(size=atoms.positions.shape)
    atoms.pbc = False
    atoms.cell = np.zeros((3, 3))
    return atoms


def disc(seed: int = 5) -> Atoms:
    """One period along z, vacuum beside: about 300 atoms."""
    atoms = bulk("W", a=3.165, cubic=True).repeat((14, 14, 1))
    radius = np.linalg.norm((atoms.positions - atoms.positions.mean(axis=0))[:, :2], axis=1)
    atoms = atoms[radius < 21.8]
    atoms.positions += 0.1 * np.random.default_rng(seed).normal(size=atoms.positions.shape)
    atoms.pbc = (False, False, True)
    return atoms


STRUCTURES = {
    "periodic": lambda: rattled_cell((3, 3, 3), 1),
    "multi-image": lambda: rattled_cell((2, 1, 1), 2),
    "one atom": lambda: rattled_cell((1, 1, 1), 3)[:1],
    "left-handed": lambda: _left_handed(),
    "cluster": cluster,
    "disc": disc,
}


def _left_handed() -> Atoms:
    atoms = rattled_cell((2, 2, 1), 7)
    atoms.set_cell(atoms.cell.array[[1, 0, 2]])
    return atoms


def compare(atoms: Atoms, calc: EAM, path, *, tolerance: float) -> None:
    """Energies (eV), forces (eV/Å) and virial (eV) against LAMMPS; the virial relative to its size."""
    verdict = judge(atoms, path)
    atoms = atoms.copy()
    atoms.calc = calc
    if not atoms.pbc.any():
        atoms.cell = np.diag(np.ptp(atoms.positions, axis=0) + 10.0)
    assert np.abs(verdict.forces).max() > 0.1 or len(atoms) == 1
    np.testing.assert_allclose(atoms.get_potential_energies(), verdict.energies, rtol=0, atol=tolerance)
    np.testing.assert_allclose(atoms.get_forces(), verdict.forces, rtol=0, atol=tolerance)
    virial = atoms.get_stress(voigt=False) * atoms.get_volume()
    np.testing.assert_allclose(
        virial, verdict.virial, rtol=0, atol=tolerance * max(1.0, np.abs(virial).max())
    )


@pytest.mark.parametrize("name", STRUCTURES)
def test_table_of_tungsten(name):
    path = potential_file("W_zhou.eam.alloy")
    compare(STRUCTURES[name](), EAM(path, interpolation="lammps"), path, tolerance=1e-9)


@pytest.mark.parametrize("name", ["periodic", "multi-image", "left-handed"])
def test_smooth_interpolation_is_close_to_the_cubic_one(name):
    """Where no density lies at 42.7: F of this file jumps there by 2 meV, as its own warning says."""
    path = potential_file("W_zhou.eam.alloy")
    with pytest.warns(UserWarning, match="F\\(rho\\) of W .* rho = 42.70"):
        calc = EAM(path)
    compare(STRUCTURES[name](), calc, path, tolerance=5e-5)


@pytest.mark.parametrize("name", ["periodic", "multi-image", "cluster", "disc"])
def test_analytic_tungsten_through_a_fine_table(name, tmp_path):
    path = write_setfl(tmp_path / "W.eam.alloy", load_eam("W_zhou"))
    compare(STRUCTURES[name](), EAM("W_zhou"), path, tolerance=1e-8)


@pytest.mark.parametrize(
    ("file", "symbols", "a"),
    [
        ("CuTa.eam.alloy", "CuTa", 3.2),
        ("NiAlH_jea.eam.alloy", "NiAlH", 3.1),
        ("AlFe_mm.eam.fs", "FeAl2", 3.1),
        ("NiO.eam.fs", "NiO", 3.1),
        ("VFe_mm.eam.fs", "V", 3.0),
    ],
)
@pytest.mark.filterwarnings("ignore:The EAM table")
def test_alloys_and_finnis_sinclair(file, symbols, a):
    path = potential_file(file)
    calc = EAM(path, interpolation="lammps")
    for repeat in ((3, 2, 2), (1, 1, 2)):
        compare(rattled_cell(repeat, 11, symbols=symbols, a=a), calc, path, tolerance=1e-9)


@pytest.mark.filterwarnings("ignore:F.rho. of W")
def test_densities_beyond_the_table_continue_linearly():
    path = potential_file("W_zhou.eam.alloy")
    atoms = rattled_cell((2, 2, 2), 6, a=1.75)
    atoms.positions = (atoms.positions + bulk("W", a=1.75, cubic=True).repeat(2).positions) / 2
    for interpolation, tolerance in (("lammps", 1e-8), ("quintic", 1e-4)):
        calc = EAM(path, interpolation=interpolation, minimum_distance=0.3)
        compare(atoms, calc, path, tolerance=tolerance)
