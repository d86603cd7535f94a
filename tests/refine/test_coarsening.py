"""What the QM region gives up: by the estimate, from outside, once; regions split and merge, and nothing flickers."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.sparse.linalg import splu

from qmfront.config.stages import Coarsen
from qmfront.coupling.partition import QM
from qmfront.crystal.neighbours import Pairs, pairs_within
from qmfront.estimate.estimator import estimator
from qmfront.refine.coarsening import KnownError, coarsened
from qmfront.refine.domain import Domain
from qmfront.refine.fast_marching import refine
from qmfront.refine.regions import PartitionSettings, regions_around
from tests.partitions import partition

SETTINGS = partition(width=5.0, residual_factor=1.0)


@pytest.fixture(scope="module")
def stencil(disc: Domain) -> Pairs:
    sites = np.column_stack([disc.coordinates, disc.positions[:, 2]])
    return pairs_within(sites, disc.cell, disc.pbc, 3.3)


@pytest.fixture(scope="module")
def answer(disc: Domain, stencil: Pairs):
    """F -> L^-1 F with the graph Laplacian of the stencil, zero on the clamp."""
    n = len(disc)
    bonds = sparse.coo_matrix((np.ones(len(stencil.first)), (stencil.first, stencil.second)), (n, n)).tocsr()
    operator = sparse.diags(np.asarray(bonds.sum(axis=1)).ravel()) - bonds
    factor = splu(operator[disc.free][:, disc.free].tocsc())

    def solve(forces: np.ndarray) -> np.ndarray:
        found = np.zeros_like(forces)
        found[disc.free] = factor.solve(np.ascontiguousarray(forces[disc.free]))
        return found

    return solve


def near(disc: Domain, centre: tuple[float, float], radius: float) -> np.ndarray:
    return disc.free & (np.linalg.norm(disc.coordinates - centre, axis=1) < radius)


def decaying(disc: Domain, *centres: tuple[float, float]) -> np.ndarray:
    """Forces that differ by 0.1 exp(-r / 3 Å), in directions without a pattern."""
    away = np.min([np.linalg.norm(disc.coordinates - c, axis=1) for c in centres], axis=0)
    direction = np.random.default_rng(1).normal(size=(len(disc), 3))
    return 0.1 * np.exp(-away / 3.0)[:, None] * direction / np.linalg.norm(direction, axis=1)[:, None]


def known_of(disc: Domain, stencil: Pairs, answer, difference: np.ndarray, in_qm: np.ndarray) -> KnownError:
    """Of a model whose residual is `difference` wherever a site is MM."""
    outside = np.where((disc.free & ~in_qm)[:, None], difference, 0.0)
    return KnownError(answer(outside), np.where(in_qm[:, None], difference, 0.0), answer, stencil)


def with_region(disc: Domain, in_qm: np.ndarray) -> np.ndarray:
    return regions_around(in_qm, disc, settings=SETTINGS)


def test_the_estimate_of_the_new_partition_is_known(disc: Domain, stencil: Pairs, answer) -> None:
    """It is that of the residual which the smaller region has, and as large as the tolerance allows."""
    difference, in_qm = decaying(disc, (0.0, 0.0)), near(disc, (0.0, 0.0), 25.0)
    known = known_of(disc, stencil, answer, difference, in_qm)
    core, tolerance = near(disc, (0.0, 0.0), 4.0), 0.05
    found = coarsened(
        with_region(disc, in_qm), disc, known, kept=core, tolerance=tolerance, settings=SETTINGS
    )
    left = found.region == QM
    alone = known_of(disc, stencil, answer, difference, left)
    assert found.eta == pytest.approx(estimator(alone.phi, stencil), rel=1e-9)
    assert found.eta <= 0.7 * tolerance and found.removed.sum() > 100 and np.all(left[core])
    assert np.array_equal(in_qm & ~left, found.removed)
    # it is the whole of what may leave: the sites of the next arrival would be too much
    times = -found.arrival_site
    following = times[left & ~core].min()
    more = found.removed | (left & ~core & (times <= following * 1.05))
    assert known.without(more) > 0.95 * 0.7 * tolerance
    np.testing.assert_allclose(found.removed, in_qm & ~core & (found.arrival_site >= found.threshold))


def test_more_tolerance_leaves_fewer_sites(disc: Domain, stencil: Pairs, answer) -> None:
    difference, in_qm = decaying(disc, (2.0, -1.0)), near(disc, (0.0, 0.0), 25.0)
    known = known_of(disc, stencil, answer, difference, in_qm)
    core = near(disc, (2.0, -1.0), 4.0)
    sizes = [
        np.sum(
            coarsened(
                with_region(disc, in_qm), disc, known, kept=core, tolerance=tolerance, settings=SETTINGS
            ).region
            == QM
        )
        for tolerance in (1e-3, 1e-2, 1e-1, 1.0, 10.0)
    ]
    assert np.all(np.diff(sizes) <= 0) and sizes[0] > 1.5 * sizes[-1] and sizes[-1] == core.sum()


def test_nothing_leaves_twice_and_nothing_flickers(disc: Domain, stencil: Pairs, answer) -> None:
    """At one load: what is left is left alone, and what leaves would not have to come back."""
    difference, in_qm = decaying(disc, (0.0, 0.0)), near(disc, (3.0, 0.0), 22.0)
    core, tolerance, sizes = near(disc, (0.0, 0.0), 4.0), 0.05, []
    for _ in range(4):
        known = known_of(disc, stencil, answer, difference, in_qm)
        found = coarsened(
            with_region(disc, in_qm), disc, known, kept=core, tolerance=tolerance, settings=SETTINGS
        )
        in_qm = found.region == QM
        sizes.append(int(in_qm.sum()))
        assert (
            known_of(disc, stencil, answer, difference, in_qm).without(np.zeros(len(disc), bool)) < tolerance
        )
    assert len(set(sizes)) == 1


def test_above_the_fraction_nothing_leaves(disc: Domain, stencil: Pairs, answer) -> None:
    difference, in_qm = decaying(disc, (0.0, 0.0)), near(disc, (0.0, 0.0), 20.0)
    known = known_of(disc, stencil, answer, difference, in_qm)
    eta, core = estimator(known.phi, stencil), near(disc, (0.0, 0.0), 4.0)
    for tolerance in (eta / 0.71, eta / 0.99, eta / 2.0):
        found = coarsened(
            with_region(disc, in_qm), disc, known, kept=core, tolerance=tolerance, settings=SETTINGS
        )
        if tolerance > eta / 0.7:
            continue
        assert not found.removed.any() and found.threshold == 0.0 and found.eta == pytest.approx(eta)


def test_a_region_splits_where_the_models_agree_and_merges_again(
    disc: Domain, stencil: Pairs, answer
) -> None:
    """Two cores in one region: the sites between them leave, and the front that runs outwards joins the parts."""
    centres = ((-16.0, 0.0), (16.0, 0.0))
    difference = decaying(disc, *centres)
    in_qm = near(disc, (0.0, 0.0), 30.0)
    core = near(disc, centres[0], 4.0) | near(disc, centres[1], 4.0)
    known = known_of(disc, stencil, answer, difference, in_qm)
    found = coarsened(with_region(disc, in_qm), disc, known, kept=core, tolerance=0.2, settings=SETTINGS)
    assert parts(stencil, in_qm) == 1 and parts(stencil, found.region == QM) == 2
    region, growing = found.region, PartitionSettings(SETTINGS.refine, SETTINGS.buffer)
    for _ in range(6):
        region = refine(np.ones(len(disc)), region, disc, settings=growing).region
        if parts(stencil, region == QM) == 1:
            return
    raise AssertionError("the parts never merge")


def parts(stencil: Pairs, chosen: np.ndarray) -> int:
    inside = chosen[stencil.first] & chosen[stencil.second]
    n = len(chosen)
    graph = sparse.coo_matrix(
        (np.ones(inside.sum()), (stencil.first[inside], stencil.second[inside])), (n, n)
    )
    return sparse.csgraph.connected_components(graph.tocsr()[chosen][:, chosen])[0]


def test_scaling_all_forces_and_the_tolerance_changes_nothing(disc: Domain, stencil: Pairs, answer) -> None:
    difference, in_qm = decaying(disc, (0.0, 0.0)), near(disc, (5.0, 0.0), 20.0)
    core = near(disc, (0.0, 0.0), 4.0)
    found = [
        coarsened(
            with_region(disc, in_qm),
            disc,
            known_of(disc, stencil, answer, scale * difference, in_qm),
            kept=core,
            tolerance=scale * 0.05,
            settings=SETTINGS,
        ).removed
        for scale in (1.0, 1e-4)
    ]
    assert found[0].any() and np.array_equal(*found)


def test_few_sites_are_not_worth_a_change(disc: Domain, stencil: Pairs, answer) -> None:
    difference, in_qm = decaying(disc, (0.0, 0.0)), near(disc, (0.0, 0.0), 25.0)
    core = near(disc, (0.0, 0.0), 4.0)
    known = known_of(disc, stencil, answer, difference, in_qm)
    picky = replace(SETTINGS, coarsen=Coarsen(least=0.999))
    found = coarsened(with_region(disc, in_qm), disc, known, kept=core, tolerance=0.05, settings=picky)
    assert not found.removed.any()


def test_models_that_agree_leave_the_core_alone(disc: Domain, stencil: Pairs, answer) -> None:
    in_qm, core = near(disc, (0.0, 0.0), 20.0), near(disc, (0.0, 0.0), 4.0)
    known = known_of(disc, stencil, answer, np.zeros((len(disc), 3)), in_qm)
    found = coarsened(with_region(disc, in_qm), disc, known, kept=core, tolerance=0.05, settings=SETTINGS)
    assert np.array_equal(found.region == QM, core) and found.eta == 0.0


def test_a_region_without_a_core_is_refused(disc: Domain, stencil: Pairs, answer) -> None:
    in_qm = near(disc, (0.0, 0.0), 10.0)
    known = known_of(disc, stencil, answer, decaying(disc, (0.0, 0.0)), in_qm)
    with pytest.raises(ValueError, match="None of the .* QM sites is kept"):
        coarsened(with_region(disc, in_qm), disc, known, kept=~in_qm, tolerance=0.05, settings=SETTINGS)
