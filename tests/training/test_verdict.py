"""What a certificate says about dW: the words change at the thresholds, and the numbers are those of the samples."""

import numpy as np
import pytest

from qmfront.elasticity.certificate import Certificate
from qmfront.elasticity.strain_polynomial import StrainPolynomial
from qmfront.mismatch import far_field
from qmfront.training.verdict import CLOSE, LARGE, SAMPLES, TRAINING, mismatch_measures, mismatch_verdict


def words(residual: float, size: float) -> str:
    nothing = [np.zeros(0)] * 9
    return mismatch_verdict(Certificate(*nothing, StrainPolynomial(np.zeros(0), np.zeros(0)), residual, size))


@pytest.mark.parametrize(
    "residual, size, expected",
    [
        (CLOSE, LARGE, "nothing to do"),
        (1.001 * CLOSE, LARGE, f"use {SAMPLES}"),
        (CLOSE, 1.001 * LARGE, f"use {TRAINING}"),
        (0.86, 0.4, f"use {TRAINING}, and {SAMPLES}"),
    ],
)
def test_words_at_the_thresholds(residual: float, size: float, expected: str) -> None:
    found = words(residual, size)
    assert found.endswith(f": {expected}.")
    assert f"misses {residual:.2g} of" in found and f"is {size:.2g} of" in found


def test_certificate_and_far_field_agree_on_what_is_close() -> None:
    assert CLOSE == far_field.CLOSE


def test_measures_are_relative_norms() -> None:
    generator = np.random.default_rng(0)
    stresses, difference = generator.normal(size=(2, 5, 3, 3))
    residual, size = mismatch_measures(stresses, 0.1 * difference, 0.07 * difference)
    assert residual == pytest.approx(0.3)
    assert size == pytest.approx(0.1 * np.linalg.norm(difference) / np.linalg.norm(stresses))


def test_models_that_agree_have_no_residual() -> None:
    none = np.zeros((4, 3, 3))
    assert "nothing to do" in words(*mismatch_measures(np.ones((4, 3, 3)), none, none))
