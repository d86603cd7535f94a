import numpy as np
import pytest

from qmfront.models.ace.design import design, functions_of, site_basis
from tests.models.ace.step_sweep import assert_derivative
from tests.models.ace.structures import KINDS, basis, cluster, crystal, orthogonal


def rows(atoms, kind):
    return design(atoms.positions, atoms.cell.array, atoms.pbc, atoms.numbers, basis(kind))


@pytest.mark.parametrize("seed", [2, 3], ids=["rotation", "reflection"])
@pytest.mark.parametrize("kind", KINDS)
def test_invariance_of_every_function(kind, seed):
    atoms, matrix = cluster(kind), orthogonal(seed)
    moved = atoms.copy()
    order = np.random.default_rng(seed).permutation(len(atoms))
    moved.positions = atoms.positions @ matrix.T + np.array([3.0, -2.0, 7.0])
    moved = moved[order]
    before, after = rows(atoms, kind), rows(moved, kind)
    assert np.linalg.det(matrix) * (-1) ** seed > 0.99
    assert np.all(np.abs(before.energy) > 0)
    np.testing.assert_allclose(after.energy, before.energy, rtol=0, atol=1e-12 * np.abs(before.energy).max())
    np.testing.assert_allclose(after.forces, (before.forces @ matrix.T)[:, order], rtol=0, atol=1e-11)


@pytest.mark.parametrize("kind", KINDS)
def test_forces_of_every_function_are_minus_the_gradient(kind):
    atoms = crystal(kind, (1, 1, 2))
    direction = np.random.default_rng(1).normal(size=(len(atoms), 3))
    along = -np.einsum("bia,ia->b", rows(atoms, kind).forces, direction)

    def energy(h):
        moved = atoms.copy()
        moved.positions += h * direction
        return rows(moved, kind).energy

    assert_derivative(energy, along, scale=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_stress_of_every_function_is_the_strain_derivative(kind):
    atoms = crystal(kind, (1, 1, 2))
    stress = rows(atoms, kind).stress
    for component, (a, b) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):

        def energy(h, a=a, b=b):
            strain = np.eye(3)
            strain[a, b] += h / 2
            strain[b, a] += h / 2
            moved = atoms.copy()
            moved.set_cell(atoms.cell.array @ strain, scale_atoms=True)
            return rows(moved, kind).energy

        assert_derivative(energy, stress[:, component] * atoms.get_volume(), scale=0.05)


def test_site_gradients_of_a_given_centre_species():
    kind = "WC"
    atoms = cluster(kind, 8)
    species = basis(kind).species_of(atoms.numbers)
    for centre in (0, 1):
        where = functions_of(basis(kind), centre)
        values, gradients = site_basis(basis(kind), atoms.positions + 3.0, species, centre=centre)
        assert len(values) == where.stop - where.start
        assert gradients.shape == (len(values), 8, 3)
        assert {f.centre for f in basis(kind).functions[where]} == {centre}


def test_homogeneous_crystal_has_no_forces_and_the_supercell_repeats_it():
    from ase.build import bulk

    one = bulk("W", a=3.2)
    many = one * (3, 2, 2)
    np.testing.assert_allclose(rows(one, "W").forces, 0.0, atol=1e-11)
    np.testing.assert_allclose(rows(many, "W").energy, 12 * rows(one, "W").energy, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(rows(many, "W").stress, rows(one, "W").stress, atol=1e-12)
