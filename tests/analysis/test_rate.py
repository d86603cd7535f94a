import numpy as np
import pytest
from scipy.stats import linregress

from qmfront.analysis.rate import CONFIDENCE, fit_slope, fit_slope_within


def test_exact_power_law():
    n = np.array([44, 74, 166, 468.0])
    slope, half_width, prefactor = fit_slope(n, 3.2 * n**-1.1)
    assert slope == pytest.approx(-1.1, abs=1e-12)
    assert half_width < 1e-12
    assert prefactor == pytest.approx(3.2, rel=1e-12)


def test_against_scipy():
    rng = np.random.default_rng(4)
    n = np.sort(rng.uniform(40, 1500, 7))
    error = n**-0.9 * np.exp(0.2 * rng.standard_normal(7))
    rate, other = fit_slope(n, error), linregress(np.log(n), np.log(error))
    assert rate.slope == pytest.approx(other.slope, rel=1e-12)
    assert rate.half_width == pytest.approx(2.570581835636314 * other.stderr, rel=1e-10)  # t table, 5 d.o.f.
    assert rate.prefactor == pytest.approx(np.exp(other.intercept), rel=1e-10)


def test_confidence_interval_covers_the_slope_as_often_as_it_says():
    rng = np.random.default_rng(0)
    n = np.geomspace(50, 1000, 6)
    fits = [fit_slope(n, n**-1.0 * np.exp(0.1 * rng.standard_normal(6))) for _ in range(2000)]
    covered = np.mean([abs(f.slope + 1) <= f.half_width for f in fits])
    assert covered == pytest.approx(CONFIDENCE, abs=0.015)  # three standard errors of the count


def test_scaling_changes_only_the_prefactor():
    n, error = np.array([50, 90, 200, 410]), np.array([3e-2, 2.1e-2, 7e-3, 4.2e-3])
    one, other = fit_slope(n, error), fit_slope(n, 1e4 * error)
    assert other[:2] == pytest.approx(one[:2], rel=1e-10)
    assert other.prefactor == pytest.approx(1e4 * one.prefactor, rel=1e-10)


@pytest.mark.parametrize(
    "n, error, message",
    [
        ([1, 2], [1, 2], "needs three points"),
        ([5, 5, 5], [1, 2, 3], "1 different n"),
        ([1, 2, 3], [1, 0, 3], "error is not positive and finite at 1 of 3"),
        ([1, np.nan, 3], [1, 2, 3], "n is not positive"),
        ([1, 2, 3], [1, 2], "equal length"),
    ],
)
def test_errors(n, error, message):
    with pytest.raises(ValueError, match=message):
        fit_slope(np.array(n), np.array(error))


def test_window():
    n = np.array([30, 70, 200, 500, 1100, 3000])
    error = np.where((n >= 70) & (n <= 1100), 2.0 * n**-1.0, 9.0)
    assert fit_slope_within(n, error).slope == pytest.approx(-1.0)
    assert fit_slope_within(n, error, window=(100, 600)) is None  # two points give no interval
