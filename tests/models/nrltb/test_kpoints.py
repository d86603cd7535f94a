"""Monkhorst-Pack grids: against ASE's, exact integrals, time reversal, real phases."""

import numpy as np
import pytest
from ase.dft.kpoints import monkhorst_pack as whole_grid

from qmfront.models.nrltb.kpoints import monkhorst_pack, phases

T = np.array(list(np.ndindex(5, 5, 5))) - 2


def bloch_sum(grid):
    """sum_k w_k cos(2 pi k.T), what an even function sees."""
    return grid.weights @ np.cos(2 * np.pi * grid.points @ T.T)


@pytest.mark.parametrize("divisions", [(1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 3, 2), (1, 1, 6)])
def test_reduced_grid_integrates_like_the_whole_one(divisions):
    grid, whole = monkhorst_pack(divisions), whole_grid(divisions)
    np.testing.assert_allclose(bloch_sum(grid), np.cos(2 * np.pi * whole @ T.T).mean(axis=0), atol=1e-13)
    own = sum(np.all(np.isclose((2 * k) % 1.0, 0.0) | np.isclose((2 * k) % 1.0, 1.0)) for k in whole)
    assert len(grid) == (len(whole) + own) // 2
    assert grid.weights.sum() == pytest.approx(1.0, abs=1e-14)


@pytest.mark.parametrize("shift", [(0.5, 0.5, 0.5), (0.0, 0.5, 0.0), (0.21, 0.0, -0.37)])
def test_shifted_grid(shift):
    q = np.array([3, 2, 4])
    whole = whole_grid(q) + np.array(shift) / q
    np.testing.assert_allclose(
        bloch_sum(monkhorst_pack(tuple(q), shift=shift)),
        np.cos(2 * np.pi * whole @ T.T).mean(axis=0),
        atol=1e-13,
    )


def test_half_a_step_puts_gamma_on_an_even_grid():
    assert not np.any(np.all(monkhorst_pack((2, 2, 2)).points == 0, axis=1))
    shifted = monkhorst_pack((2, 2, 2), shift=(0.5, 0.5, 0.5))
    assert np.any(np.all(shifted.points == 0, axis=1)) and len(shifted) == 8


def test_phases_are_real_where_they_can_be():
    for point in ((0, 0, 0), (0.5, 0, 0.5), (-0.5, 1.0, 1.5)):
        real = phases(np.array(point), T)
        assert real.dtype == float
        np.testing.assert_allclose(real, np.exp(2j * np.pi * T @ np.array(point)), atol=1e-12)
    assert np.iscomplexobj(phases(np.array([1 / 3, 0, 0]), T))


def test_what_is_no_grid_is_refused():
    for divisions in ((2, 2), (0, 1, 1), (1.5, 1, 1), 4):
        with pytest.raises(ValueError, match="three positive integers"):
            monkhorst_pack(divisions)
    with pytest.raises(ValueError, match="kpts_shift"):
        monkhorst_pack((1, 1, 1), shift=(0.5, 0.5))
