"""Divide and conquer: every site in one tile, and exact for a model of finite range in boxes of that range."""

import numpy as np
import pytest

from qmfront.coupling.divide_and_conquer import (
    box_of,
    divided_forces,
    force_difference,
    gathered_forces,
    patch,
    shared_tiles,
    tiles_of,
)
from qmfront.crystal.box import centre_of
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
    tiles = tiles_of(defect.body, 2)
    exact = divided_forces(defect.body, sw_forces, tiles, box_cells=5)(u)
    rough = divided_forces(defect.body, sw_forces, tiles, box_cells=2)(u)
    assert np.abs(exact - whole).max() < 1e-9
    assert np.abs(rough - whole).max() > 1e-2


@pytest.mark.parametrize("cells", [4, 5, 6, 7])
def test_the_defect_is_in_the_middle_of_a_tile(cells):
    """So that the boxes around its neighbours end half a cell further from it, whatever the number of cells."""
    body = point("triangular", cells).body
    middle = body.lattice[-3:].mean(axis=0)
    (tile,) = [tile for tile in tiles_of(body, 1) if len(body.numbers) - 1 in tile]
    assert set(range(len(body.numbers) - 3, len(body.numbers))) <= set(tile.tolist())
    assert np.abs(centre_of(body.lattice[tile]) - middle).max() <= body.period[0] / 8 + 1e-6


def test_no_box_tears_the_defect():
    body = point("triangular", 6).body
    added = np.arange(len(body.numbers) - 3, len(body.numbers))
    inside = [np.isin(added, box_of(body, tile, 3)[0]).sum() for tile in tiles_of(body, 2)]
    assert set(inside) == {0, 3}


def test_a_part_of_the_tiles_leaves_the_rest_undone():
    defect = point("vacancy", 4)
    tiles = tiles_of(defect.body, 2)[:3]
    forces = divided_forces(defect.body, sw_forces, tiles, box_cells=3)(0 * defect.sites)
    assert np.array_equal(np.flatnonzero(np.isfinite(forces[:, 0])), np.sort(np.concatenate(tiles)))


def test_patches_of_several_jobs_make_the_forces_of_the_whole():
    """Boxes that are exact for Stillinger-Weber: gathered, they are its forces; a lost or doubled patch is told."""
    defect = point("triangular", 6)
    u = 0.02 * np.random.default_rng(1).normal(size=defect.sites.shape)
    shares = shared_tiles(defect.body, tile_cells=2, jobs=5)
    per_job = [len(np.unique(shares.tile[shares.job == job])) for job in range(5)]
    assert sum(per_job) == 27 and max(per_job) - min(per_job) <= 1
    patches = [patch(defect.body, sw_forces, u, shares, job=job, box_cells=5) for job in range(5)]
    exact = sw_forces(defect.body.atoms(u))
    found = force_difference(gathered_forces(patches, defect.free), exact - exact.mean(axis=0))
    assert found.rms <= found.largest < 1e-9
    for wrong in (patches[1:], [*patches, patches[0]]):
        with pytest.raises(ValueError, match="do not belong together"):
            gathered_forces(wrong, defect.free)
