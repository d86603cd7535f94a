"""The calculator as a whole: gradients, symmetry, supercells, ensembles, refusals."""

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import PropertyNotImplementedError

from qmfront.models.calculator import build
from qmfront.models.nrltb import NRLTB
from qmfront.models.nrltb.electrons import Electrons
from qmfront.models.nrltb.evaluate import Evaluation, evaluate, structure
from qmfront.models.nrltb.kpoints import monkhorst_pack
from qmfront.models.nrltb.parameters import from_mapping
from tests.models.ace.step_sweep import assert_derivative
from tests.models.nrltb.structures import LATTICE_CONSTANT, cluster, sheared, two_species_content

# Gamma alone and (2, 1, 1) with half a step are real, the others complex; several k-points and both ensembles.
STATES = {
    "grand, Gamma": {"mu": 5.8},
    "neutral, Gamma": {"mu": None},
    "grand, zone boundary": {"mu": 5.5, "kpts": (2, 1, 1), "kpts_shift": (0.5, 0, 0)},
    "neutral, complex": {"mu": None, "kpts": (2, 1, 3)},
    "grand, complex": {"mu": 5.8, "kpts": (1, 2, 1), "kT": 0.2},
    "neutral, metallic": {"mu": None, "kT": 0.7, "kpts": (1, 1, 2)},
}


def free_energy(atoms: Atoms, calc: NRLTB) -> float:
    return _with(atoms, calc).get_potential_energy(force_consistent=True)


def _with(atoms: Atoms, calc: NRLTB) -> Atoms:
    other = atoms.copy()
    other.calc = calc
    return other


@pytest.mark.parametrize("state", STATES)
def test_forces_are_minus_the_gradient_of_the_free_energy(state):
    atoms, calc = sheared(rattle=0.08), NRLTB(**STATES[state])
    forces = _with(atoms, calc).get_forces()
    direction = np.random.default_rng(2).normal(size=forces.shape)

    def moved(h):
        other = atoms.copy()
        other.positions += h * direction
        return np.array(free_energy(other, calc))

    assert_derivative(moved, -np.sum(forces * direction), scale=0.1)


@pytest.mark.parametrize("state", STATES)
def test_stress_is_the_derivative_with_strain(state):
    atoms, calc = sheared(rattle=0.08), NRLTB(**STATES[state])
    stress = _with(atoms, calc).get_stress(voigt=False)
    strain = np.random.default_rng(3).normal(size=(3, 3))
    strain += strain.T

    def strained(h):
        other = atoms.copy()
        other.set_cell(atoms.cell.array @ (np.eye(3) + h * strain), scale_atoms=True)
        return np.array(free_energy(other, calc))

    assert_derivative(strained, np.sum(stress * strain) * atoms.get_volume(), scale=0.02)


def test_forces_of_two_species_are_minus_the_gradient():
    parameters = from_mapping(two_species_content())
    electrons = Electrons(monkhorst_pack((1, 2, 1)), kT=0.1, mu=5.0)
    atoms = sheared(seed=11, rattle=0.05)
    atoms.numbers[[0, 2, 3, 7]] = 32
    direction = np.random.default_rng(2).normal(size=(len(atoms), 3))

    def at(h, **options) -> Evaluation:
        positions = atoms.positions + h * direction
        known = structure(parameters, positions, atoms.cell.array, atoms.pbc, atoms.numbers)
        return evaluate(parameters, known, electrons, **options)

    slope = -np.sum(at(0.0).gradient.forces * direction)
    assert_derivative(lambda h: np.array(at(h, gradient=False).free_energy), slope, scale=0.1)


