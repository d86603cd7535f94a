"""What a division cost and missed: sums over jobs, errors where a dense call is known, the exponent."""

import numpy as np
import pytest

from qmfront.coupling.divide_and_conquer import DenseForces, Patch, division, scaling_exponent

NOTHING = np.zeros((0, 3))
PATCHES = [Patch(np.zeros(0, int), NOTHING, boxes, seconds) for boxes, seconds in ((3, 2.0), (4, 5.0))]


def test_summary_counts_boxes_and_seconds_and_measures_the_error():
    rng = np.random.default_rng(0)
    exact, error = rng.normal(size=(20, 3)), np.zeros((20, 3))
    error[4] = [0.03, 0.0, 0.04]
    found = division(exact + error, PATCHES, DenseForces(exact, 9.0))
    assert (found.n_atoms, found.boxes, found.jobs) == (20, 7, 2)
    assert (found.cpu_seconds, found.longest_job, found.dense_cpu_seconds) == (7.0, 5.0, 9.0)
    assert found.largest_error == pytest.approx(0.05)
    assert found.rms_error == pytest.approx(0.05 / np.sqrt(20))
    assert division(exact, PATCHES, None).largest_error is None


def test_exponent_is_that_between_the_ends():
    n = np.array([8002, 514, 1002])
    assert scaling_exponent(n, 3.0 * n**1.1) == pytest.approx(1.1)
    assert scaling_exponent(n[:1], np.array([1.0])) is None
