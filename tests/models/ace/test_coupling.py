import numpy as np
import pytest

from qmfront.models.ace.coupling import couplings, real_three_j
from qmfront.models.ace.harmonics import real_harmonics
from tests.models.ace.structures import orthogonal


def rotation_of(l: int, matrix: np.ndarray) -> np.ndarray:
    """D with Y(matrix v) = D Y(v), from harmonics of random vectors."""
    vectors = np.random.default_rng(0).normal(size=(40, 3))
    rows = slice(l * l, (l + 1) ** 2)
    before = real_harmonics(vectors, l)[0][rows]
    after = real_harmonics(vectors @ matrix.T, l)[0][rows]
    return np.linalg.lstsq(before.T, after.T, rcond=None)[0].T


@pytest.mark.parametrize("ls", [(1, 1, 0), (1, 1, 1), (1, 1, 2), (2, 3, 1), (2, 2, 4), (3, 2, 2), (4, 4, 3)])
def test_three_j_is_invariant_under_rotations_and_normalised(ls):
    tensor = real_three_j(*ls)
    turned = tensor
    for axis, l in enumerate(ls):
        turned = np.moveaxis(np.tensordot(rotation_of(l, orthogonal(4)), turned, (1, axis)), 0, axis)
    np.testing.assert_allclose(turned, tensor, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(tensor), 1.0)


def test_three_vectors_couple_to_the_determinant():
    tensor = real_three_j(1, 1, 1)  # order y, z, x: a cyclic permutation of x, y, z
    epsilon = np.zeros((3, 3, 3))
    epsilon[0, 1, 2] = epsilon[1, 2, 0] = epsilon[2, 0, 1] = 1
    epsilon -= epsilon.transpose(0, 2, 1)
    np.testing.assert_allclose(np.abs(np.vdot(tensor, epsilon)), np.sqrt(6))


@pytest.mark.parametrize(
    ("channels", "expected"),
    [
        ([(0, 1, 0)], 1),
        ([(0, 1, 2)], 0),
        ([(0, 1, 3), (0, 2, 3)], 1),
        ([(0, 1, 1), (0, 2, 1), (0, 3, 1)], 0),  # odd under inversion
        ([(0, 1, 1), (0, 1, 1), (0, 2, 2)], 1),
        ([(0, 1, 1), (0, 2, 1), (0, 3, 1), (0, 4, 1)], 3),  # pairs of scalar products of four vectors
        ([(0, 1, 1), (0, 1, 1), (0, 1, 1), (0, 1, 1)], 1),  # the fourth power of one vector
        ([(0, 1, 1), (0, 1, 1), (1, 1, 1), (1, 1, 1)], 2),  # a.a b.b and (a.b)^2
        ([(0, 1, 2), (0, 1, 2), (0, 1, 2), (0, 1, 2)], 1),  # traceless symmetric matrix: tr Q^4 ~ (tr Q^2)^2
        ([(0, 1, 2)] * 5, 1),  # tr Q^2 tr Q^3
    ],
)
def test_number_of_invariants_is_that_of_invariant_theory(channels, expected):
    assert len(couplings(tuple(channels))) == expected


def test_couplings_are_orthonormal():
    found = couplings(((0, 1, 2), (0, 2, 2), (0, 3, 1), (0, 4, 1)))
    gram = [[np.vdot(a, b) for a in found] for b in found]
    assert len(found) == 3
    np.testing.assert_allclose(gram, np.eye(3), atol=1e-12)
