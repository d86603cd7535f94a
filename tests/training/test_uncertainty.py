"""Where the basis is too small, POPS covers values that the fit has not seen, and the posterior does not."""

import numpy as np
import pytest

from qmfront.config.potential import Regression, SmoothnessPrior
from qmfront.training.regression import Posterior, regress
from qmfront.training.uncertainty import DEVIATIONS, Uncertainty, uncertainty


def points(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Polynomials of degree five at random places, and a function that is none of them."""
    x = np.random.default_rng(seed).uniform(-1, 1, count)
    return np.vander(x, 6), np.sin(9 * x) + 0.5 * x


def fitted(rows: np.ndarray, right: np.ndarray, method: str) -> Posterior:
    settings = Regression(method=method, prior=SmoothnessPrior(strength=1e-8, smoothness=0.0))
    return regress(rows, right, np.zeros(rows.shape[1]), settings)


def inside(ends: tuple[np.ndarray, np.ndarray], right: np.ndarray) -> float:
    return float(np.mean((ends[0] <= right) & (right <= ends[1])))


@pytest.mark.parametrize("method", ["ridge", "ard"])
def test_only_pops_covers_held_out_values_of_a_basis_that_is_too_small(method: str) -> None:
    rows, right = points(500, seed=0)
    found = uncertainty(rows, right, fitted(rows, right, method))
    unseen, truth = points(200, seed=1)
    assert inside(found.pops(unseen), truth) > 0.97
    assert inside(found.posterior(unseen), truth) < 0.35


def test_the_posterior_covers_where_there_is_nothing_but_noise() -> None:
    """True values of 40 independent fits: 95 % are within two deviations, whatever the noise is."""
    covered = []
    for seed in range(40):
        rows, _ = points(60, seed)
        truth = rows @ [1.0, -2.0, 0.5, 3.0, 0.2, -1.0]
        noisy = truth + 0.05 * np.random.default_rng(100 + seed).normal(size=60)
        found = uncertainty(rows, noisy, fitted(rows, noisy, "ridge"))
        covered.append(inside(found.posterior(rows), truth))
    assert DEVIATIONS == 2.0 and 0.88 < np.mean(covered) < 0.99


def test_a_dropped_function_has_no_part_in_either() -> None:
    rows, right = points(80, seed=2)
    penalty = np.array([1e-8, 1e-8, np.inf, 1e-8, 1e-8, 1e-8])
    kept = np.isfinite(penalty)
    coefficients = np.zeros(6)
    coefficients[kept] = np.linalg.lstsq(rows[:, kept], right, rcond=None)[0]
    found = uncertainty(rows, right, Posterior(coefficients, penalty, 0.1))
    alone = np.eye(6)[2:3]
    assert np.concatenate([*found.posterior(alone), *found.pops(alone)]).tolist() == [0.0] * 4
    fewer = uncertainty(rows[:, kept], right, Posterior(coefficients[kept], penalty[kept], 0.1))
    for name in ("posterior", "pops"):
        expected = getattr(fewer, name)(rows[:, kept])
        assert np.allclose(getattr(found, name)(rows), expected, rtol=1e-9, atol=1e-9)
        assert np.min(expected[1] - expected[0]) > 1e-3


def test_a_store_gives_back_the_same_intervals() -> None:
    rows, right = points(50, seed=3)
    found = uncertainty(rows, right, fitted(rows, right, "ridge"))
    again = Uncertainty.from_arrays(found.arrays())
    assert np.array_equal(again.pops(rows), found.pops(rows))
    assert np.array_equal(again.posterior(rows), found.posterior(rows))


def test_without_a_prior_what_nothing_determines_is_not_inverted() -> None:
    """Two equal columns and no prior: the intervals stay finite."""
    rows, right = points(50, seed=4)
    doubled = np.hstack([rows, rows[:, :1]])
    regression = Posterior(np.linalg.lstsq(doubled, right, rcond=None)[0], np.zeros(7), 0.1)
    ends = uncertainty(doubled, right, regression).posterior(doubled)
    expected = uncertainty(rows, right, Posterior(np.zeros(6), np.zeros(6), 0.1)).posterior(rows)
    assert np.ptp(ends, axis=0) == pytest.approx(np.ptp(expected, axis=0), rel=1e-3)
