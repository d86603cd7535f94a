"""Solutes on sites of a straight defect, and domains that repeat others along the line."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.crystal.solutes import same_sites, with_solutes
from qmfront.elasticity.straight import StraightDislocation, dislocation_defect

TANTALUM = 73
EDGE = StraightDislocation(
    line=(0, 1, 0),
    plane=(0, 0, 1),
    burgers=(1.0, 0.0, 0.0),
    core_offset=(0.0, 0.0),
    core_map_radius_r0=3.5,
    radius_r0=5.0,
    clamp_width=8.0,
)


@pytest.fixture(scope="module")
def higher(tungsten):
    return dislocation_defect(tungsten, replace(EDGE, periods=3))


@pytest.fixture(scope="module")
def lower(tungsten):
    return dislocation_defect(tungsten, EDGE)


def test_a_higher_domain_repeats_the_lower_one(higher, lower):
    site = same_sites(higher, lower)
    assert higher.n_sites == 3 * lower.n_sites and np.all(np.bincount(site) == 3)
    assert higher.cell[2, 2] == pytest.approx(3 * lower.cell[2, 2])
    apart = higher.sites - lower.sites[site]
    np.testing.assert_allclose(apart[:, :2], 0.0, atol=1e-9)
    np.testing.assert_allclose(np.mod(apart[:, 2] + 0.1, lower.cell[2, 2]), 0.1, atol=1e-9)
    np.testing.assert_allclose(higher.predictor, lower.predictor[site], atol=1e-9)
    bonds = (np.bincount(one.stencil.first, minlength=one.n_sites) for one in (higher, lower))
    assert np.array_equal(next(bonds), next(bonds)[site])


def test_other_sites_are_refused(higher, lower):
    with pytest.raises(ValueError, match=r"do\s+not repeat each other"):
        same_sites(lower, higher)
    moved = replace(lower, predictor=lower.predictor + 0.1)
    with pytest.raises(ValueError, match="predictors with and without"):
        same_sites(higher, moved)


def test_the_nearest_atom_of_the_predictor_is_replaced(higher):
    """In the deformed body, and modulo the height."""
    target = int(np.argmin(np.linalg.norm(higher.coordinates - [2.0, -3.0], axis=1)))
    place = (higher.sites + higher.predictor)[target] + [0.3, -0.2, 0.2]
    for height in (0.0, higher.cell[2, 2], -higher.cell[2, 2]):
        found = with_solutes(higher, [place + np.array([0.0, 0.0, height])], [TANTALUM])
        assert np.flatnonzero(found.numbers != higher.numbers).tolist() == [target]
        assert found.numbers[target] == TANTALUM and higher.numbers[target] != TANTALUM
    assert with_solutes(higher, [], []) is higher


@pytest.mark.parametrize(
    ("places", "number", "message"),
    [
        ([(0.0, 60.0, 0.0)], TANTALUM, "from the nearest atom of the domain"),
        ([(0.0, 17.0, 0.0)], TANTALUM, "in the clamped rim"),
        ([(2.0, 3.0, 0.0), (2.2, 3.0, 0.1)], TANTALUM, "another solute has already"),
        ([(2.0, 3.0, 0.0)], 74, "W already; nothing changes"),
    ],
)
def test_places_that_name_no_site_are_refused(higher, places, number, message):
    with pytest.raises(ValueError, match=message):
        with_solutes(higher, places, [number] * len(places))
