"""Derivatives against central differences over a range of steps."""

from collections.abc import Callable

import numpy as np

STEPS = np.array([4e-2, 2e-2, 1e-2, 1e-4, 5e-5, 2.5e-5])  # Å or strain: three large ones, three small ones


def assert_derivative(
    function: Callable[[float], np.ndarray], derivative: np.ndarray, *, scale: float = 1.0
) -> None:
    """d function / dt at 0 is `derivative`: slope two at large steps, error below 1e-7 at two neighbouring small ones.

    scale : float
        Multiplies all steps.
    """
    derivative = np.asarray(derivative, float)
    size = np.abs(derivative).max()
    assert size > 1e-6, "comparing zero with zero"
    errors = [
        np.abs((np.asarray(function(h)) - np.asarray(function(-h))) / (2 * h) - derivative).max() / size
        for h in STEPS * scale
    ]
    slopes = np.diff(np.log(errors[:3])) / np.diff(np.log(STEPS[:3]))
    assert np.all(np.abs(slopes - 2.0) < 0.15), f"slopes {slopes}, errors {errors}"
    small = np.array(errors[3:]) < 1e-7
    assert np.any(small[:-1] & small[1:]), f"errors {errors}"
