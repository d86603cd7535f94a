"""The generalised eigenvalue problem against SciPy's, with residuals, degenerate levels, and refusals."""

import numpy as np
import pytest
from scipy.linalg import eigh

from qmfront.models.nrltb.eigen import solve


def problem(n: int, dtype: type, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = (
        rng.normal(size=(n, n)) + (1j * rng.normal(size=(n, n)) if dtype is complex else 0) for _ in range(2)
    )
    return x + x.conj().T, np.eye(n) + 0.3 * (y @ y.conj().T) / n


def lower(matrix: np.ndarray) -> np.ndarray:
    """What `solve` takes, with rubbish where it must not look."""
    n = len(matrix)
    return np.array(np.tril(matrix) + np.triu(np.full((n, n), np.pi), 1), dtype=matrix.dtype, order="F")


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("n", [1, 2, 3, 4, 37, 120])
def test_values_and_lowest_vectors(dtype, n):
    H, S = problem(n, dtype)
    states = solve(lower(H), lower(S), vectors=True)
    np.testing.assert_allclose(states.values, eigh(H, S, eigvals_only=True), atol=1e-12 * n)
    for count in {0, 1, n // 2, n}:
        C = states.lowest(count)
        assert C.shape == (n, count) and C.dtype == np.dtype(dtype)
        np.testing.assert_allclose(H @ C, S @ C * states.values[:count], atol=1e-12 * n)
        np.testing.assert_allclose(C.conj().T @ S @ C, np.eye(count), atol=1e-12)


def test_values_alone_are_the_same_and_cannot_give_vectors():
    H, S = problem(40, complex)
    alone = solve(lower(H), lower(S), vectors=False)
    np.testing.assert_allclose(alone.values, solve(lower(H), lower(S), vectors=True).values, atol=1e-12)
    with pytest.raises(ValueError, match="vectors=True"):
        alone.lowest(3)


def test_a_degenerate_level_gives_the_right_subspace():
    _, S = problem(30, float)
    levels = np.repeat([-1.0, 0.5, 2.0], 10)
    L = np.linalg.cholesky(S)
    Q = np.linalg.qr(np.random.default_rng(2).normal(size=(30, 30)))[0]
    H = L @ (Q * levels) @ Q.T @ L.T
    C = solve(lower(H), lower(S), vectors=True).lowest(10)
    exact = np.linalg.solve(L.T, Q[:, :10])
    np.testing.assert_allclose(C @ C.T, exact @ exact.T, atol=1e-12)


def test_an_overlap_that_is_not_positive_definite_is_refused():
    H, S = problem(12, float)
    S[7, 7] = -1.0
    with pytest.raises(
        RuntimeError, match="12 orbitals is not positive definite .leading minor 8, orbital 3 of atom 1"
    ):
        solve(lower(H), lower(S), vectors=True)
