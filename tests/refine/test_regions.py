"""New regions (4.4), the geometric buffer, circles, and their errors."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.crystal.neighbours import pairs_within
from qmfront.refine.circle import Ball, circle_regions, grown_circle, initial_regions
from qmfront.refine.domain import Domain, shell_around
from qmfront.refine.regions import BUFFER, FAR_FIELD, MM, QM, marked_regions, qm_threshold, regions_around
from tests.partitions import changed, partition

ORIGIN = np.zeros(2)
THIN = partition(t_new=3.0, t_buf=2.0, width=5.0, minimum_growth=0.1)


def radial(domain: Domain) -> np.ndarray:
    return np.linalg.norm(domain.coordinates, axis=1)


@pytest.mark.parametrize("width", [1.0, 2.8, 7.3])
@pytest.mark.parametrize("which", ["disc", "ball", "sheared"])
def test_shell_equals_the_pair_list(which, width, request):
    domain = request.getfixturevalue("disc" if which == "disc" else "ball")
    if which == "sheared":
        rng = np.random.default_rng(5)
        cell = np.array([[7.0, 0.5, 0.0], [3.1, 6.0, 0.4], [-1.5, 2.0, 8.0]])
        positions = rng.uniform(-2, 3, (60, 3)) @ cell  # far outside the cell on purpose
        domain = Domain(positions, positions, np.ones(60, bool), cell, np.array([True, False, True]))
    chosen = np.random.default_rng(2).uniform(size=len(domain)) < 5 / len(domain)
    chosen[3] = True
    pairs = pairs_within(domain.positions, domain.cell, domain.pbc, width)
    expected = chosen.copy()
    expected[pairs.second[chosen[pairs.first]]] = True
    np.testing.assert_array_equal(shell_around(domain, chosen, width=width), expected)


def test_thresholds_of_the_paper(disc):
    """With a negligible geometric buffer the regions are those of (4.4)."""
    r, old = radial(disc), circle_regions(disc, centre=ORIGIN, radius=12.0, settings=THIN)
    arrival = np.maximum(r - 12, 0)
    thin = changed(THIN, width=1e-3)
    new = marked_regions(arrival, old, disc, settings=thin)
    np.testing.assert_array_equal(new == QM, r <= 15)
    np.testing.assert_array_equal(new == BUFFER, (r > 15) & (r <= 17))
    np.testing.assert_array_equal(new == FAR_FIELD, ~disc.free)


def test_buffer_contains_the_geometric_shell(disc):
    old = circle_regions(disc, centre=ORIGIN, radius=12.0, settings=THIN)
    new = marked_regions(np.maximum(radial(disc) - 12, 0), old, disc, settings=THIN)
    shell = shell_around(disc, new == QM, width=5.0)
    assert np.all(new[shell] <= BUFFER)
    assert np.sum(new == BUFFER) == np.sum(shell & (new != QM))
    assert np.all(new[old == QM] == QM)


def test_old_qm_sites_stay_whatever_their_arrival(disc):
    """The march is positive on both sides of the interface; coarsening is not part of Algorithm 2."""
    old = circle_regions(disc, centre=ORIGIN, radius=12.0, settings=THIN)
    both_sides = np.abs(radial(disc) - 12)
    new = marked_regions(both_sides, old, disc, settings=THIN)
    assert np.any(both_sides[old == QM] > THIN.refine.t_new)
    np.testing.assert_array_equal(new == QM, radial(disc) <= 15)


def test_minimum_growth(disc):
    old = circle_regions(disc, centre=ORIGIN, radius=12.0, settings=THIN)
    slow = 100 * np.maximum(radial(disc) - 12, 0)
    n_old = np.sum(old == QM)
    for fraction in (0.0, 0.1, 0.5):
        new = marked_regions(slow, old, disc, settings=changed(THIN, minimum_growth=fraction))
        n_new = np.sum(new == QM)
        assert max(np.ceil(fraction * n_old), 1) <= n_new - n_old <= np.ceil(fraction * n_old) + 2
        # in order of arrival
        assert slow[(new == QM) & (old != QM)].max() <= slow[new > QM].min()


def test_sites_that_arrive_together_enter_together(ball):
    r = radial(ball)
    old = np.where(r < 1.0, QM, MM)
    new = marked_regions(50 * r, old, ball, settings=changed(THIN, minimum_growth=1.0))
    assert np.sum(new == QM) == 9  # one site and its eight neighbours, although one was asked for


def test_clamped_sites_are_never_marked(disc):
    new = circle_regions(disc, centre=ORIGIN, radius=30.0, settings=THIN)
    assert set(np.unique(new)) == {QM, BUFFER, MM, FAR_FIELD}
    np.testing.assert_array_equal(new == FAR_FIELD, ~disc.free)


@pytest.mark.parametrize(
    "radius, thresholds, message",
    [
        (61.0, THIN, "QM region touches the clamp: it contains"),
        (57.0, THIN, r"buffer of R_buf = 5 Å touches the clamp.*Enlarge domain.radius_r0"),
        (
            52.0,
            changed(THIN, residual_factor=5.0),
            "buffer of the exact residual, 25 Å wide.*beyond the clamped rim",
        ),
        (0.1, THIN, "QM region is empty"),
    ],
)
def test_errors_of_geometry(disc, radius, thresholds, message):
    with pytest.raises(ValueError, match=message):
        circle_regions(disc, centre=ORIGIN, radius=radius, settings=thresholds)


def test_front_that_reaches_the_clamp(disc):
    old = circle_regions(disc, centre=ORIGIN, radius=12.0, settings=THIN)
    with pytest.raises(ValueError, match="touches the clamp.*stop earlier"):
        marked_regions(0.01 * radial(disc), old, disc, settings=THIN)


def test_errors_of_marking(disc, ball):
    old = circle_regions(disc, centre=ORIGIN, radius=12.0, settings=THIN)
    arrival = np.maximum(radial(disc) - 12, 0)
    with pytest.raises(ValueError, match="QM region is empty"):
        marked_regions(arrival, np.maximum(old, BUFFER), disc, settings=THIN)
    with pytest.raises(ValueError, match="NaN at 1 sites"):
        marked_regions(np.where(np.arange(len(disc)) == 9, np.nan, arrival), old, disc, settings=THIN)
    with pytest.raises(ValueError, match="only 0 free sites are reached.*mesh is too small"):
        marked_regions(np.where(arrival > 0, np.inf, 0.0), old, disc, settings=THIN)
    with pytest.raises(ValueError, match="No MM site is left"):
        regions_around(radial(ball) < 1, ball, settings=changed(THIN, width=60.0))


def test_circles_grow_by_the_factor(disc):
    centre = np.array([4.0, -3.0])
    region = circle_regions(disc, centre=centre, radius=8.0, settings=THIN)
    for _ in range(4):
        grown = grown_circle(region, disc, centre=centre, factor=1.5, settings=THIN)
        n_old, n_new = np.sum(region == QM), np.sum(grown == QM)
        assert 1.5 * n_old <= n_new <= 1.5 * n_old + 8
        distance = np.linalg.norm(disc.coordinates - centre, axis=1)
        assert distance[grown == QM].max() < distance[grown != QM].min()
        region = grown
    with pytest.raises(ValueError, match="larger than 1"):
        grown_circle(region, disc, centre=centre, factor=1.0, settings=THIN)
    with pytest.raises(ValueError, match="does not fit into"):
        grown_circle(region, disc, centre=centre, factor=100.0, settings=THIN)


def test_initial_region_must_contain_the_core(disc):
    circle = Ball(ORIGIN, 8.0)
    region = initial_regions(disc, circle, core=Ball(np.array([1.0, 2.0]), 3.0), settings=THIN)
    assert np.all(region[np.linalg.norm(disc.coordinates - [1.0, 2.0], axis=1) <= 3.0] == QM)
    with pytest.raises(ValueError, match="does not contain the core.*centre is 9.0 Å off.*at least 12.0 Å"):
        initial_regions(disc, circle, core=Ball(np.array([9.0, 0.0]), 3.0), settings=THIN)
    with pytest.raises(ValueError, match="2-dimensional"):
        initial_regions(disc, Ball(np.zeros(3), 8.0), core=Ball(ORIGIN, 3.0), settings=THIN)


def test_domain_checks_shapes(disc):
    with pytest.raises(ValueError, match="need"):
        replace(disc, free=disc.free[1:])
    with pytest.raises(ValueError, match=r"\(n, 2\) or \(n, 3\)"):
        replace(disc, coordinates=disc.coordinates[:, :1])
    with pytest.raises(ValueError, match="NaN or infinite"):
        replace(disc, positions=np.where(np.arange(len(disc))[:, None] == 4, np.nan, disc.positions))


def test_a_step_is_no_larger_than_the_largest_growth():
    """T_new would take 50 sites; the front stops at as many as there were, sites of one arrival together."""
    arrival = np.concatenate([np.zeros(10), np.repeat(np.linspace(0.1, 2.0, 25), 2)])
    in_qm, free = arrival == 0, np.ones(60, bool)
    sizes = {}
    for growth in (None, 1.0, 0.35):
        settings = partition(t_new=4.0, minimum_growth=0.1, maximum_growth=growth)
        end = qm_threshold(arrival, in_qm, free, settings=settings)
        sizes[growth] = int(np.sum((arrival <= end) & ~in_qm))
    assert sizes == {None: 50, 1.0: 10, 0.35: 4}


def test_the_least_growth_goes_before_the_largest():
    arrival = np.concatenate([np.zeros(10), np.linspace(0.1, 2.0, 50)])
    settings = partition(t_new=0.01, minimum_growth=0.5, maximum_growth=0.2)
    end = qm_threshold(arrival, arrival == 0, np.ones(60, bool), settings=settings)
    assert np.sum((arrival <= end) & (arrival > 0)) == 5
