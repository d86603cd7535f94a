"""Point defects seen in space: what is in front covers what is behind, and all of it is shown."""

import numpy as np
from matplotlib.figure import Figure

from qmfront.figures.space import draw_balls, projection, space_figure, space_stages_figure
from tests.points import point


def test_the_view_is_a_proper_rotation_with_the_third_axis_upright():
    P = projection()
    assert np.abs(P @ P.T - np.eye(3)).max() < 1e-12 and np.linalg.det(P) > 0
    assert abs(P[0, 2]) < 1e-12 and P[1, 2] > 0


def test_the_nearest_ball_is_drawn_last():
    positions = np.random.default_rng(0).normal(size=(20, 3))
    axes = Figure().subplots()
    draw_balls(axes, positions, np.zeros(20, int), radius=0.1)
    places = axes.collections[0].get_offsets()
    nearest = positions[(positions @ projection()[2]).argmax()]
    assert np.allclose(places[-1], projection()[:2] @ nearest)


def test_all_of_the_qm_region_is_shown():
    defect = point("triangular", 3)
    distance = np.linalg.norm(defect.sites - defect.core, axis=1)
    regions = [np.where(distance < r, 0, np.where(distance < 9, 1, 2)) for r in (4.0, 5.5)]
    _, close = space_figure(defect, np.zeros_like(defect.sites), regions[0]).axes
    assert len(close.collections[0].get_offsets()) == np.sum(regions[0] == 0)
    for panel, region in zip(space_stages_figure(defect, regions).axes, regions, strict=True):
        balls = np.asarray(panel.collections[1].get_offsets())
        qm = defect.body.reference[region == 0] @ projection()[:2].T
        assert np.abs(qm[:, None] - balls).sum(axis=2).min(axis=1).max() < 1e-9
