"""Algorithm 2 as a whole: invariances, anisotropy, monotonicity, errors."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.refine.circle import circle_regions
from qmfront.refine.fast_marching import refine
from qmfront.refine.regions import BUFFER, MM, QM
from tests.partitions import changed, partition

MARKING = partition(t_new=3.0, t_buf=2.0, width=6.0)


def polar(domain):
    x, y = domain.coordinates.T[:2]
    return np.hypot(x, y), np.arctan2(y, x)


def estimator(domain, *, front=10.0, lobes=0.0):
    """Peaked at the QM interface, with a tail and a two-lobed angular dependence."""
    r, angle = polar(domain)
    return (np.exp(-(((r - front) / 4) ** 2)) + 0.02) * (1 + lobes * np.cos(2 * (angle - 0.3)))


@pytest.fixture(scope="module")
def start(disc):
    return circle_regions(disc, centre=np.zeros(2), radius=10.0, settings=MARKING)


def test_isotropic_estimator_keeps_the_circle(disc, start):
    result = refine(estimator(disc), start, disc, settings=MARKING)
    r, new = polar(disc)[0], result.region == QM
    assert r[~new].min() > r[new].max() - 2.8  # within one shell
    assert np.sum(new) > 1.2 * np.sum(start == QM)
    assert result.threshold == MARKING.refine.t_new
    assert result.speed.shape == result.arrival.shape == result.level_set.shape == result.grid.shape
    assert np.all(result.arrival_site[start == QM] == 0) and np.all(result.arrival_site[start != QM] > 0)


def test_anisotropic_estimator_gives_an_anisotropic_region(disc, start):
    result = refine(estimator(disc, lobes=0.9), start, disc, settings=MARKING)
    x = disc.coordinates[result.region == QM]
    along = np.array([np.cos(0.3), np.sin(0.3)])
    across = np.array([-along[1], along[0]])
    assert np.abs(x @ along).max() > np.abs(x @ across).max() + 2.0


@pytest.mark.parametrize("scale", [2.0**-30, 1e5])
def test_decision_does_not_depend_on_the_size_of_the_estimator(disc, start, scale):
    eta = estimator(disc, lobes=0.6)
    one, other = (refine(s * eta, start, disc, settings=MARKING).region for s in (1.0, scale))
    np.testing.assert_array_equal(one, other)
    assert np.sum(one != start) > 20


@pytest.mark.parametrize("angle, shift", [(0.0, (0.13, -31.3)), (0.7, (0.0, 0.0)), (np.pi / 2, (3.1, 0.2))])
def test_decision_does_not_depend_on_the_frame(disc, start, angle, shift):
    eta = estimator(disc, lobes=0.6)
    turn = np.eye(3)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    offset = np.array([*shift, 0.0])
    moved = replace(
        disc,
        coordinates=disc.coordinates @ turn[:2, :2].T + offset[:2],
        positions=disc.positions @ turn.T + offset,
    )
    marking = changed(MARKING, mesh=0.2)
    one, other = (refine(eta, start, d, settings=marking) for d in (disc, moved))
    differ = (one.region == QM) != (other.region == QM)
    # the staircase interface moves by up to a mesh width: only sites that arrive near T_new may change
    assert np.sum(differ) <= 0.05 * np.sum(one.region == QM)
    assert np.all(np.abs(one.arrival_site[differ] - 3.0) < 0.5)


def test_decision_does_not_depend_on_the_number_of_periods(disc, start):
    eta = estimator(disc, lobes=0.6)
    period = disc.cell[2, 2]
    two = replace(
        disc,
        coordinates=np.tile(disc.coordinates, (2, 1)),
        positions=np.vstack([disc.positions, disc.positions + np.array([0, 0, period])]),
        free=np.tile(disc.free, 2),
        cell=disc.cell * np.array([[1], [1], [2]]),
    )
    one = refine(eta, start, disc, settings=MARKING).region
    other = refine(np.tile(eta / 2, 2), np.tile(start, 2), two, settings=MARKING).region
    np.testing.assert_array_equal(other, np.tile(one, 2))


def test_region_grows_monotonically_and_the_mesh_follows(disc, start):
    region, sizes = start, []
    for _ in range(4):
        inner = np.sqrt(np.sum(region == QM) / 2 / np.pi) * 3.165
        new = refine(estimator(disc, front=inner, lobes=0.5), region, disc, settings=MARKING).region
        assert np.all(new[region == QM] == QM)
        assert np.sum(new == QM) >= 1.1 * np.sum(region == QM)
        sizes.append(np.sum(new == QM))
        region = new


def test_mesh_is_enlarged_until_it_holds_the_front(disc, start):
    """A fast front beyond QM + buffer: the automatic margin gives what a very large mesh gives."""
    eta = np.where(start == BUFFER, 1.0, 1e-3) + 2.0 * (start == BUFFER) * (polar(disc)[0] > 14)
    marking = changed(MARKING, t_new=6.0, t_buf=3.0, maximum_growth=None)
    automatic, large = (refine(eta, start, disc, settings=marking, margin=m) for m in (None, 50.0))
    assert large.grid.shape > automatic.grid.shape
    np.testing.assert_array_equal(automatic.region, large.region)
    assert np.sum(large.region <= BUFFER) > np.sum(start <= BUFFER)
    reached = large.arrival_site <= 9.0
    np.testing.assert_allclose(automatic.arrival_site[reached], large.arrival_site[reached], rtol=1e-12)


def test_max_normalisation_is_slower_than_mean(disc, start):
    eta = estimator(disc, lobes=0.6)
    mean, peak = (
        refine(eta, start, disc, settings=changed(MARKING, normalisation=n)) for n in ("mean", "max")
    )
    assert np.sum(peak.region == QM) < np.sum(mean.region == QM)
    known = start <= BUFFER
    # T scales inversely with the speed
    ratio = eta[known].max() / eta[known].mean()
    near = (start == BUFFER) & np.isfinite(mean.arrival_site + peak.arrival_site)
    np.testing.assert_allclose(peak.arrival_site[near] / mean.arrival_site[near], ratio, rtol=1e-9)


def test_growth_is_enforced_when_the_front_stalls(disc, start):
    weak = np.where(start == QM, 1.0, 1e-9)
    result = refine(weak, start, disc, settings=MARKING)
    grown = np.sum(result.region == QM) / np.sum(start == QM)
    assert result.threshold > MARKING.refine.t_new
    assert 1.1 <= grown < 1.3


def test_wrong_centre_is_repaired_towards_the_core(disc):
    """A QM circle beside the core grows towards it."""
    centre = np.array([8.0, 0.0])
    region = circle_regions(disc, centre=centre, radius=10.0, settings=MARKING)
    eta = np.exp(-(polar(disc)[0] / 6))
    new = refine(eta, region, disc, settings=MARKING).region
    added = disc.coordinates[(new == QM) & (region != QM)]
    assert added[:, 0].mean() < 0


@pytest.mark.parametrize("limit", ["band", "full"])
def test_three_dimensions(ball, limit):
    """The same code moves a front in a crystal; a stalled front falls back from the narrow band."""
    r = np.linalg.norm(ball.coordinates, axis=1)
    thresholds = partition(t_new=2.5, t_buf=1.0, width=3.0, minimum_growth=0.1)
    marking = changed(thresholds, mesh=0.6)
    start = circle_regions(ball, centre=np.zeros(3), radius=5.0, settings=thresholds)
    z = ball.coordinates[:, 2]
    eta = np.exp(-r / 8) * (0.3 + (z / (r + 1)) ** 2)
    if limit == "full":
        eta = np.where(start == QM, 1.0, 1e-4)
    result = refine(eta, start, ball, settings=marking)
    new = ball.coordinates[result.region == QM]
    assert np.sum(result.region == QM) >= 1.1 * np.sum(start == QM) and np.any(result.region == MM)
    assert np.all(result.region[start == QM] == QM)
    if limit == "band":
        assert np.isinf(result.arrival).any()
        assert np.abs(new[:, 2]).max() > np.abs(new[:, 0]).max()
    else:
        assert result.threshold > thresholds.refine.t_new


def test_errors(disc, start):
    eta = estimator(disc)
    with pytest.raises(ValueError, match="QM region is empty"):
        refine(eta, np.maximum(start, BUFFER), disc, settings=MARKING)
    with pytest.raises(ValueError, match="NaN or infinite on 1"):
        refine(np.where(np.arange(len(disc)) == np.argmin(start), np.nan, eta), start, disc, settings=MARKING)
    with pytest.raises(ValueError, match="negative"):
        refine(-eta, start, disc, settings=MARKING)
    with pytest.raises(ValueError, match="zero on all sites"):
        refine(np.where(start <= BUFFER, 0.0, eta), start, disc, settings=MARKING)
    with pytest.raises(ValueError, match="do not fit"):
        refine(eta[1:], start, disc, settings=MARKING)
    with pytest.raises(ValueError, match="mesh is too small: the front is at its boundary"):
        refine(eta + 5 * (start == BUFFER), start, disc, settings=MARKING, margin=0.0)
    far = changed(MARKING, t_new=200.0, maximum_growth=None)
    with pytest.raises(ValueError, match="touches the clamp.*Enlarge domain.radius_r0 or stop earlier"):
        refine(eta, start, disc, settings=far)
