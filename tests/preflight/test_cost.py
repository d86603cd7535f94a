"""The price of a call: found again from timings that follow a law, and sane where they do not."""

import numpy as np
import pytest

from qmfront.preflight.cost import fitted_cost
from qmfront.preflight.subject import Timing


def timings(law, sizes=(8, 16, 32, 64, 100)) -> list[Timing]:
    return [Timing(n, law(n), 100.0 + 2.0 * n) for n in sizes for _ in range(3)]


@pytest.mark.parametrize("exponent", [1.0, 1.5, 2.0, 3.0])
def test_a_power_law_is_found_again(exponent: float) -> None:
    cost = fitted_cost(timings(lambda n: 0.5 + 1e-4 * n**exponent))
    assert cost.exponent == exponent
    assert cost.seconds(400) == pytest.approx(0.5 + 1e-4 * 400**exponent, rel=1e-6)
    assert cost.memory(400) == pytest.approx(900, rel=1e-6)
    assert cost.largest == 100


def test_cost_grows_whatever_the_timings_say() -> None:
    """Larger calls that were faster, by chance: a constant, never a negative price."""
    cost = fitted_cost(timings(lambda n: 1.0 / n))
    assert np.all(np.diff([cost.seconds(n) for n in (10, 100, 1000)]) >= 0)
    assert cost.seconds(1000) > 0


def test_one_outlier_among_equal_calls_does_not_count() -> None:
    calls = timings(lambda n: 1e-3 * n)
    calls[0] = Timing(8, 100.0, 116.0)
    assert fitted_cost(calls).seconds(1000) == pytest.approx(1.0, rel=1e-6)


def test_two_sizes_make_a_line() -> None:
    assert fitted_cost(timings(lambda n: 1e-3 * n, sizes=(10, 20))).exponent == 1.0
