import numpy as np
import pytest

from qmfront.models.ace.basis import build_basis
from qmfront.models.ace.design import site_basis
from tests.models.ace.structures import KINDS, basis


def test_default_size():
    orders = [function.order for function in build_basis(["W"], cutoff=5.5).functions]
    assert len(orders) == 354
    assert [orders.count(order) for order in (1, 2, 3)] == [17, 147, 190]


def test_functions_are_linearly_independent():
    """Of degree low enough that rounding does not hide it."""
    small = build_basis(["W"], cutoff=5.0, max_degree=(3, 3, 3, 3), l_weight=1.0)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(300, 6, 3))
    vectors *= rng.uniform(0.5, 4.8, size=(300, 6, 1)) / np.linalg.norm(vectors, axis=2, keepdims=True)
    values = np.array([site_basis(small, v, np.zeros(6, int))[0] for v in vectors])
    singular = np.linalg.svd(values / np.linalg.norm(values, axis=0), compute_uv=False)
    assert len(small) == 32
    assert singular[-1] > 1e-6 * singular[0]


@pytest.mark.parametrize("kind", KINDS)
def test_functions_respect_degree_and_parity_and_have_distinct_products(kind):
    for function in basis(kind).functions:
        assert sum(function.ls) % 2 == 0
        assert len({tuple(row) for row in function.ms.tolist()}) == len(function.ms)
        assert np.all(np.abs(function.ms) <= np.array(function.ls))
        assert function.smoothness >= 0


def test_species_are_sorted_and_every_ordered_pair_has_a_bond():
    chosen = build_basis(["W", "C"], cutoff=4.0, max_degree=(2, 2))
    assert chosen.species == ("C", "W")
    assert [(bond.centre, bond.neighbour) for bond in chosen.bonds] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    np.testing.assert_array_equal(chosen.species_of(np.array([74, 6, 74])), [1, 0, 1])
    with pytest.raises(ValueError, match="14"):
        chosen.species_of(np.array([6, 14]))


def test_wrong_requests_are_refused():
    with pytest.raises(ValueError, match="distinct"):
        build_basis(["W", "W"], cutoff=5.0)
    with pytest.raises(ValueError, match="degree per order"):
        build_basis(["W"], cutoff=5.0, max_degree=())
