"""Two-centre blocks: symmetry under rotation and reversal, gradient against differences."""

import numpy as np

from qmfront.models.bonds import Bonds
from qmfront.models.nrltb.slater_koster import block_gradient, blocks
from tests.models.ace.step_sweep import assert_derivative

RNG = np.random.default_rng(7)
VECTORS = RNG.normal(size=(5, 3)) * 2.0
WEIGHTS = RNG.normal(size=(5, 4, 4))


def bonds(vectors: np.ndarray) -> Bonds:
    none = np.zeros(len(vectors), int)
    return Bonds(none, none, vectors, np.linalg.norm(vectors, axis=1))


def integrals(distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Five different smooth functions and their derivatives."""
    rates = np.array([0.3, 0.5, 0.7, 0.4, 0.6])
    signs = np.array([1.0, -2.0, 1.5, 0.7, -1.1])
    values = signs * np.exp(-rates * distance[:, None])
    return values, -rates * values


def test_blocks_turn_with_the_bond():
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    orbitals = np.eye(4)
    orbitals[1:, 1:] = turn
    values, _ = integrals(bonds(VECTORS).distance)
    expected = orbitals @ blocks(bonds(VECTORS), values) @ orbitals.T
    np.testing.assert_allclose(blocks(bonds(VECTORS @ turn.T), values), expected, atol=1e-14)


def test_along_z_the_block_is_made_of_the_integrals():
    ss, sp, ps, sigma, pi = 1.1, 2.2, 3.3, 4.4, 5.5
    block = blocks(bonds(np.array([[0.0, 0.0, 2.0]])), np.array([[ss, sp, ps, sigma, pi]]))[0]
    expected = [[ss, 0, 0, sp], [0, pi, 0, 0], [0, 0, pi, 0], [-ps, 0, 0, sigma]]
    np.testing.assert_allclose(block, expected, atol=1e-15)


def test_the_turned_bond_gives_the_transposed_block():
    values, _ = integrals(bonds(VECTORS).distance)
    back = blocks(bonds(-VECTORS), values[:, [0, 2, 1, 3, 4]])
    np.testing.assert_allclose(back, blocks(bonds(VECTORS), values).transpose(0, 2, 1), atol=1e-14)


def test_gradient_is_the_derivative_of_the_weighted_sum():
    """Radial and angular part apart and together; each bond in three directions."""

    def weighted(vectors, values):
        return np.einsum("pab,pab->p", WEIGHTS, blocks(bonds(vectors), values))

    values, slopes = integrals(bonds(VECTORS).distance)
    whole = block_gradient(bonds(VECTORS), values, slopes, WEIGHTS)
    angular = block_gradient(bonds(VECTORS), values, np.zeros_like(slopes), WEIGHTS)
    for axis in np.eye(3):
        assert_derivative(
            lambda h, e=axis: weighted(VECTORS + h * e, integrals(bonds(VECTORS + h * e).distance)[0]),
            whole @ axis,
        )
        assert_derivative(lambda h, e=axis: weighted(VECTORS + h * e, values), angular @ axis)
    assert np.max(np.abs(np.einsum("pa,pa->p", angular, VECTORS))) < 1e-13  # turning does not stretch
    assert np.max(np.abs(whole - angular)) > 0.1
