"""Occupations: thermodynamic identities, limits in temperature, the chemical potential of a gap."""

import numpy as np
import pytest

from qmfront.models.nrltb.occupation import (
    band_energy,
    chemical_potential,
    electron_number,
    fermi,
    grand_potential,
)
from tests.models.ace.step_sweep import assert_derivative

RNG = np.random.default_rng(9)
LEVELS = np.sort(RNG.uniform(-6.0, 12.0, size=(3, 20)), axis=1)
WEIGHTS = np.array([0.5, 0.3, 0.2])


def canonical(values: np.ndarray, electrons: float, kT: float) -> float:
    mu = chemical_potential(values, WEIGHTS, electrons, kT)
    return grand_potential(values, WEIGHTS, mu, kT) + mu * electrons


@pytest.mark.parametrize("kT", [0.1, 0.9])
def test_the_number_of_electrons_is_the_slope_of_the_grand_potential(kT):
    number = electron_number(LEVELS, WEIGHTS, 2.3, kT)
    assert_derivative(lambda h: grand_potential(LEVELS, WEIGHTS, 2.3 + h, kT), np.array(-number), scale=kT)


@pytest.mark.parametrize("kT", [0.1, 0.9])
def test_free_energy_is_energy_minus_temperature_times_entropy(kT):
    mu = chemical_potential(LEVELS, WEIGHTS, 17.0, kT)
    f = fermi(LEVELS, mu, kT)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.nan_to_num(f * np.log(f)) + np.nan_to_num((1 - f) * np.log(1 - f))
    expected = band_energy(LEVELS, WEIGHTS, mu, kT) + 2 * kT * WEIGHTS @ terms.sum(axis=1)
    assert canonical(LEVELS, 17.0, kT) == pytest.approx(expected, abs=1e-11)
    assert electron_number(LEVELS, WEIGHTS, mu, kT) == pytest.approx(17.0, abs=1e-11)


def test_mu_is_the_slope_of_the_free_energy_in_the_number():
    mu = chemical_potential(LEVELS, WEIGHTS, 17.0, 0.5)
    assert_derivative(lambda h: canonical(LEVELS, 17.0 + h, 0.5), np.array(mu), scale=2.0)


def test_entropy_is_minus_the_slope_in_temperature():
    kT = 0.5
    mu = chemical_potential(LEVELS, WEIGHTS, 17.0, kT)
    entropy = (band_energy(LEVELS, WEIGHTS, mu, kT) - canonical(LEVELS, 17.0, kT)) / kT
    assert_derivative(lambda h: canonical(LEVELS, 17.0, kT + h), np.array(-entropy), scale=0.5)


@pytest.mark.parametrize("kT", [1e-4, 0.01, 0.02])
def test_mu_lies_at_the_balance_of_a_gap_that_rounding_does_not_see(kT):
    """Holes and electrons are as many: w_v exp(-(mu - v)/kT) = w_c exp(-(c - mu)/kT) with v = 0, c = 1."""
    values = np.array([[-3.0, 0.0, 2.0, 5.0], [-3.0, -1.0, 1.0, 5.0]])
    mu = chemical_potential(values, np.array([0.75, 0.25]), 4.0, kT)
    balance = 0.5 + 0.5 * kT * np.log(3.0) if kT > 1e-3 else 0.5  # below, both are smaller than any double
    assert mu == pytest.approx(balance, abs=1e-12)


def test_far_levels_neither_overflow_nor_count():
    values = np.array([[-1e3, 0.0, 1e4]])
    assert fermi(values, 1.0, 1e-3).tolist() == [[1.0, 1.0, 0.0]]
    assert grand_potential(values, np.ones(1), 1.0, 1e-3) == pytest.approx(2 * (-1e3 - 2.0))


def test_a_last_level_that_is_partly_filled():
    mu = chemical_potential(LEVELS, WEIGHTS, 39.7, 0.05)
    assert electron_number(LEVELS, WEIGHTS, mu, 0.05) == pytest.approx(39.7, abs=1e-12)


def test_impossible_numbers_are_refused():
    for electrons in (0.0, -2.0, 40.0, 41.0):
        with pytest.raises(ValueError, match="do not fit into levels for 40"):
            chemical_potential(LEVELS, WEIGHTS, electrons, 0.1)
