import numpy as np
import pytest
from matplotlib.collections import EllipseCollection

from qmfront.figures.atoms import Symbol
from qmfront.figures.stages import nearest_stages, principal_axes, stages_figure, stages_table

SIZES = (40, 58, 90, 130, 175, 260)


def regions(edge, sizes=SIZES) -> list[np.ndarray]:
    """The QM regions are the sites nearest to the core, in a metric that makes them long along a slanted line."""
    x = edge.sites[:, :2]
    along = (x[:, 0] + 0.5 * x[:, 1]) / np.sqrt(1.25)
    across = (x[:, 1] - 0.5 * x[:, 0]) / np.sqrt(1.25)
    order = np.argsort(along**2 / 4 + across**2)
    found = []
    for size in sizes:
        region = np.full(len(x), 2)
        region[order[: 2 * size]] = 1
        region[order[:size]] = 0
        found.append(region)
    return found


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ((56, 91, 122, 183), [1, 2, 3, 4]),
        ((41, 262), [0, 5]),
        ((10,), [0]),
        ((128, 131, 135), [2, 3, 4]),  # all three are nearest to 130: no iteration twice
        ((1, 2, 3, 4, 5, 6, 7, 8), [0, 1, 2, 3, 4, 5]),  # more numbers than iterations
    ],
)
def test_iterations_nearest_to_the_wanted_numbers(wanted, expected, edge):
    assert nearest_stages(regions(edge), wanted) == expected


def test_principal_axes():
    rng = np.random.default_rng(1)
    points = rng.standard_normal((200, 2))
    points -= points.mean(axis=0)
    points = points @ np.linalg.inv(np.linalg.cholesky(np.cov(points.T, bias=True)).T)  # unit covariance
    assert principal_axes(points)[0] == pytest.approx(1.0)
    for angle in (-80.0, -30.0, 0.0, 45.0, 89.0):
        c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        turned = points * [3.0, 1.2] @ np.array([[c, s], [-s, c]]) + [7.0, -4.0]
        assert principal_axes(turned) == pytest.approx((2.5, angle))
        assert principal_axes(11.0 * turned) == pytest.approx((2.5, angle))
    assert principal_axes(np.array([[0.0, 0.0], [1.0, 1.0], [3.0, 3.0]]))[1] == pytest.approx(45.0)


def test_table(edge):
    found = regions(edge)
    table = stages_table(edge, found, [0, 3, 5]).set_index("k")
    assert table["n_qm"].tolist() == [40, 130, 260]
    assert table["n_buf"].tolist() == [40, 130, 260]
    x = edge.body.reference[found[3] == 0, :2]
    assert table.loc[3, ["centroid_x1", "centroid_x2"]].tolist() == pytest.approx(x.mean(axis=0).tolist())
    assert (table.loc[3, "x1_min"], table.loc[3, "x2_max"]) == (x[:, 0].min(), x[:, 1].max())
    # twice as long as wide along (2, 1); lattice and predictor blur it by a column or so at either end
    assert table["elongation"].between(1.7, 2.5).all()
    assert table["angle"].between(18, 35).all()


@pytest.mark.parametrize("count", [1, 6])
def test_every_panel_shows_every_site_in_the_window_of_all(count, edge):
    found = regions(edge)[:count]
    figure = stages_figure(edge, found, symbol=Symbol("crack"))
    assert len({(a.get_xlim(), a.get_ylim()) for a in figure.axes}) == 1
    low, high = figure.axes[0].viewLim.get_points()
    for panel, region in zip(figure.axes, found, strict=True):
        inner = edge.body.reference[region <= 1, :2]
        assert np.all((inner > low) & (inner < high))
        discs = [c for c in panel.collections if isinstance(c, EllipseCollection)]
        assert [len(group.get_offsets()) for group in discs] == np.bincount(region).tolist()
