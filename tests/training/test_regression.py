"""Linear regression: weights, ridge limits, and relevance determination against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import ARDRegression

from qmfront.config.potential import Regression, RelevanceDetermination, SmoothnessPrior, Weights
from qmfront.training.regression import regress, relevance, ridge, weighted_system

FLAT = SmoothnessPrior(strength=1e-12, smoothness=0.0)


def sparse_problem(noise: float, rows: int = 120, functions: int = 25):
    """Five relevant functions of 25, with noise."""
    rng = np.random.default_rng(4)
    A = rng.normal(size=(rows, functions))
    x = np.zeros(functions)
    x[[1, 6, 11, 17, 23]] = [2.0, -1.0, 0.5, 3.0, -0.7]
    return A, A @ x + noise * rng.normal(size=rows), x


def test_ridge_without_penalty_is_least_squares():
    A, y, _ = sparse_problem(0.1)
    expected = np.linalg.lstsq(A, y, rcond=None)[0]
    assert np.abs(ridge(A, y, np.zeros(25), FLAT) - expected).max() < 1e-10


@pytest.mark.parametrize("strength, smoothness", [(0.5, 0.0), (0.9, 1.0), (0.3, 2.0)])
def test_ridge_solves_its_normal_equations(strength, smoothness):
    """(A^T A + alpha^2 Gamma^2) c = A^T y with Gamma = (1 + s)^p over its smallest entry."""
    A, y, _ = sparse_problem(0.1)
    s = np.random.default_rng(0).uniform(1, 30, 25)
    c = ridge(A, y, s, SmoothnessPrior(strength=strength, smoothness=smoothness))
    gamma = ((1 + s) / (1 + s).min()) ** smoothness
    rest = A.T @ (A @ c - y) + strength**2 * gamma**2 * c
    assert np.abs(rest).max() < 1e-10 * np.abs(A.T @ y).max()
    assert np.linalg.norm(c) < np.linalg.norm(np.linalg.lstsq(A, y, rcond=None)[0])


def test_smoothness_prefers_the_smooth_function():
    """Two functions with the same column: the coefficient goes to the smoother one as 1 / gamma^2."""
    A = np.ones((3, 2))
    c = ridge(A, np.full(3, 5.0), np.array([1.0, 5.0]), SmoothnessPrior(strength=1e-4, smoothness=1.0))
    assert c.sum() == pytest.approx(5.0) and c[0] / c[1] == pytest.approx((6.0 / 2.0) ** 2, rel=1e-5)


def test_underdetermined_ridge_meets_the_data_exactly():
    rng = np.random.default_rng(1)
    A, y = rng.normal(size=(10, 30)), rng.normal(size=10)
    c = ridge(A, y, np.zeros(30), SmoothnessPrior(strength=1e-9, smoothness=0.0))
    assert np.abs(A @ c - y).max() < 1e-9
    assert c == pytest.approx(np.linalg.pinv(A) @ y, abs=1e-8), "the smallest solution"


def test_weights_act_as_squared_factors():
    """sum_j W_j |A_j c - y_j|^2 / |y_j|^2; stress is absolute."""
    rng = np.random.default_rng(2)
    rows = {"energy": 1, "stress": 9, "force_constants": 40}
    design = {name: rng.normal(size=(count, 5)) for name, count in rows.items()}
    targets = {name: 7.0 * rng.normal(size=count) for name, count in rows.items()}
    weights = Weights(energy=3.0, stress=0.5, force_constants=20.0)
    A, y = weighted_system(targets, design, weights)
    assert A.shape == (50, 5) and y.shape == (50,)
    c = rng.normal(size=5)
    sizes = {name: 1.0 if name == "stress" else np.sum(targets[name] ** 2) for name in rows}
    expected = sum(getattr(weights, n) * np.sum((design[n] @ c - targets[n]) ** 2) / sizes[n] for n in rows)
    assert np.sum((A @ c - y) ** 2) == pytest.approx(expected, rel=1e-12)


def test_weight_decides_between_contradicting_observations():
    design = {"energy": np.ones((1, 1)), "force_constants": np.ones((1, 1))}
    targets = {"energy": np.array([1.0]), "force_constants": np.array([2.0])}
    for weight in (1e-8, 1e8):
        A, y = weighted_system(targets, design, Weights(energy=weight, force_constants=1.0))
        c = ridge(A, y, np.zeros(1), FLAT)[0]
        assert c == pytest.approx(1.0 if weight > 1 else 2.0, rel=1e-6)


def test_internal_forces_count_as_the_stress_that_they_release():
    """They weigh as the derivative of P of their order, and are measured against its size."""
    targets = {"third_derivative": np.array([4.0, 3.0]), "internal_second_derivative": np.array([2.0])}
    design = {name: np.ones((len(values), 1)) for name, values in targets.items()}
    A, y = weighted_system(targets, design, Weights(third_derivative=9.0))
    assert A.ravel() == pytest.approx(3.0 / 5.0) and y == pytest.approx([12 / 5, 9 / 5, 6 / 5])


@pytest.mark.parametrize("where", ["target", "design"])
def test_values_that_are_not_finite_are_named(where):
    targets, design = {"energy": np.ones(2)}, {"energy": np.ones((2, 3))}
    (targets if where == "target" else design)["energy"].flat[1] = np.inf
    with pytest.raises(ValueError, match="energy is not finite"):
        weighted_system(targets, design, Weights())


@pytest.mark.parametrize("noise", [0.02, 0.2])
@pytest.mark.parametrize("rows", [120, 35])
def test_relevance_agrees_with_scikit_learn(rows, noise):
    """Same support and coefficients, with almost flat hyperpriors and as good as no pruning on either side."""
    A, y, x = sparse_problem(noise, rows=rows)
    settings = RelevanceDetermination(max_iterations=2000, tolerance=1e-9, threshold=1e13)
    ours = relevance(A, y, np.zeros(25), FLAT, settings).coefficients
    flat = dict.fromkeys(("alpha_1", "alpha_2", "lambda_1", "lambda_2"), 1e-12)
    model = ARDRegression(max_iter=2000, tol=1e-9, fit_intercept=False, threshold_lambda=1e12, **flat)
    theirs = model.fit(A, y).coef_
    support = [set(np.flatnonzero(np.abs(c) > 1e-3)) for c in (ours, theirs)]
    assert support[0] == support[1] >= set(np.flatnonzero(x)) and len(support[0]) < 15
    assert np.abs(ours - theirs).max() < 1e-4 * np.abs(theirs).max()
    assert np.abs(ours - x).max() < 3 * noise


def test_relevance_is_sparser_than_ridge():
    """The 20 irrelevant coefficients are smaller than in least squares and many zero; all are closer to the truth."""
    A, y, x = sparse_problem(0.2)
    ours = relevance(A, y, np.zeros(25), FLAT, RelevanceDetermination()).coefficients
    plain = ridge(A, y, np.zeros(25), FLAT)
    assert np.linalg.norm((ours - x)[x == 0]) < 0.7 * np.linalg.norm((plain - x)[x == 0])
    assert np.sum(np.abs(ours) < 1e-6) >= 8 and np.all(np.abs(plain) > 1e-6)
    assert np.linalg.norm(ours - x) < np.linalg.norm(plain - x)


@pytest.mark.parametrize("method", ["ridge", "ard"])
def test_exact_data_are_recovered(method):
    """Columns of sizes from 1e-3 to 1e3, as basis functions have, and no noise."""
    rng = np.random.default_rng(6)
    A = rng.normal(size=(200, 30)) * 10.0 ** rng.uniform(-3, 3, 30)
    x = rng.normal(size=30) / np.linalg.norm(A, axis=0)
    y = A @ x
    found = regress(A, y, np.zeros(30), Regression(method=method, prior=FLAT)).coefficients
    size = np.linalg.norm(A, axis=0)
    assert np.abs((found - x) * size).max() < 1e-8 * np.abs(x * size).max()
    assert np.linalg.norm(A @ found - y) < 1e-8 * np.linalg.norm(y)


def test_relevance_needs_fewer_data_than_functions():
    """40 exact rows, 60 functions, 4 of them relevant: sparsity makes the answer unique."""
    rng = np.random.default_rng(8)
    A, x = rng.normal(size=(40, 60)), np.zeros(60)
    x[[3, 20, 41, 55]] = [1.0, -2.0, 0.7, 1.5]
    y = A @ x
    settings = RelevanceDetermination(max_iterations=500)
    assert np.abs(relevance(A, y, np.zeros(60), FLAT, settings).coefficients - x).max() < 1e-6
    assert np.abs(ridge(A, y, np.zeros(60), FLAT) - x).max() > 0.1


def test_relevance_does_not_depend_on_the_unit_of_the_data():
    A, y, _ = sparse_problem(0.1)
    one = relevance(A, y, np.zeros(25), FLAT, RelevanceDetermination())
    other = relevance(A, 1e4 * y, np.zeros(25), FLAT, RelevanceDetermination())
    assert np.allclose(other.coefficients, 1e4 * one.coefficients, rtol=1e-6, atol=1e-3)
    assert other.noise == pytest.approx(1e8 * one.noise, rel=1e-6)


@pytest.mark.parametrize("method", ["ridge", "ard"])
def test_the_noise_is_that_of_the_data(method):
    """Over the degrees of freedom that the fit leaves: 115 to 95 of 120, so that its spread is a tenth."""
    A, y, _ = sparse_problem(0.1)
    found = regress(A, y, np.zeros(25), Regression(method=method, prior=FLAT))
    assert np.sqrt(found.noise) == pytest.approx(0.1, rel=0.2)
    assert np.all(found.penalty[np.abs(found.coefficients) > 0.3] < 1.0)
