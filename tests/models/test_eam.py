"""The embedded-atom calculator: bulk tungsten, derivatives, smoothness, symmetry, ranges."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError
from ase.units import GPa
from scipy.optimize import brentq

from qmfront.models.bonds import Bonds
from qmfront.models.eam import EAM, energy_forces, load_eam

STEPS = 10.0 ** np.arange(-1.5, -6.1, -0.5)


def rattled(seed: int = 3) -> Atoms:
    """A sheared, rattled, triclinic tungsten cell smaller than the cutoff in two directions."""
    rng = np.random.default_rng(seed)
    atoms = bulk("W", a=3.2, cubic=True).repeat((3, 1, 2))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.05 * rng.normal(size=(3, 3))), scale_atoms=True)
    atoms.positions += 0.15 * rng.normal(size=atoms.positions.shape)
    return atoms


def assert_second_order(errors: np.ndarray) -> None:
    """Central differences: slope two while truncation rules, and below 1e-7 on two neighbouring steps."""
    slopes = np.log10(errors[:-1] / errors[1:]) / 0.5
    assert np.sum(np.abs(slopes - 2.0) < 0.1) >= 3, slopes
    assert np.any((errors[:-1] < 1e-7) & (errors[1:] < 1e-7)), errors


def test_lattice_constant_and_moduli_of_tungsten():
    def stress(deformation, a):
        crystal = bulk("W", a=a, cubic=True)
        crystal.set_cell(crystal.cell.array @ deformation.T, scale_atoms=True)
        crystal.calc = EAM()
        return crystal.get_stress() / GPa

    a0 = brentq(lambda a: stress(np.eye(3), a)[0], 3.1, 3.2, xtol=1e-12)
    assert a0 == pytest.approx(3.1649, abs=5e-5)
    h = 1e-4
    stretch, shear = np.zeros((3, 3)), np.zeros((3, 3))
    stretch[0, 0], shear[1, 2], shear[2, 1] = h, h / 2, h / 2
    c11, c12 = (stress(np.eye(3) + stretch, a0) - stress(np.eye(3) - stretch, a0))[:2] / (2 * h)
    c44 = (stress(np.eye(3) + shear, a0) - stress(np.eye(3) - shear, a0))[3] / (2 * h)
    assert [c11, c12, c44] == pytest.approx([522.5, 204.2, 160.8], abs=0.051)


@pytest.mark.parametrize("potential", ["W_zhou", "table"])
def test_forces_are_minus_the_gradient(potential, calculator):
    calc, atoms = calculator(potential), rattled()
    atoms.calc = calc
    direction = np.random.default_rng(5).normal(size=atoms.positions.shape)
    exact = -np.sum(atoms.get_forces() * direction)
    positions, errors = atoms.positions.copy(), []
    for h in STEPS:
        energies = []
        for sign in (1, -1):
            atoms.positions = positions + sign * h * direction
            energies.append(atoms.get_potential_energy())
        errors.append(abs((energies[0] - energies[1]) / (2 * h) / exact - 1.0))
    assert abs(exact) > 0.1
    assert_second_order(np.array(errors))


@pytest.mark.parametrize("potential", ["W_zhou", "table"])
def test_stress_is_the_strain_derivative(potential, calculator):
    calc, atoms = calculator(potential), rattled()
    atoms.calc = calc
    strain = np.random.default_rng(6).normal(size=(3, 3))
    strain += strain.T
    cell = atoms.cell.array
    exact = np.sum(atoms.get_stress(voigt=False) * strain) * atoms.get_volume()
    errors = []
    for h in STEPS / 3:
        energies = []
        for sign in (1, -1):
            deformed = atoms.copy()
            deformed.set_cell(cell @ (np.eye(3) + sign * h * strain), scale_atoms=True)
            deformed.calc = calc
            energies.append(deformed.get_potential_energy())
        errors.append(abs((energies[0] - energies[1]) / (2 * h) / exact - 1.0))
    assert_second_order(np.array(errors))


@pytest.mark.parametrize("where", [4.6, 5.4])
def test_three_derivatives_are_continuous_where_the_switch_begins_and_ends(where):
    model = load_eam("W_zhou")
    for column in (1, 5):  # f' and phi'
        below, above = (_derivatives(model, column, where, side) for side in (-1, 1))
        scale = np.maximum(np.abs(_derivatives(model, column, 5.0, 1)), 1e-3)
        assert np.all(np.abs(below - above)[:3] < 1e-6 * scale[:3])
        assert abs(below[3] - above[3]) > 1e-3 * scale[3]  # the fourth does jump: the test can see a jump


def _derivatives(model, column: int, where: float, side: int, width: float = 0.02) -> np.ndarray:
    """Derivatives 1 to 4 of a radial function at `where`, from one side."""
    nodes = where + side * width * (1 - np.cos(np.pi * np.arange(9) / 8)) / 2
    none = np.zeros(9, int)
    slopes = model.bond_terms(none, Bonds(none, none, np.zeros((9, 3)), nodes))[:, column]
    fit = np.polynomial.Polynomial.fit(nodes, slopes, 8)
    return np.array([fit.deriv(order)(where) if order else fit(where) for order in range(4)])


def test_energy_does_not_depend_on_frame_order_or_image():
    atoms, calc = rattled(), EAM()
    rng = np.random.default_rng(8)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(len(atoms))
    other = atoms[order]
    other.positions += other.cell.array[0] * rng.integers(-2, 3, size=(len(atoms), 1)) + [0.3, 0.1, 5.0]
    other.set_cell(other.cell.array @ turn.T)
    other.positions = other.positions @ turn.T
    atoms.calc, other.calc = calc, EAM()
    assert other.get_potential_energy() == pytest.approx(atoms.get_potential_energy(), rel=1e-13)
    np.testing.assert_allclose(other.get_forces(), atoms.get_forces()[order] @ turn.T, atol=1e-11)
    np.testing.assert_allclose(atoms.get_forces().sum(axis=0), 0.0, atol=1e-11)
    stress = turn @ atoms.get_stress(voigt=False) @ turn.T
    np.testing.assert_allclose(other.get_stress(voigt=False), stress, atol=1e-13)


def test_small_cell_equals_its_repetition():
    atoms = bulk("W", a=3.1)
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + 0.04 * np.random.default_rng(1).normal(size=(3, 3))))
    large = atoms.repeat((4, 5, 3))
    atoms.calc, large.calc = EAM(), EAM()
    assert large.get_potential_energy() == pytest.approx(60 * atoms.get_potential_energy(), rel=1e-13)
    np.testing.assert_allclose(large.get_stress(), atoms.get_stress(), rtol=1e-10, atol=1e-14)
    assert large.get_potential_energies() == pytest.approx(atoms.get_potential_energies()[0], rel=1e-12)


def test_neighbour_list_kept_with_a_skin_changes_nothing():
    """Not the last bit: what a model was asked before does not matter, so that a run that was killed ends the same."""
    atoms, kept = rattled(), EAM(skin=0.4, minimum_distance=0.1)
    rng = np.random.default_rng(2)

    def compare() -> None:
        atoms.calc = kept
        fresh = energy_forces(
            kept.model, atoms.positions, atoms.cell, atoms.pbc, atoms.numbers, minimum_distance=0.1
        )
        assert np.array_equal(atoms.get_forces(), fresh.forces)
        assert atoms.get_potential_energy() == fresh.energy
        order = np.lexsort((bonds().second, bonds().first))
        assert np.array_equal(order, np.arange(len(order)))

    def bonds() -> Bonds:
        return kept._list.within(atoms.positions, kept.cutoff)

    compare()
    first = kept._list
    for scale, searched in ((0.05, False), (0.05, False), (1.0, True), (1.0, True)):
        atoms.positions += scale * rng.uniform(-0.5, 0.5, size=atoms.positions.shape)
        compare()
        assert (kept._list is not first) == searched
        first = kept._list
    atoms.set_cell(atoms.cell.array * 1.01)  # atoms stay, images move
    compare()


def test_forces_reach_twice_the_cutoff_and_no_farther():
    calc = EAM()
    atoms = bulk("W", a=3.1649, cubic=True).repeat(8)
    atoms.rattle(0.05, seed=1)
    atoms.calc = calc
    before = atoms.get_forces()
    distances = atoms.get_distances(0, range(len(atoms)), mic=True)
    atoms.positions[0] += [0.1, 0.05, -0.03]
    change = np.abs(atoms.get_forces() - before).max(axis=1)
    assert calc.force_range == 2 * calc.cutoff == pytest.approx(10.8)
    assert change[(distances > calc.cutoff + 0.2)].max() > 1e-5
    assert np.all(change[distances > calc.force_range + 0.2] < 1e-13)


def test_free_atom_keeps_the_embedding_energy_at_zero():
    atoms = Atoms("W", positions=[[1.0, 2.0, 3.0]], calculator=EAM())
    assert atoms.get_potential_energy() == pytest.approx(-4.96 + 0.661935 - 0.348147, abs=1e-12)
    np.testing.assert_array_equal(atoms.get_forces(), 0.0)


def test_input_is_refused_with_the_reason():
    atoms = rattled()
    atoms.calc = EAM()
    bad = atoms.copy()
    bad.positions[4, 1] = np.nan
    bad.calc = EAM()
    with pytest.raises(ValueError, match="not finite.*atom 4"):
        bad.get_forces()
    bad = atoms.copy()
    bad.numbers[2] = 6
    bad.calc = EAM()
    with pytest.raises(ValueError, match=r"\['C'\].*\['W'\]"):
        bad.get_forces()
    bad = atoms.copy()
    bad.positions[7] = bad.positions[2] + [0.3, 0.0, 0.4]
    bad.calc = EAM()
    with pytest.raises(ValueError, match="Atoms 2 and 7 are 0.5000 Å apart"):
        bad.get_forces()
    bad = atoms.copy()
    bad.cell[1] = bad.cell[0]
    bad.calc = EAM()
    with pytest.raises(ValueError, match="not independent"):
        bad.get_forces()
    with pytest.raises(ValueError, match="skin"):
        EAM(skin=-1.0)
    with pytest.raises(PropertyNotImplementedError, match="cell with a volume"):
        Atoms("W2", positions=[[0, 0, 0], [0, 0, 2.7]], calculator=EAM()).get_stress()
    with pytest.raises(ValueError, match="no atoms"):
        Atoms(calculator=EAM()).get_potential_energy()


@pytest.fixture(scope="module")
def calculator(tmp_path_factory):
    """Calculators by name; "table" is the analytic form read back from a coarse file, with a switch."""
    from tests.models.lammps_oracle import write_setfl

    path = write_setfl(
        tmp_path_factory.mktemp("eam") / "W.eam.alloy", load_eam("W_zhou"), n_r=1001, n_rho=1001
    )
    return lambda name: EAM() if name == "W_zhou" else EAM(path, switch_width=0.5)
