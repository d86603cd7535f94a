"""Folds of a path of loads, and cores that have moved by a lattice vector."""

import numpy as np
import pytest

from qmfront.coupling.core import glide_position
from qmfront.coupling.instability import fold_load, glide_vector, load_shift, moved_on, translated_sites
from qmfront.crystal.defect import Defect, at_rest
from qmfront.elasticity.bulk import Bulk


def test_fold_of_a_sine() -> None:
    """F = g - sin x: lambda = cos x, a fold at g = 1, which lambda^2 = 1 - g^2 tells from nearby loads."""
    loads = (0.97, 0.99)
    found = fold_load(loads, (np.sqrt(1 - loads[0] ** 2), np.sqrt(1 - loads[1] ** 2)))
    assert found == pytest.approx(1.0, abs=2e-4)
    downwards = fold_load((-0.97, -0.99), (np.sqrt(1 - 0.97**2), np.sqrt(1 - 0.99**2)))
    assert downwards == pytest.approx(-found)


def test_no_fold_ahead_of_a_path_that_gets_stiffer() -> None:
    assert fold_load((0.0, 0.1), (0.1, 0.2)) == np.inf
    assert fold_load((0.0, -0.1), (0.1, 0.2)) == -np.inf


def test_shift_of_the_fold_of_a_sine() -> None:
    """F + r has its fold at 1 - r, whatever the length of the mode."""
    mode, residual = np.array([[0.0, -3.0, 0.0]]), np.array([[0.0, 0.02, 0.0]])
    assert load_shift(mode, residual, np.array([[0.0, 1.0, 0.0]])) == pytest.approx(-0.02)


def test_translated_sites_are_lattice_sites(mixed: Defect) -> None:
    """One row on, along e1 in the same plane: |[1 1 -2]| / 3 a in bcc, with a part along the line."""
    shift = glide_vector(mixed)
    assert shift[1] == pytest.approx(0.0, abs=1e-9)
    assert shift[0] == pytest.approx(mixed.r0 * np.sqrt(2.0 / 3.0) * 2 / np.sqrt(3.0), rel=1e-6)
    origin = translated_sites(mixed, shift)
    known = origin >= 0
    assert 0.85 < known.mean() < 1.0
    away = (mixed.sites[known] - shift - mixed.sites[origin[known]])[:, 2] / mixed.cell[2, 2]
    np.testing.assert_allclose(away, np.rint(away), atol=1e-6)
    np.testing.assert_allclose(mixed.sites[known, :2] - shift[:2], mixed.sites[origin[known], :2], atol=1e-6)


def test_a_core_that_has_moved_on_sits_one_row_further(mixed: Defect, tungsten: Bulk) -> None:
    """Its strains are those of the core, shifted; the clamp stays; it has its neighbours again once they are found."""
    burgers = mixed.frame @ np.array([-0.5, -0.5, 0.5]) * tungsten.crystal.lattice_constant
    still, shift = np.zeros_like(mixed.predictor), glide_vector(mixed)
    u = moved_on(mixed, still, shift)
    assert np.all(u[~mixed.free] == 0.0) and np.abs(u).max() > 0.3
    before = glide_position(still, mixed, burgers)
    assert glide_position(u, mixed, burgers) - before == pytest.approx(shift[0], abs=0.1)
    near = np.linalg.norm(mixed.coordinates, axis=1) < 8.0
    origin = translated_sites(mixed, shift)[near]
    there = (mixed.predictor + u)[near]
    np.testing.assert_allclose(there, mixed.predictor[origin], atol=1e-12)
    moved = at_rest(mixed, u, tungsten.crystal)
    np.testing.assert_allclose(moved.body.reference, mixed.body.reference + u)
    assert glide_position(still, moved, burgers) == pytest.approx(glide_position(u, mixed, burgers))
    # as many neighbours one row further as there were
    counts = [np.bincount(one.stencil.first, minlength=one.n_sites) for one in (mixed, moved)]
    inner = np.linalg.norm(mixed.coordinates, axis=1) < 6.0
    here = np.flatnonzero(inner & (translated_sites(mixed, shift) >= 0))
    np.testing.assert_array_equal(counts[1][here], counts[0][translated_sites(mixed, shift)[here]])
    assert not np.array_equal(counts[1], counts[0])


def test_a_shear_of_the_whole_body_moves_no_core(mixed: Defect, tungsten: Bulk) -> None:
    burgers = mixed.frame @ np.array([-0.5, -0.5, 0.5]) * tungsten.crystal.lattice_constant
    shear = 0.02 * np.outer(mixed.body.reference[:, 1], burgers / np.linalg.norm(burgers))
    still = np.zeros_like(shear)
    assert glide_position(shear, mixed, burgers) == pytest.approx(
        glide_position(still, mixed, burgers), abs=0.05
    )
