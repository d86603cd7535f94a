import numpy as np
import pytest
from ase import Atoms

from qmfront.models.ace.design import design
from qmfront.models.ace.evaluate import energy_forces, evaluate_pairs, pair_list
from qmfront.models.ace.potential import Potential, Repulsion
from tests.models.ace.step_sweep import assert_derivative
from tests.models.ace.structures import KINDS, basis, cluster, crystal, orthogonal, potential


def evaluate(model: Potential, atoms: Atoms):
    return energy_forces(model, atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("build", [crystal, cluster])
def test_kernels_equal_the_design_matrix_times_coefficients(kind, build):
    atoms, model = build(kind), potential(kind)
    rows = design(atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers, model.basis)
    result = evaluate(model, atoms)
    energy = rows.energy @ model.coefficients
    energy += model.reference_energies[model.basis.species_of(atoms.numbers)].sum()
    forces = np.tensordot(model.coefficients, rows.forces, 1)
    np.testing.assert_allclose(result.energy, energy, rtol=1e-12)
    np.testing.assert_allclose(result.forces, forces, rtol=0, atol=1e-12 * np.abs(forces).max())
    if atoms.cell.rank == 3:
        stress = (result.virial / atoms.get_volume())[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
        expected = model.coefficients @ rows.stress
        np.testing.assert_allclose(stress, expected, rtol=0, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("n", range(1, 10))
def test_any_number_of_atoms_fills_the_blocks(n):
    """Blocks of four atoms and lanes of four neighbours, with and without a rest; n = 1 has no neighbours."""
    atoms, model = cluster("WC", n), potential("WC")
    rows = design(atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers, model.basis)
    result = evaluate(model, atoms)
    isolated = model.reference_energies[model.basis.species_of(atoms.numbers)].sum()
    np.testing.assert_allclose(result.energy, rows.energy @ model.coefficients + isolated, rtol=1e-12)
    np.testing.assert_allclose(result.forces, np.tensordot(model.coefficients, rows.forces, 1), atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("repulsion", [None, Repulsion(3.0, 3.1)], ids=["plain", "repulsion"])
def test_forces_are_minus_the_gradient(kind, repulsion):
    atoms, model = crystal(kind), potential(kind, repulsion=repulsion)
    direction = np.random.default_rng(1).normal(size=(len(atoms), 3))

    def energies(h):
        moved = atoms.copy()
        moved.positions += h * direction
        return evaluate(model, moved).energy

    assert_derivative(energies, -np.vdot(evaluate(model, atoms).forces, direction), scale=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_virial_is_the_strain_derivative(kind):
    atoms, model = crystal(kind), potential(kind, repulsion=Repulsion(3.0, 3.1))
    virial = evaluate(model, atoms).virial
    np.testing.assert_allclose(virial, virial.T, atol=1e-12 * np.abs(virial).max())
    strain = np.array([[0.3, -0.7, 0.4], [0.2, 0.5, 0.9], [-0.4, 0.1, -0.8]])
    strain += virial / np.abs(virial).max()  # so that the components do not cancel

    def energy(h):
        moved = atoms.copy()
        moved.set_cell(atoms.cell.array @ (np.eye(3) + h * strain).T, scale_atoms=True)
        return evaluate(model, moved).energy

    assert_derivative(energy, np.vdot(virial, strain), scale=0.05)


@pytest.mark.parametrize("seed", [2, 3], ids=["rotation", "reflection"])
@pytest.mark.parametrize("kind", KINDS)
def test_invariance(kind, seed):
    atoms, matrix, model = crystal(kind), orthogonal(seed), potential(kind)
    order = np.random.default_rng(seed).permutation(len(atoms))
    moved = atoms.copy()
    moved.set_cell(atoms.cell.array @ matrix.T)
    moved.positions = atoms.positions @ matrix.T + 1.7
    moved = moved[order]
    before, after = evaluate(model, atoms), evaluate(model, moved)
    np.testing.assert_allclose(after.energies, before.energies[order], rtol=1e-11)
    np.testing.assert_allclose(
        after.forces, (before.forces @ matrix.T)[order], atol=1e-11 * np.abs(before.forces).max()
    )
    np.testing.assert_allclose(after.virial, matrix @ before.virial @ matrix.T, atol=1e-10)


def test_small_periodic_cell_equals_its_supercell_also_with_free_directions():
    atoms, model = crystal("WC", (1, 1, 1)), potential("WC")
    for pbc in ([True, True, True], [False, True, True], [False, False, True]):
        atoms.pbc = pbc
        repeat = [3 if periodic else 1 for periodic in pbc]
        few, many = evaluate(model, atoms), evaluate(model, atoms * repeat)
        np.testing.assert_allclose(many.energy, np.prod(repeat) * few.energy, rtol=1e-12)
        np.testing.assert_allclose(many.forces, np.tile(few.forces, (np.prod(repeat), 1)), atol=1e-10)


def test_energy_is_smooth_through_the_cutoff():
    """The third derivative of a pair's energy is continuous there, and nothing is left beyond."""
    model, cutoff = potential("W"), basis("W").cutoff
    isolated = 2 * model.reference_energies[0]

    def bond_energy(r):
        return evaluate(model, Atoms("W2", [[0, 0, 0], [0.6 * r, 0, 0.8 * r]])).energy - isolated

    below = np.array([0.08, 0.04, 0.02])
    values = np.abs([bond_energy(cutoff - b) for b in below])
    orders = np.diff(np.log(values)) / np.diff(np.log(below))
    assert np.all(orders > 3.8), orders
    assert bond_energy(cutoff + 1e-6) == 0.0


def test_pairs_at_hand_follow_moves_and_may_reach_beyond_the_cutoff():
    atoms, model = crystal("W"), potential("W")
    known = pair_list(atoms.positions, atoms.cell.array, atoms.pbc, model.basis.cutoff + 0.5)
    moved = np.random.default_rng(0).uniform(-0.14, 0.14, size=(len(atoms), 3))
    later = atoms.copy()
    later.positions += moved
    assert known.covers(later.positions, atoms.cell.array, atoms.pbc, model.basis.cutoff)
    result = evaluate_pairs(model, known.pairs, np.zeros(len(atoms), int), moved=moved)
    fresh = evaluate(model, later)
    np.testing.assert_allclose(result.forces, fresh.forces, atol=1e-11 * np.abs(fresh.forces).max())
    later.positions[0] += 0.2
    assert not known.covers(later.positions, atoms.cell.array, atoms.pbc, model.basis.cutoff)
    assert not known.covers(atoms.positions, 1.01 * atoms.cell.array, atoms.pbc, model.basis.cutoff)


def test_repulsion_is_the_formula_and_ends_smoothly():
    model = potential("W", repulsion=Repulsion(2.0, 2.5))
    plain = potential("W")
    for r, expected in ((2.0, 2.0 * 0.25**4), (1.0, 2.0 * 1.5**4), (2.51, 0.0)):
        pair = Atoms("W2", [[0, 0, 0], [0, r, 0]])
        np.testing.assert_allclose(
            evaluate(model, pair).energy - evaluate(plain, pair).energy, expected, atol=1e-12
        )


def test_bad_input_is_refused_with_its_numbers():
    model, atoms = potential("W"), crystal("W")
    broken = atoms.copy()
    broken.positions[4, 1] = np.nan
    with pytest.raises(ValueError, match="first of atom 4"):
        evaluate(model, broken)
    close = Atoms("W3", [[0, 0, 0], [3, 0, 0], [3, 0.25, 0]])
    with pytest.raises(ValueError, match=r"Atoms 1 and 2 are 0.25 Å apart.* 0.6 Å"):
        evaluate(model, close)
    with pytest.raises(ValueError, match="not in this basis"):
        evaluate(model, Atoms("Si"))
    with pytest.raises(ValueError, match="one per function"):
        Potential(model.basis, np.zeros(3), np.zeros(1))
    with pytest.raises(ValueError, match="not finite"):
        Potential(model.basis, np.full(len(model.basis), np.nan), np.zeros(1))


def test_no_atoms():
    assert evaluate(potential("W"), Atoms()).energy == 0.0
