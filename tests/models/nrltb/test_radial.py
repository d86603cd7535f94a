"""Radial functions: tabulated values, derivatives, smoothness at the cutoff, layout for pairs of species."""

import numpy as np
import pytest

from qmfront.models.bonds import Bonds
from qmfront.models.nrltb.parameters import BOHR, DENSITY, HOPPING, OVERLAP, from_mapping, load_parameters
from qmfront.models.nrltb.radial import radial_functions, screening
from tests.models.ace.step_sweep import assert_derivative
from tests.models.nrltb.structures import two_species_content

SILICON = load_parameters("silicon")
HOMONUCLEAR = [0, 1, 3, 4]  # ss, sp, pp_sigma, pp_pi; ps is sp between equal species


def at(r: np.ndarray, *, parameters=SILICON, kinds=(0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """All channels at the distances r between two atoms."""
    r = np.atleast_1d(np.asarray(r, float))
    first, second = np.zeros(len(r), int), np.ones(len(r), int)
    return radial_functions(
        parameters, np.array(kinds), Bonds(first, second, r[:, None] * np.array([[0.0, 0.6, 0.8]]), r)
    )


def test_values_of_an_independent_evaluation():
    """Digits from a separate evaluation of the published parameters (H in eV, S), sp silicon."""
    values, _ = at([2.35, 3.84])
    hopping = values[:, HOPPING][:, HOMONUCLEAR]
    near, far = [-1.776786075, -1.538623655, 1.530881362, -0.7165111746], [-0.08864723284, -0.2781409004]
    assert hopping[0] == pytest.approx(near, abs=5e-9)
    assert hopping[1] == pytest.approx([*far, 0.3868469823, -0.1259130497], abs=5e-10)
    overlap = [0.1275148955, 0.1859479138, -0.207023724, 0.06008347088]
    assert values[0, OVERLAP][HOMONUCLEAR] == pytest.approx(overlap, abs=5e-10)


@pytest.mark.parametrize("r", [1.95, 2.35, 3.8, 5.6, 6.45, 6.55])
def test_slopes_are_the_derivatives(r):
    """Also inside the taper, the last 0.26 Å; each channel by itself, for their sizes differ by orders."""
    slopes = at(r)[1][0]
    for channel in range(12):
        assert_derivative(lambda h, m=channel: at(r + h)[0][:, m] / slopes[m], np.ones(1), scale=0.5)


def test_slopes_meet_at_the_ends_of_the_taper():
    for where in (SILICON.cutoff - SILICON.screening, SILICON.cutoff):
        below, above = (screening(where + side * 1e-9, SILICON.cutoff, SILICON.screening) for side in (-1, 1))
        assert below == pytest.approx(above, abs=1e-8)
    assert screening(SILICON.cutoff - 0.05, SILICON.cutoff, SILICON.screening)[0] > 1e-4
    assert screening(SILICON.cutoff, SILICON.cutoff, SILICON.screening) == (0.0, 0.0)


def test_screening_is_the_written_formula():
    x = np.linspace(4.0, 13.0, 91)
    taper = np.where(x <= 12.0, 1.0, 0.5 * (1.0 + np.cos(np.pi * (x - 12.0) / 0.5)))
    expected = np.where(x < 12.5, taper / (1.0 + np.exp((x - 12.5) / 0.5 + 5.0)), 0.0)
    values = [screening(BOHR * y, SILICON.cutoff, SILICON.screening)[0] for y in x]
    np.testing.assert_allclose(values, expected, atol=1e-14)


def test_a_turned_bond_swaps_sp_with_ps_and_the_two_densities():
    parameters = from_mapping(two_species_content())
    forth, _ = at([2.4, 3.1], parameters=parameters, kinds=(0, 1))
    back, _ = at([2.4, 3.1], parameters=parameters, kinds=(1, 0))
    swapped = [0, 2, 1, 3, 4]
    for block in (HOPPING, OVERLAP):
        np.testing.assert_array_equal(forth[:, block], back[:, block][:, swapped])
    np.testing.assert_array_equal(forth[:, DENSITY], back[:, DENSITY][:, ::-1])
    assert np.all(np.abs(forth[:, [1, 6, 10]] / back[:, [1, 6, 10]] - 1.0) > 0.01)  # the swap is no formality
