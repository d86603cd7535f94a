"""Observations: derivatives of known polynomials, independent directions, and both kinds of response."""

from dataclasses import dataclass

import numpy as np
import pytest
from ase.build import bulk

from qmfront.config.potential import Weights
from qmfront.crystal.lattice import cubic_crystal
from qmfront.elasticity.strain_polynomial import StrainPolynomial, invariants
from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.calculator import ACE
from qmfront.models.ace.potential import Potential
from qmfront.models.lattice_symmetry import lattice_rotations
from qmfront.training.observe.kinds import FIRST_FREE_ORDER, KIND, KINDS, Kind, kinds_of, observe
from qmfront.training.observe.lattice import Lattice, independent_directions
from qmfront.training.observe.responses import BasisResponse, CalculatorResponse
from tests.settings import steps

CUBIC = np.array(lattice_rotations(bulk("W", a=3.165).cell.array))
ALL = kinds_of(3, Lattice(np.zeros((1, 3)), CUBIC))


@dataclass(frozen=True)
class Polynomial:
    """A response whose energy is a polynomial in Green strain; force constants are linear in F."""

    energy_density: StrainPolynomial
    slope: np.ndarray  # (m, 3, 3, 3, 3): dPhi/dF

    def energy(self, gradient: np.ndarray) -> np.ndarray:
        return self.energy_density.energy(gradient[None])[0]

    def stress(self, gradient: np.ndarray) -> np.ndarray:
        return self.energy_density.stress(gradient[None])[0]

    def force_constants(self, gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
        return np.einsum("mijkl,kl->mij", self.slope, gradient)


def cubic_polynomial(orders: tuple[int, ...], seed: int = 0) -> StrainPolynomial:
    rng = np.random.default_rng(seed)
    parts = [invariants(order, CUBIC) for order in orders]
    coefficients = [v @ rng.normal(size=v.shape[1]) * 10.0 for _, v in parts]
    return StrainPolynomial(np.concatenate([e for e, _ in parts]), np.concatenate(coefficients))


def kinds(*names: str) -> list[Kind]:
    return [KIND[name] for name in names]


def invariant_vectors(order: int) -> list[StrainPolynomial]:
    exponents, vectors = invariants(order, CUBIC)
    return [StrainPolynomial(exponents, column) for column in vectors.T]


@pytest.mark.parametrize("order, expected", [(2, 3), (3, 6), (4, 11), (5, 18)])
def test_directions_determine_all_invariants(order, expected):
    """Linear responses of order - 1 along the directions tell all invariants of an order apart, none is spare."""
    directions = independent_directions(CUBIC, order)
    assert np.array_equal(directions, directions.transpose(0, 2, 1))
    assert np.linalg.norm(directions, axis=(1, 2)) == pytest.approx(1.0)

    def rank(chosen: np.ndarray) -> int:
        small = np.eye(3) + 1e-3 * chosen  # what is left of the next order is a thousandth
        rows = np.array([W.stress(small).ravel() for W in invariant_vectors(order)])
        return np.linalg.matrix_rank(rows / np.abs(rows).max(), rtol=1e-6)

    assert rank(directions) == expected and len(directions) <= expected
    for left_out in range(len(directions)):
        assert left_out == 0 or rank(directions[:left_out]) < expected


def test_stress_derivatives_of_a_known_polynomial():
    """d2P/dt2 to d4P/dt4 along the directions, from the exact derivatives of P(I + t H), a polynomial in t."""
    W = cubic_polynomial((2, 3, 4))
    lattice = Lattice(np.zeros((1, 3)), CUBIC, strain_step=2.5e-3)
    response = Polynomial(W, np.zeros((1, 3, 3, 3, 3)))
    tolerances = {
        "third_derivative": (2, 1e-8),
        "fourth_derivative": (3, 1e-6),
        "fifth_derivative": (4, 1e-5),
    }
    found = observe(response, kinds(*tolerances), lattice)
    for name, (order, tolerance) in tolerances.items():
        expected = []
        for H in independent_directions(CUBIC, order + 1):
            # P(I + t H) has degree 7 in t; interpolated on a wide interval, where its coefficients are well conditioned
            t = np.cos(np.pi * (np.arange(8) + 0.5) / 8)
            P = np.array([response.stress(np.eye(3) + s * H) for s in t]).reshape(8, 9)
            coefficients = np.linalg.solve(np.vander(t, increasing=True), P)
            expected.append(np.prod(np.arange(1, order + 1)) * coefficients[order])
        expected = np.concatenate(expected)
        assert np.abs(expected).max() > 10
        assert np.abs(found[name] - expected).max() < tolerance * np.abs(expected).max()


def test_lower_orders_of_energy_do_not_leak_into_derivatives():
    """The third derivative sees the third order and the geometric part of the second, not the fourth."""
    lattice = Lattice(np.zeros((1, 3)), CUBIC)
    fourth = Polynomial(cubic_polynomial((4,)), np.zeros((1, 3, 3, 3, 3)))
    found = observe(fourth, kinds("stress", "third_derivative", "fourth_derivative"), lattice)
    assert np.abs(found["fourth_derivative"]).max() > 10
    assert np.abs(found["third_derivative"]).max() < 1e-7 * np.abs(found["fourth_derivative"]).max()
    assert np.abs(found["stress"]).max() == 0.0


def test_strained_force_constants_are_directional_derivatives():
    slope = np.random.default_rng(1).normal(size=(5, 3, 3, 3, 3))
    response = Polynomial(cubic_polynomial((2,)), slope)
    found = observe(
        response, kinds("strained_force_constants", "force_constants"), Lattice(np.zeros((5, 3)), CUBIC)
    )
    directions = independent_directions(CUBIC, 2)
    expected = np.einsum("mijkl,dkl->dmij", slope, directions).ravel()
    assert found["strained_force_constants"] == pytest.approx(expected, rel=1e-9)
    assert found["force_constants"] == pytest.approx(np.einsum("mijkk->mij", slope).ravel(), rel=1e-12)


def test_twice_strained_force_constants_are_second_derivatives():
    """Of Phi(F) = slope : F + (F - I) : curvature : (F - I)."""
    rng = np.random.default_rng(2)
    curvature = rng.normal(size=(5, 3, 3, 3, 3, 3, 3))

    @dataclass(frozen=True)
    class Curved(Polynomial):
        def force_constants(self, gradient: np.ndarray, vectors: np.ndarray) -> np.ndarray:
            H = gradient - np.eye(3)
            curved = np.einsum("mijklab,kl,ab->mij", curvature, H, H)
            return super().force_constants(gradient, vectors) + curved

    response = Curved(cubic_polynomial((2,)), rng.normal(size=(5, 3, 3, 3, 3)))
    lattice = Lattice(np.zeros((5, 3)), CUBIC)
    found = observe(response, kinds("twice_strained_force_constants"), lattice)
    directions = independent_directions(CUBIC, 3)
    expected = 2 * np.einsum("mijklab,dkl,dab->dmij", curvature, directions, directions).ravel()
    assert found["twice_strained_force_constants"] == pytest.approx(expected, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("size", ["many", "three"])
def test_basis_and_calculator_observe_the_same(size):
    """All observations of a random potential by two routes; three functions must not be taken for a tensor axis."""
    max_degree = (6, 5) if size == "many" else (2,)
    basis = build_basis(["W"], cutoff=4.3, max_degree=max_degree)
    assert (len(basis) == 3) == (size == "three")
    coefficients = np.random.default_rng(3).normal(size=len(basis))
    crystal = cubic_crystal("W", "bcc", 3.17)
    n = np.stack(np.meshgrid(*[np.arange(-5, 6)] * 3), axis=-1).reshape(-1, 3) @ crystal.cell
    vectors = n[np.linalg.norm(n, axis=1) < 5.5]
    lattice = Lattice(vectors, crystal.point_group())
    rows = observe(BasisResponse(crystal, basis), ALL, lattice)
    calculator = ACE(Potential(basis, coefficients, np.zeros(1)))
    values = observe(CalculatorResponse(crystal, calculator, steps(8.6)), ALL, lattice)
    assert set(rows) == set(values) == {kind.name for kind in ALL}
    # Noise of differences: forces to 1e-12 over steps of 1e-3 Å and strains of 2.5e-3, once more for a third power.
    tolerance = {"fourth_derivative": 1e-6, "strained_force_constants": 1e-5, "third_derivative": 1e-8}
    tolerance |= {"fifth_derivative": 1e-5, "twice_strained_force_constants": 1e-3}
    for name in rows:
        assert rows[name].shape == (len(values[name]), len(basis))
        error = np.abs(rows[name] @ coefficients - values[name]).max() / np.abs(values[name]).max()
        assert error < tolerance.get(name, 1e-8), (name, error)
    assert values["energy"].shape == (1,) and values["stress"].shape == (9,)
    assert values["force_constants"].shape == (9 * len(vectors),)


@pytest.mark.parametrize("has_basis", [False, True])
@pytest.mark.parametrize("tail", [False, True])
def test_matching_orders_nest(has_basis, tail):
    """Each order asks for what the one before asked for, and leaves the next order of W_cb free."""
    permutations = np.zeros((len(CUBIC), 2), int) if has_basis else None
    lattice = Lattice(np.zeros((1, 3)), CUBIC, permutations=permutations, tail=tail)
    names = [{kind.name for kind in kinds_of(order, lattice)} for order in range(4)]
    assert names[0] < names[1] < names[2] < names[3]
    assert any(name.startswith("internal") for name in names[3]) == has_basis
    assert ("second_derivative" in names[1]) == tail and "second_derivative" not in names[0]
    assert [FIRST_FREE_ORDER[order] for order in (0, 1, 2, 3)] == [3, 4, 5, 6]


def test_every_kind_has_one_row_and_one_weight():
    """Names are unique, and what a kind is weighed and sized as is a kind with a weight of its own."""
    weights = {kind.weight for kind in KINDS if not kind.chosen}
    assert len(KIND) == len(KINDS) and weights == set(Weights.model_fields)
    for kind in KINDS:
        assert KIND[kind.weight].weight == kind.weight and KIND[kind.sized_as].sized_as == kind.sized_as
