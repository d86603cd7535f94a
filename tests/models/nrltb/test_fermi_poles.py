"""The sum over poles against the Fermi function and what follows from it, over the whole range of the table."""

import numpy as np
import pytest

from qmfront.models.nrltb.fermi_poles import HIGHEST, LOWEST, fermi_poles
from qmfront.models.nrltb.occupation import fermi, grand_potential
from tests.models.ace.step_sweep import assert_derivative

# Finer than the samples of the fit, and elsewhere.
T = np.concatenate([np.linspace(LOWEST, HIGHEST, 40001), np.linspace(-40.0, 40.0, 20001)])
UNITS = [(0.0, 1.0), (5.8, 0.1), (-3.0, 0.7)]


def occupations(e: np.ndarray, mu: float, kT: float) -> np.ndarray:
    poles = fermi_poles(mu, kT)
    return np.real(poles.weights / (e[:, None] - poles.points)).sum(axis=1)


@pytest.mark.parametrize("mu, kT", UNITS)
def test_occupations_and_energies(mu, kT):
    e = mu + kT * T
    exact, poles = fermi(e, mu, kT), fermi_poles(mu, kT)
    assert np.abs(occupations(e, mu, kT) - exact).max() < 4e-11
    energies = np.real(poles.weights * poles.points / (e[:, None] - poles.points)).sum(axis=1)
    assert np.abs(energies - mu * occupations(e, mu, kT) - (e - mu) * exact).max() < 3e-8 * kT
    assert (poles.lowest, poles.highest) == pytest.approx((mu + LOWEST * kT, mu + HIGHEST * kT))


@pytest.mark.parametrize("mu, kT", UNITS)
def test_grand_potential_per_level(mu, kT):
    """Both spins; the logarithm is the principal one, below the real axis."""
    e, poles = mu + kT * T, fermi_poles(mu, kT)
    found = 2.0 * np.real(poles.weights * np.log(e[:, None] - poles.points)).sum(axis=1)
    exact = [grand_potential(np.array([[level]]), np.ones(1), mu, kT) for level in e]
    assert np.abs(found - exact).max() < 6e-7 * kT


def test_real_weights_add_up_to_nothing():
    poles = fermi_poles(5.8, 0.1)
    assert abs(poles.weights.real.sum()) < 1e-13
    assert np.all(poles.points.imag > 0.3)


def test_occupation_is_the_slope_of_the_grand_potential():
    """Exactly, whatever either is worth: what makes forces the derivative of the free energy."""
    poles = fermi_poles(0.0, 1.0)
    for t in (-3.0, -0.4, 2.0):
        assert_derivative(
            lambda h, t=t: np.real(poles.weights * np.log(t + h - poles.points)).sum(),
            np.array(occupations(np.array([t]), 0.0, 1.0)),
        )


def test_beyond_the_range_it_is_wrong():
    """Which is why the spectrum is checked."""
    t = np.array([4.0 * LOWEST])
    assert abs(occupations(t, 0.0, 1.0)[0] - 1.0) > 1e-3
