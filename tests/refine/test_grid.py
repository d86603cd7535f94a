import numpy as np
import pytest

from qmfront.crystal.columns import columns_of
from qmfront.refine.grid import Grid, covering


@pytest.mark.parametrize("dimension", [2, 3])
def test_covering_is_cubic_and_contains_the_margin(dimension):
    points = np.random.default_rng(1).uniform(-7, 11, (40, dimension)) * np.array([1, 0.3, 0.7])[:dimension]
    grid = covering(points, spacing=0.4, margin=2.0)
    assert len(set(grid.shape)) == 1 and grid.dimension == dimension
    nodes = grid.nodes()
    assert np.all(nodes.min(axis=0) <= points.min(axis=0) - 2 + 1e-9)
    assert np.all(nodes.max(axis=0) >= points.max(axis=0) + 2 - 1e-9)
    np.testing.assert_allclose(nodes / 0.4, np.round(nodes / 0.4), atol=1e-9)
    np.testing.assert_allclose(grid.axes()[0], np.unique(nodes[:, 0]))


def test_larger_margin_only_adds_nodes():
    points = np.array([[0.13, 0.4], [3.0, -1.7]])
    small, large = (covering(points, spacing=0.3, margin=m).nodes() for m in (1.0, 2.0))
    assert {tuple(p) for p in np.round(small / 0.3).astype(int)} <= {
        tuple(p) for p in np.round(large / 0.3).astype(int)
    }


def test_interpolation_is_exact_for_linear_and_infinite_outside():
    grid = Grid(np.array([-1.0, 2.0]), 0.5, (7, 9))
    values = (3 * grid.nodes()[:, 0] - 2 * grid.nodes()[:, 1]).reshape(grid.shape)
    inner = np.array([[0.13, 3.3], [1.99, 5.99], [-1.0, 2.0]])
    np.testing.assert_allclose(grid.at(values, inner), 3 * inner[:, 0] - 2 * inner[:, 1])
    assert np.isinf(grid.at(values, np.array([[2.01, 3.0]]))).all()
    values[0, 0] = np.inf
    assert np.isinf(grid.at(values, np.array([[-0.9, 2.1]]))).all()
    np.testing.assert_allclose(grid.at(values, inner[:2]), 3 * inner[:2, 0] - 2 * inner[:2, 1])


@pytest.mark.parametrize(
    "points, spacing, margin, message",
    [
        (np.empty((0, 2)), 0.4, 1.0, "no points"),
        (np.zeros((4, 1)), 0.4, 1.0, "shape"),
        (np.array([[0, np.nan]]), 0.4, 1.0, "NaN"),
        (np.zeros((4, 2)), 0.0, 1.0, "spacing > 0"),
        (np.zeros((4, 2)), 0.4, -1.0, "margin >= 0"),
        (np.array([[0.0, 0, 0], [1e4, 0, 0]]), 0.4, 1.0, "Increase the mesh spacing"),
    ],
)
def test_covering_errors(points, spacing, margin, message):
    with pytest.raises(ValueError, match=message):
        covering(points, spacing=spacing, margin=margin)


def test_columns_merge_periods_of_a_straight_defect():
    rng = np.random.default_rng(0)
    points = rng.uniform(-5, 5, (30, 2))
    order = rng.permutation(90)
    columns = columns_of(np.tile(points, (3, 1))[order] + 1e-9 * rng.standard_normal((90, 2)))
    assert columns.points.shape == (30, 2)
    np.testing.assert_allclose(columns.summed(np.ones(90)), 3.0)
    np.testing.assert_allclose(columns.points[columns.column], np.tile(points, (3, 1))[order], atol=1e-7)
