import numpy as np
import pytest

from qmfront.config.stages import InitialRegion
from qmfront.figures.atoms import MarkedDefect, Symbol, defect_symbol, dislocation_symbol, in_plane_spacing
from qmfront.figures.snapshots import (
    decomposition_figure,
    estimator_figure,
    estimator_table,
    front_figure,
    front_table,
    region_table,
)
from qmfront.refine.fast_marching import Refinement
from qmfront.refine.next_partition import SiteEstimates, first_region, next_partition
from tests.partitions import partition

THRESHOLDS = partition(t_new=2.0, t_buf=1.0, width=3.0, residual_factor=1.5)


def test_defects_without_a_burgers_vector(edge):
    assert defect_symbol(edge.frame, MarkedDefect("crack")) == Symbol("crack")
    assert defect_symbol(edge.frame, MarkedDefect("di_interstitial")) == Symbol("point")


@pytest.fixture(scope="module")
def snapshot(edge) -> tuple[np.ndarray, np.ndarray, Refinement]:
    """eta_site, old region, and what follows from them; the error is larger above the slip plane."""
    region = first_region(edge, InitialRegion(radius_r0=2.2), THRESHOLDS)
    x = edge.sites
    eta = 1e-3 * (2 + np.tanh(x[:, 1])) / (1 + (x[:, 0] ** 2 + x[:, 1] ** 2) / 30)
    sites = SiteEstimates(eta, np.zeros_like(eta))
    found = next_partition(edge, sites, region, np.zeros_like(x), settings=THRESHOLDS)
    assert found.front is not None
    return eta, region, Refinement.from_arrays(found.arrays(), **found.attributes())


def test_spacing_of_columns(edge):
    # <100>{001}: columns of both bcc sublattices form a square mesh of side a / sqrt 2
    assert in_plane_spacing(edge.sites[:, :2]) == pytest.approx(edge.r0 * 2 / np.sqrt(3) / np.sqrt(2))


def test_symbol_points_to_the_extra_half_plane(edge):
    symbol = defect_symbol(edge.frame, MarkedDefect("dislocation", (1.0, 0.0, 0.0)))
    assert symbol.shape == "edge"
    direction = np.array([-np.sin(np.radians(symbol.angle)), np.cos(np.radians(symbol.angle))])
    # there are more planes on the side of the extra half plane, hence shorter distances along e1
    x, moved = edge.sites, edge.body.reference
    density = {}
    for side in (-1, 1):
        rows = [
            np.flatnonzero(np.abs(x[:, 1] - h) < 0.01)
            for h in np.unique(x[:, 1].round(3))
            if 0 < side * h < 12
        ]
        density[side] = np.mean([(len(row) - 1) / np.ptp(moved[row, 0]) for row in rows])
    assert direction @ [0, 1] == pytest.approx(1.0 if density[1] > density[-1] else -1.0)
    assert abs(density[1] - density[-1]) > 1e-3

    frame = np.array([[1, 1, -2], [1, -1, 0], [1, 1, 1]]) / np.sqrt([[6], [2], [3]])
    assert dislocation_symbol([0.5, 0.5, 0.5], frame) == Symbol("screw")
    assert dislocation_symbol(frame[1], frame).angle == pytest.approx(90.0)


def test_extents_of_the_regions(edge, snapshot):
    region = snapshot[2].region
    shift = np.tile([0.5, -0.25, 0.0], (edge.n_sites, 1))
    assert len(decomposition_figure(edge, shift, region, symbol=Symbol("edge")).axes) == 2
    table = region_table(edge, shift, region).set_index("region")
    assert table["n"].tolist() == np.bincount(region).tolist()
    qm = (edge.body.reference + shift)[region == 0]
    np.testing.assert_allclose(table.loc["QM", ["x1_min", "x2_max"]], [qm[:, 0].min(), qm[:, 1].max()])


def test_estimator(edge, snapshot):
    eta, region, refined = snapshot
    figure = estimator_figure(edge, eta, region, refined)
    np.testing.assert_array_equal(figure.axes[0].collections[0].get_offsets(), edge.sites[region <= 1, :2])
    table = estimator_table(edge, eta, region, refined)
    assert len(table) == np.sum(region <= 1)
    np.testing.assert_array_equal(table["eta"], eta[table["site"]])
    # (4.3) interpolates eta_l up to one factor: at the sites both are proportional, apart from the mesh
    ratio = table["speed_at_site"] / table["eta"]
    assert ratio.std() / ratio.mean() < 0.1
    assert table["speed_at_site"].std() / table["speed_at_site"].mean() > 0.2


def test_front(edge, snapshot):
    _, region, refined = snapshot
    figure = front_figure(edge, refined, t_buf=THRESHOLDS.refine.t_buf)
    axes = figure.axes[0]
    _, qm, _, buffer = (c for c in axes.collections if hasattr(c, "levels"))
    # the outlines are whole, though the buffer leaves the mesh of the front, and hold the sites that they should
    low, high = axes.viewLim.get_points()
    for contour, inside in ((qm, 0), (buffer, 1)):
        (path,) = contour.get_paths()
        found = path.contains_points(edge.sites[:, :2])
        assert np.mean(found == (refined.region <= inside)) > 0.99
        assert np.all((path.vertices > low) & (path.vertices < high))
    table = front_table(edge, region, refined)
    became = table[(table["new_region"] == "QM") & (table["old_region"] != "QM")]
    assert len(became) == np.sum(refined.region == 0) - np.sum(region == 0) > 5
    assert became["arrival"].max() <= refined.threshold
    assert (table.loc[table["old_region"] == "QM", "arrival"] == 0).all()
