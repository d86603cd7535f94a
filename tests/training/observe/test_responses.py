"""Responses of every basis function against the fitted calculator, which reaches the same numbers by another route."""

import numpy as np
import pytest

from qmfront.crystal.lattice import Crystal, cubic_crystal
from qmfront.models.ace.basis import Basis, build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.models.eam import EAM
from qmfront.models.nrltb import NRLTB
from qmfront.training.observe.responses import BasisResponse, CalculatorResponse
from tests.models.ace.step_sweep import assert_derivative
from tests.settings import steps

REACH = 9.0  # Å, twice the cutoff of the basis: all force constants


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    return cubic_crystal("W", "bcc", 3.165)


@pytest.fixture(scope="module")
def basis() -> Basis:
    return build_basis(["W"], cutoff=4.5, max_degree=(6, 5, 4))


@pytest.fixture(scope="module")
def coefficients(basis) -> np.ndarray:
    return np.random.default_rng(2).normal(size=len(basis))


@pytest.fixture(scope="module")
def from_basis(crystal, basis) -> BasisResponse:
    return BasisResponse(crystal, basis)


@pytest.fixture(scope="module")
def from_calculator(crystal, basis, coefficients) -> CalculatorResponse:
    return CalculatorResponse(crystal, ACE(Potential(basis, coefficients, np.zeros(1))), steps(REACH))


@pytest.fixture(scope="module")
def gradient() -> np.ndarray:
    """An unsymmetric deformation with rotation."""
    return np.eye(3) + 0.03 * np.random.default_rng(1).normal(size=(3, 3))


def lattice_vectors(crystal: Crystal, reach: float) -> np.ndarray:
    n = np.stack(np.meshgrid(*[np.arange(-6, 7)] * 3), axis=-1).reshape(-1, 3) @ crystal.cell
    return n[np.linalg.norm(n, axis=1) <= reach]


def test_energy_and_stress_of_basis_and_calculator_agree(from_basis, from_calculator, coefficients, gradient):
    for F in (np.eye(3), gradient):
        energy, stress = from_calculator.energy(F), from_calculator.stress(F)
        assert from_basis.energy(F) @ coefficients == pytest.approx(float(energy), rel=1e-11)
        assert np.abs(from_basis.stress(F) @ coefficients - stress).max() < 1e-10 * np.abs(stress).max()
    assert np.abs(stress - stress.T).max() > 1e-3 * np.abs(stress).max(), (
        "P of a rotated lattice is not symmetric"
    )


def test_force_constants_of_basis_and_calculator_agree(
    from_basis, from_calculator, coefficients, gradient, crystal
):
    """Sites around a moved atom against forces in a supercell, on a strained lattice."""
    vectors = lattice_vectors(crystal, 8.5)
    ours = from_basis.force_constants(gradient, vectors) @ coefficients
    expected = from_calculator.force_constants(gradient, vectors)
    assert ours.shape == expected.shape == (len(vectors), 3, 3)
    assert np.abs(ours - expected).max() < 1e-7 * np.abs(expected).max()
    assert np.abs(expected[np.linalg.norm(vectors, axis=1) > 4.5]).max() > 1e-4 * np.abs(expected).max()


def test_what_is_left_of_their_difference_is_the_step(crystal, basis, coefficients):
    """The calculator's force constants are symmetrised, which changes their error of order step^2, nothing else."""
    vectors, errors = lattice_vectors(crystal, 8.5), []
    for step in (4e-3, 2e-3, 1e-3):
        ours = BasisResponse(crystal, basis, step=step).force_constants(np.eye(3), vectors) @ coefficients
        calculator = ACE(Potential(basis, coefficients, np.zeros(1)))
        theirs = CalculatorResponse(crystal, calculator, steps(REACH, displacement=step)).force_constants(
            np.eye(3), vectors
        )
        errors.append(np.abs(ours - theirs).max() / np.abs(theirs).max())
    assert errors[-1] < 2e-8
    assert np.all(np.abs(np.diff(np.log2(errors)) + 2) < 0.1), errors


def test_force_constants_have_sum_rule_and_index_symmetry(from_basis, crystal, gradient):
    """For each function: sum over rho is zero and Phi(-rho) = Phi(rho)^T, all vectors up to twice the cutoff."""
    vectors = lattice_vectors(crystal, 9.4)
    phi = from_basis.force_constants(gradient, vectors)
    scale = np.abs(phi).max()
    assert np.abs(phi.sum(axis=0)).max() < 1e-7 * scale
    opposite = [int(np.argmin(np.linalg.norm(vectors + v, axis=1))) for v in vectors]
    assert np.abs(phi[opposite] - phi.transpose(0, 2, 1, 3)).max() < 1e-6 * scale


@pytest.mark.parametrize("kind", ["basis", "calculator"])
def test_stress_is_the_derivative_of_the_energy(kind, from_basis, from_calculator, gradient):
    response = from_basis if kind == "basis" else from_calculator
    direction = np.random.default_rng(5).normal(size=(3, 3))
    slope = np.einsum("ij...,ij->...", response.stress(gradient), direction)
    assert_derivative(lambda t: response.energy(gradient + t * direction), slope, scale=0.05)


def test_calculator_route_is_the_bulk_record(tungsten, eam):
    """Same force constants as the bulk record, at the same lattice constant."""
    response = CalculatorResponse(tungsten.crystal, eam, steps(eam.force_range))
    found = response.force_constants(np.eye(3), tungsten.force_constants.vector)
    assert np.array_equal(found, tungsten.force_constants.matrix)


def test_vectors_beyond_the_range_give_zero(from_basis, from_calculator):
    far = np.array([[30.0, 0.0, 0.0]])
    assert not from_basis.force_constants(np.eye(3), far).any()
    assert not from_calculator.force_constants(np.eye(3), far).any()


@pytest.mark.parametrize("noise", [-1e-13, 1e-13])
def test_lookup_does_not_hang_on_the_last_digit(noise, from_basis, crystal):
    """A lattice constant of 3.165 Å, 500 times which is half an integer."""
    vectors = lattice_vectors(crystal, 4.0)
    expected = from_basis.force_constants(np.eye(3), vectors)
    assert np.allclose(from_basis.force_constants(np.eye(3), vectors + noise), expected, rtol=1e-9, atol=1e-9)


def test_calculator_answers_for_a_compressed_lattice():
    """Force constants of a stretched lattice reach as far in undeformed vectors."""
    crystal = cubic_crystal("W", "bcc", 3.1649)
    response = CalculatorResponse(crystal, EAM(potential="W_zhou"), steps(6.0))
    vectors = lattice_vectors(crystal, 5.9)
    for F in (np.diag([1.02, 1.0, 0.98]), 0.97 * np.eye(3)):
        phi = response.force_constants(F, vectors)
        assert np.all(np.abs(phi).max(axis=(1, 2)) > 0)


def test_energy_of_a_tight_binding_model_is_what_its_stress_belongs_to(gradient):
    """Hot electrons: the band energy has another derivative than the grand potential."""
    silicon = cubic_crystal("Si", "diamond", 5.43)
    response = CalculatorResponse(silicon, NRLTB(kT=0.8, kpts=(3, 3, 3)), steps(REACH))
    direction = np.random.default_rng(5).normal(size=(3, 3))
    slope = np.sum(response.stress(gradient) * direction)
    assert_derivative(lambda t: response.energy(gradient + t * direction), slope, scale=0.03)
