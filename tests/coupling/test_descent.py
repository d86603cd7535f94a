"""What a descent learns of the Hessian."""

import numpy as np
import pytest

from qmfront.coupling.descent import MEMORY, InverseHessian, descend


@pytest.fixture
def stiffness():
    """A symmetric positive definite matrix with condition number 50."""
    generator = np.random.default_rng(5)
    axes = np.linalg.qr(generator.normal(size=(18, 18)))[0]
    return axes * np.geomspace(1.0, 50.0, 18) @ axes.T


def harmonic(stiffness):
    return lambda u: -(stiffness @ u.ravel()).reshape(u.shape)


def test_the_inverse_hessian_answers_the_last_change_of_forces_with_its_step(stiffness):
    """The secant equation B y = s, for B that is linear, symmetric and positive definite."""
    generator, inverse = np.random.default_rng(6), InverseHessian(lambda forces: 0.1 * forces)
    for _ in range(MEMORY + 3):
        change = generator.normal(size=(6, 3))
        bend = (stiffness @ change.ravel()).reshape(6, 3)
        inverse = inverse.learned(change, bend)
        np.testing.assert_allclose(inverse(bend), change, rtol=1e-9)
    assert len(inverse.pairs) == MEMORY
    matrix = np.array([inverse(row.reshape(6, 3)).ravel() for row in np.eye(18)])
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert np.linalg.eigvalsh(matrix)[0] > 0.0
    assert inverse.learned(change, -bend) is inverse


def test_a_descent_hands_on_what_it_has_learned():
    """With as many pairs as there are directions, its answer is nearly that of the inverse."""
    stiffness, start = np.diag([1.0, 3.0, 9.0]), np.array([[1.0, -0.7, 0.4]])
    end = descend(
        harmonic(stiffness), start, lambda forces: 0.1 * forces, max_force=1e-3, step_cap=9.0, max_calls=60
    )
    assert np.abs(harmonic(stiffness)(end.displacement)).max() < 1e-3
    forces = np.array([[0.3, 0.5, -0.2]])
    exact = forces / np.diag(stiffness)
    assert np.linalg.norm(end.inverse_hessian(forces) - exact) < 0.05 * np.linalg.norm(exact)
    assert np.linalg.norm(0.1 * forces - exact) > 0.5 * np.linalg.norm(exact)
