"""Dislocation fields: equilibrium, jump, forces, and closed-form and eigenvector solutions."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from qmfront.elasticity.moduli import cubic_moduli, from_voigt, rotated_moduli
from qmfront.elasticity.stroh import DislocationField, angle_from_cut, sextic_matrix, sextic_roots

BURGERS = np.array([1.3, 0.4, -0.7])


def triclinic_moduli(seed: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    M = rng.normal(size=(6, 6))
    return from_voigt(M @ M.T + 3 * np.eye(6))


def isotropic_moduli(mu: float, nu: float) -> np.ndarray:
    lame = 2 * mu * nu / (1 - 2 * nu)
    return cubic_moduli(lame + 2 * mu, lame, mu)


TUNGSTEN = rotated_moduli(
    cubic_moduli(3.261, 1.2746, 1.0034), Rotation.from_rotvec([0.3, 0.2, 0.9]).as_matrix()
)
MEDIA = {
    "triclinic": triclinic_moduli(),
    "tungsten": TUNGSTEN,
    "copper": rotated_moduli(
        cubic_moduli(1.05, 0.76, 0.47), Rotation.from_rotvec([1.0, -0.2, 0.4]).as_matrix()
    ),
    "isotropic": isotropic_moduli(1.0, 0.28),
}


def points(n: int = 200) -> np.ndarray:
    return 5 * np.random.default_rng(7).normal(size=(n, 2))


@pytest.mark.parametrize("name", MEDIA)
def test_gradient_is_the_derivative_of_the_displacement(name):
    field, x = DislocationField(MEDIA[name], BURGERS), points(60)
    x = x[(np.linalg.norm(x, axis=1) > 1) & ((np.abs(x[:, 1]) > 0.2) | (x[:, 0] < 0))]
    exact = field.gradient(x)
    errors = []
    for h in (1.6e-2, 8e-3, 4e-3, 1e-4, 5e-5):
        shifts = h * np.eye(2)
        numeric = [(field.displacement(x + s) - field.displacement(x - s)) / (2 * h) for s in shifts]
        errors.append(np.abs(np.stack(numeric, axis=2) - exact[:, :, :2]).max() / np.abs(exact).max())
    assert np.log2(np.array(errors[:2]) / errors[1:3]) == pytest.approx(2, abs=0.1)
    assert max(errors[3:]) < 1e-7
    assert np.all(exact[:, :, 2] == 0)


@pytest.mark.parametrize("name", MEDIA)
def test_field_is_in_equilibrium(name):
    """div (C : grad u) = 0, (B.3), by central differences of the gradient."""
    field, x, h = DislocationField(MEDIA[name], BURGERS), points(), 1e-4
    x = x[np.linalg.norm(x, axis=1) > 1]
    second = np.zeros((len(x), 3, 3, 3))
    for axis in range(2):
        step = h * np.eye(2)[axis]
        second[..., axis] = (field.gradient(x + step) - field.gradient(x - step)) / (2 * h)
    terms = np.einsum("ijkl,nklj->ni", MEDIA[name], second)
    assert np.abs(terms).max() < 1e-6 * np.abs(MEDIA[name]).max() * np.abs(second).max()
    wrong = np.einsum("ijkl,nklj->ni", triclinic_moduli(8), second)
    assert np.abs(wrong).max() > 1e-2 * np.abs(second).max()


@pytest.mark.parametrize("name", MEDIA)
def test_jump_is_minus_b_and_gradient_is_continuous(name):
    field = DislocationField(MEDIA[name], BURGERS)
    above = np.array([[0.5, 1e-13], [3.0, 1e-13], [90.0, 1e-13]])
    below = above * [1, -1]
    assert field.displacement(above) - field.displacement(below) == pytest.approx(
        -np.tile(BURGERS, (3, 1)), abs=1e-11
    )
    assert field.gradient(above) == pytest.approx(field.gradient(below), abs=1e-11)


@pytest.mark.parametrize("name", MEDIA)
def test_no_line_force_and_burgers_circuit(name):
    """Loop integrals around the core: traction adds up to zero, du to b, on a circuit off centre."""
    field = DislocationField(MEDIA[name], BURGERS)
    t = 2 * np.pi * np.arange(400) / 400
    x = np.column_stack([0.7 + 2 * np.cos(t), -0.3 + 2 * np.sin(t)])
    normal = np.column_stack([np.cos(t), np.sin(t), 0 * t])
    tangent = np.column_stack([-np.sin(t), np.cos(t), 0 * t])
    grad = field.gradient(x)
    traction = np.einsum("ijkl,nkl,nj->ni", MEDIA[name], grad, normal)
    assert np.abs(traction.mean(axis=0)).max() < 1e-12 * np.abs(traction).max()
    assert np.einsum("nij,nj->i", grad, tangent) * 2 * (t[1] - t[0]) == pytest.approx(BURGERS, abs=1e-12)


def test_isotropic_limit_is_the_closed_form():
    """Edge and screw of Hirth and Lothe; p = i three times over, where eigenvectors do not exist."""
    nu, (b1, b2, b3), (x, y) = 0.28, BURGERS, points().T
    square, theta = x**2 + y**2, angle_from_cut(x, y)

    def edge(x, y):
        along = theta + x * y / (2 * (1 - nu) * square)
        across = (1 - 2 * nu) * np.log(square) / (4 * (1 - nu)) + (x**2 - y**2) / (4 * (1 - nu) * square)
        return along / (2 * np.pi), -across / (2 * np.pi)

    first, second = edge(x, y), edge(y, -x)
    u1, u2 = b1 * first[0] - b2 * second[1], b1 * first[1] + b2 * second[0]
    expected = np.column_stack([u1, u2, b3 * theta / (2 * np.pi)])
    found = DislocationField(isotropic_moduli(1.7, nu), BURGERS).displacement(points())
    assert np.ptp(found - expected, axis=0).max() < 1e-13  # equal up to a translation


def test_isotropic_limit_is_approached_smoothly():
    """Zener 1 + e changes the field by O(e), down to e = 1e-9: nothing blows up as the roots merge."""
    isotropic = DislocationField(cubic_moduli(3.0, 1.0, 1.0), BURGERS).gradient(points())
    scale = np.abs(isotropic).max()
    for e in (1e-2, 1e-5, 1e-9):
        near = DislocationField(cubic_moduli(3.0, 1.0, 1.0 + e), BURGERS).gradient(points())
        assert 1e-3 * e < np.abs(near - isotropic).max() / scale < 2 * e


def test_generic_medium_agrees_with_the_eigenvector_sum():
    """u = (1/pi) Im sum A_a (L_a . b) ln(x1 + p_a x2), where roots are well apart."""
    C, x = triclinic_moduli(), points()
    p, vectors = np.linalg.eig(sextic_matrix(C, 0.0))
    vectors, p = vectors[:, p.imag > 0], p[p.imag > 0]
    vectors = vectors / np.sqrt(2 * np.sum(vectors[:3] * vectors[3:], axis=0))
    A, L = vectors[:3], vectors[3:]
    z = x[:, :1] + p * x[:, 1:]
    log = np.log(np.abs(z)) + 1j * np.mod(np.angle(z), 2 * np.pi)
    expected = np.imag(log * (L.T @ BURGERS) @ A.T) / np.pi
    assert np.ptp(DislocationField(C, BURGERS).displacement(x) - expected, axis=0).max() < 1e-13


def test_field_turns_with_the_axes():
    """Turning medium, Burgers vector and points about the line turns strain, compared through gradients."""
    turn = Rotation.from_rotvec([0, 0, 0.8]).as_matrix()
    C, x = triclinic_moduli(), points()
    turned = DislocationField(rotated_moduli(C, turn), turn @ BURGERS).gradient(x @ turn[:2, :2].T)
    assert turned == pytest.approx(turn @ DislocationField(C, BURGERS).gradient(x) @ turn.T, abs=1e-12)


def test_roots_are_complex_pairs_and_invariant():
    p = sextic_roots(MEDIA["triclinic"])
    assert np.abs(p.imag).min() > 0.1
    assert np.sort_complex(p) == pytest.approx(np.sort_complex(p.conj()), abs=1e-12)
    C = MEDIA["triclinic"]
    for root in p:
        K = C[:, 0, :, 0] + root * (C[:, 0, :, 1] + C[:, 1, :, 0]) + root**2 * C[:, 1, :, 1]
        assert abs(np.linalg.det(K)) < 1e-9 * np.abs(K).max() ** 3


def test_bad_input_says_what_to_do():
    with pytest.raises(ValueError, match="Im p"):
        DislocationField(cubic_moduli(1.0, 2.5, 0.2), BURGERS)  # C11 < C12, violates ellipticity
    broken = triclinic_moduli()
    broken[0, 1, 2, 2] *= 1.1
    with pytest.raises(ValueError, match="minor ij symmetry"):
        DislocationField(broken, BURGERS)
    with pytest.raises(ValueError, match=r"shape \(3, 3, 3, 3\)"):
        DislocationField(np.eye(6), BURGERS)
    with pytest.raises(ValueError, match="Move the origin"):
        DislocationField(MEDIA["isotropic"], BURGERS).displacement(np.zeros((1, 2)))
