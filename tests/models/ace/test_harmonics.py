import numpy as np
from scipy.special import sph_harm_y

from qmfront.models.ace.harmonics import real_harmonics
from tests.models.ace.step_sweep import assert_derivative

VECTORS = np.random.default_rng(2).normal(size=(7, 3)) * 2.0


def test_values_are_real_and_imaginary_parts_of_scipys():
    r = np.linalg.norm(VECTORS, axis=1)
    polar, azimuth = np.arccos(VECTORS[:, 2] / r), np.arctan2(VECTORS[:, 1], VECTORS[:, 0])
    values, _ = real_harmonics(VECTORS, 7)
    for l in range(8):
        for m in range(l + 1):
            reference = np.sqrt(4 * np.pi) * sph_harm_y(l, m, polar, azimuth)
            factor = 1.0 if m == 0 else np.sqrt(2) * (-1) ** m
            np.testing.assert_allclose(values[l * (l + 1) + m], factor * reference.real, atol=1e-12)
            if m:
                np.testing.assert_allclose(values[l * (l + 1) - m], factor * reference.imag, atol=1e-12)


def test_first_harmonics():
    """Y_00 = 1, Y_10 = sqrt3 z, Y_11 = sqrt3 x, Y_1-1 = sqrt3 y: the signs of the .yace format."""
    values, _ = real_harmonics(VECTORS, 1)
    e = VECTORS / np.linalg.norm(VECTORS, axis=1)[:, None]
    np.testing.assert_allclose(values[0], 1.0)
    np.testing.assert_allclose(values[1:], np.sqrt(3) * e.T[[1, 2, 0]], atol=1e-14)


def test_gradients():
    direction = np.random.default_rng(3).normal(size=VECTORS.shape)
    _, gradients = real_harmonics(VECTORS, 6)
    along = np.einsum("aji,ji->aj", gradients, direction)
    assert_derivative(lambda h: real_harmonics(VECTORS + h * direction, 6)[0], along, scale=0.05)


def test_poles_are_no_exception():
    values, gradients = real_harmonics(np.array([[0.0, 0.0, 2.0], [0.0, 0.0, -1.0]]), 4)
    assert np.all(np.isfinite(values)) and np.all(np.isfinite(gradients))
    assert np.abs(gradients[3, :, 0]).min() > 0.5  # Y_11 changes along x at the pole