def test_forces_of_a_cluster_are_minus_the_gradient_without_net_force_or_torque():
    atoms, calc = cluster(), NRLTB()
    forces = _with(atoms, calc).get_forces()
    assert np.abs(forces).max() > 1.0
    np.testing.assert_allclose(forces.sum(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(np.cross(atoms.positions, forces).sum(axis=0), 0.0, atol=1e-11)
    direction = np.random.default_rng(2).normal(size=forces.shape)

    def moved(h):
        other = atoms.copy()
        other.positions += h * direction
        return np.array(free_energy(other, calc))

    assert_derivative(moved, -np.sum(forces * direction), scale=0.1)


@pytest.mark.parametrize("state", ["neutral, complex", "grand, Gamma"])
def test_frame_order_and_image_do_not_matter(state):
    atoms, calc = sheared(), NRLTB(**STATES[state])
    rng = np.random.default_rng(8)
    turn, order = np.linalg.qr(rng.normal(size=(3, 3)))[0], rng.permutation(len(atoms))
    other = atoms[order]
    other.positions += rng.integers(-2, 3, size=(len(atoms), 3)) @ other.cell.array + [0.3, 0.1, 5.0]
    other.set_cell(other.cell.array @ turn.T)
    other.positions = other.positions @ turn.T
    one, two = _with(atoms, calc), _with(other, NRLTB(**STATES[state]))
    np.testing.assert_allclose(two.get_forces(), one.get_forces()[order] @ turn.T, atol=1e-11)
    np.testing.assert_allclose(one.get_forces().sum(axis=0), 0.0, atol=1e-12)
    stress = turn @ one.get_stress(voigt=False) @ turn.T
    np.testing.assert_allclose(two.get_stress(voigt=False), stress, atol=1e-13)
    for name in ("energy", "free_energy"):
        assert two.calc.results[name] == pytest.approx(one.calc.results[name], abs=1e-10)


@pytest.mark.parametrize("mu", [5.8, None])
def test_k_points_are_the_supercell(mu):
    """Gamma of a supercell holds the k-points k_d = m/q_d, m = 0 .. q_d - 1, of the cell."""
    atoms, repeat = sheared(), (1, 3, 2)
    shift = tuple(0.0 if q % 2 else 0.5 for q in repeat)
    atoms.calc = NRLTB(mu=mu, kpts=repeat, kpts_shift=shift)
    large = _with(atoms.repeat(repeat), NRLTB(mu=mu))
    np.testing.assert_allclose(large.get_forces(), np.tile(atoms.get_forces(), (6, 1)), atol=1e-11)
    np.testing.assert_allclose(large.get_stress(), atoms.get_stress(), atol=1e-13)
    for name in ("energy", "free_energy", "n_electrons"):
        assert large.calc.results[name] == pytest.approx(6 * atoms.calc.results[name], abs=1e-9)
    assert large.calc.results["chemical_potential"] == pytest.approx(
        atoms.calc.results["chemical_potential"], abs=1e-9
    )


def test_a_slab_in_a_wide_box_is_a_slab():
    atoms = sheared()
    atoms.pbc = (True, True, False)
    free = _with(atoms, NRLTB(kpts=(2, 1, 1)))
    wide = atoms.copy()
    normal = np.cross(*atoms.cell.array[:2])
    wide.cell[2] = 30.0 * normal / np.linalg.norm(normal)
    wide.pbc = True
    wide = _with(wide, NRLTB(kpts=(2, 1, 1)))
    np.testing.assert_allclose(wide.get_forces(), free.get_forces(), atol=1e-12)
    with pytest.raises(ValueError, match="not periodic"):
        _with(atoms, NRLTB(kpts=(2, 1, 2))).get_forces()


def test_the_number_of_electrons_is_the_slope_of_the_grand_potential():
    atoms = sheared()
    calc = NRLTB(mu=7.6, kpts=(2, 1, 1))
    _with(atoms, calc).get_potential_energy()
    number = calc.results["n_electrons"]
    assert abs(number - 32.0) > 0.1  # mu lies in a band
    assert_derivative(
        lambda h: np.array(free_energy(atoms, NRLTB(mu=7.6 + h, kpts=(2, 1, 1)))),
        np.array(-number),
        scale=0.5,
    )


@pytest.mark.parametrize("kT", [0.15, 0.4])
def test_both_ensembles_agree_at_the_chemical_potential_of_the_neutral_one(kT):
    atoms = sheared()
    neutral = _with(atoms, NRLTB(kT=kT, mu=None, kpts=(2, 1, 1)))
    forces, found = neutral.get_forces(), neutral.calc.results
    grand = _with(atoms, NRLTB(kT=kT, mu=found["chemical_potential"], kpts=(2, 1, 1)))
    np.testing.assert_allclose(grand.get_forces(), forces, atol=1e-11)
    other = grand.calc.results
    assert found["n_electrons"] == pytest.approx(32.0, abs=1e-10) == other["n_electrons"]
    expected = other["free_energy"] + 32.0 * found["chemical_potential"]
    assert found["free_energy"] == pytest.approx(expected, abs=1e-9)
    assert found["energy"] > found["free_energy"] + 1e-6  # the entropy


def test_an_atom_alone_holds_what_mu_grants_its_levels():
    atom = Atoms("Si", positions=[[1.0, 2.0, 3.0]], calculator=NRLTB(kT=0.3, mu=4.9))
    s, p = 13.60569301 * np.array([-0.0532334619024, 0.357859715265])
    f = 1.0 / (1.0 + np.exp((np.array([s, p, p, p]) - 4.9) / 0.3))
    assert atom.get_potential_energy() == pytest.approx(2 * f @ [s, p, p, p], abs=1e-12)
    assert atom.calc.results["n_electrons"] == pytest.approx(2 * f.sum(), abs=1e-12)
    np.testing.assert_array_equal(atom.get_forces(), 0.0)
    far = Atoms("Si2", positions=[[0, 0, 0], [6.62, 0, 0]], calculator=NRLTB())
    np.testing.assert_array_equal(far.get_forces(), 0.0)
    np.testing.assert_allclose(far.calc.results["eigenvalues"], [[s] * 2 + [p] * 6], atol=1e-13)


def test_no_level_below_mu_means_no_electrons_and_no_forces():
    atoms = _with(cluster(), NRLTB(mu=-40.0))
    np.testing.assert_array_equal(atoms.get_forces(), 0.0)
    assert abs(atoms.get_potential_energy()) < 1e-12


def test_energies_alone_are_the_same_and_leave_out_the_forces():
    atoms = sheared()
    alone, whole = _with(atoms, NRLTB(kpts=(1, 2, 1))), _with(atoms, NRLTB(kpts=(1, 2, 1)))
    forces = whole.get_forces()
    assert alone.get_potential_energy() == pytest.approx(whole.get_potential_energy(), abs=1e-11)
    assert "forces" not in alone.calc.results
    np.testing.assert_array_equal(alone.get_forces(), forces)
    assert alone.calc.results["eigenvalues"].shape == (1, 32)


def test_the_force_on_an_atom_fades_with_distance():
    """No bound as for potentials, yet little of what a moved atom does arrives at `force_range`, given a gap."""
    calc = NRLTB()
    assert calc.force_range == 2 * calc.cutoff == pytest.approx(2 * 12.5 * 0.52917721067)
    atoms = bulk("Si", a=LATTICE_CONSTANT, cubic=True).repeat((1, 1, 6))
    atoms.calc = calc
    distance = atoms.get_distances(0, range(len(atoms)), mic=True)
    atoms.positions[0] += [0.02, 0.0, 0.0]
    change = np.abs(atoms.get_forces()).max(axis=1)
    far = distance > 13.2
    assert change[distance < 2.5].max() > 0.05
    assert 1e-9 < change[far].max() < 1e-3 * change.max()


def test_calculator_is_built_from_a_config(tmp_path):
    calc = build(
        {"calculator": "qmfront.models.nrltb.NRLTB", "kwargs": {"kT": 0.2, "mu": None, "kpts": [2, 1, 1]}}
    )
    assert isinstance(calc, NRLTB)
    with pytest.raises(ValueError, match="kT = 0 eV is not a positive"):
        NRLTB(kT=0)
    with pytest.raises(ValueError, match="mu = nan eV is not finite"):
        NRLTB(mu=float("nan"))


def test_input_is_refused_with_the_reason():
    atoms = sheared(rattle=0.0)

    def refused(match: str, error: type[Exception] = ValueError, **changes) -> None:
        bad = _with(atoms, NRLTB())
        for name, value in changes.items():
            setattr(bad, name, value)
        with pytest.raises(error, match=match):
            bad.get_forces()

    close = Atoms("Si4", positions=[[0, 0, 0], [4, 0, 0], [8, 0, 0], [8, 1.1, 1.5]], calculator=NRLTB())
    with pytest.raises(ValueError, match=r"Atoms 2 and 3 are 1.8601 Å apart .minimum 1.9 Å; 1 such pairs"):
        close.get_forces()
    close.calc = NRLTB(minimum_distance=1.8)
    assert np.abs(close.get_forces()).max() > 1.0
    positions = atoms.positions.copy()
    positions[4, 1] = np.nan
    refused("not finite .first: atom 4", positions=positions)
    refused(r"no parameters for \['C'\]; it knows \['Si'\]", numbers=[14] * 7 + [6])
    with pytest.raises(ValueError, match="not independent"):
        structure(NRLTB().model, atoms.positions, np.ones((3, 3)), atoms.pbc, atoms.numbers)
    with pytest.raises(ValueError, match="no atoms"):
        Atoms(calculator=NRLTB()).get_potential_energy()
    with pytest.raises(PropertyNotImplementedError, match="cell with a volume"):
        _with(cluster(), NRLTB()).get_stress()


def test_density_of_kpoints_fits_every_cell():
    """The same density is a finer grid for a smaller cell, contains Gamma, and leaves free directions alone."""
    atoms = bulk("Si", "diamond", a=LATTICE_CONSTANT, cubic=True)
    dense = NRLTB(kpts={"density": 3.4})  # 3.4 Å * 2 pi / 5.4 Å = 3.9: four divisions
    energies = [
        _with(atoms, calc).get_potential_energy()
        for calc in (dense, NRLTB(kpts=(4, 4, 4), kpts_shift=(0.5,) * 3))
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-10)
    double = atoms.repeat((1, 1, 2))
    assert _with(double, dense).get_potential_energy() == pytest.approx(2 * energies[0], abs=1e-8)
    line = cluster()
    line.set_cell(np.diag([40.0, 40.0, 20.0]))
    line.pbc = (False, False, True)
    along = NRLTB(kpts=(1, 1, 2), kpts_shift=(0, 0, 0.5))
    assert _with(line, dense).get_potential_energy() == pytest.approx(
        _with(line, along).get_potential_energy(), abs=1e-9
    )


@pytest.mark.parametrize("wrong", [{"density": 0.0}, {"spacing": 1.0}, {"density": float("nan")}])
def test_densities_that_make_no_sense(wrong):
    with pytest.raises(ValueError, match="is no density"):
        NRLTB(kpts=wrong)
    with pytest.raises(ValueError, match="does not go with a density"):
        NRLTB(kpts={"density": 2.0}, kpts_shift=(0.5, 0, 0))
