"""Divide and conquer: every site in one tile, and exact for a model of finite range in boxes of that range."""

import numpy as np
import pytest

from qmfront.coupling.tiles import box_of, divided_forces, tiles_of
from tests.points import point
from tests.silicon import sw_forces


@pytest.mark.parametrize(("cells", "tile"), [(4, 1), (5, 2), (6, 2)])
def test_every_site_is_in_one_tile(cells, tile):
    body = point("triangular", cells).body
    tiles = tiles_of(body, tile)
    assert np.array_equal(np.sort(np.concatenate(tiles)), np.arange(len(body.numbers)))
    assert len(tiles) == int(np.ceil(cells / tile)) ** 3
    assert max(map(len, tiles)) <= 8 * tile**3 + 2


def test_forces_of_a_finite_range_are_exact():
    """Stillinger-Weber forces reach 7.5 Å; boxes of 5^3 cells leave 8.1 Å around a tile of 2^3."""
    defect = point("triangular", 6)
    u = 0.02 * np.random.default_rng(0).normal(size=defect.sites.shape)
    whole = sw_forces(defect.body.atoms(u))
    exact = divided_forces(defect.body, sw_forces, tile_cells=2, box_cells=5)(u)
    rough = divided_forces(defect.body, sw_forces, tile_cells=2, box_cells=2)(u)
    assert np.abs(exact - whole).max() < 1e-9
    assert np.abs(rough - whole).max() > 1e-2


def test_no_box_tears_the_defect():
    body = point("triangular", 6).body
    added = np.arange(len(body.numbers) - 3, len(body.numbers))
    inside = [np.isin(added, box_of(body, tile, 3)[0]).sum() for tile in tiles_of(body, 2)]
    assert set(inside) == {0, 3}


def test_a_part_of_the_tiles_leaves_the_rest_undone():
    defect = point("vacancy", 4)
    tiles = tiles_of(defect.body, 2)[:3]
    forces = divided_forces(defect.body, sw_forces, tile_cells=2, box_cells=3, tiles=tiles)(0 * defect.sites)
    assert np.array_equal(np.flatnonzero(np.isfinite(forces[:, 0])), np.sort(np.concatenate(tiles)))
