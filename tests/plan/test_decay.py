"""eta(N): assumptions before the first iteration, what iterations teach, and how sure it is."""

import numpy as np
import pytest

from qmfront.plan.decay import assumed_slope, decays
from qmfront.plan.finished import FinishedIteration
from qmfront.plan.prior import general_prior

FIRST = general_prior()


def finished(n: list[int], eta: list[float]) -> list[FinishedIteration]:
    spent = {"qm_calls": 6, "residual_calls": 1, "correction_calls": 0}
    spent |= dict.fromkeys(("solve_seconds", "qm_seconds", "residual_seconds", "rest_seconds"), 1.0)
    return [
        FinishedIteration(k=k, n_qm=a, cluster=2 * a, eta=b, **spent)
        for k, (a, b) in enumerate(zip(n, eta, strict=True))
    ]


def test_nothing_known_is_a_range_with_the_slope_of_theory() -> None:
    ways = decays(assumed_slope("point", 1), [], FIRST)
    assert ways.low.at(FIRST.n) == pytest.approx(FIRST.eta[0])
    assert ways.high.at(FIRST.n) == pytest.approx(FIRST.eta[2])
    assert ways.expected.at(4 * FIRST.n) == pytest.approx(FIRST.eta[1] / 8)  # N^-1.5
    assert ways.low.needed(1e-4) < ways.expected.needed(1e-4) < ways.high.needed(1e-4)
    assert [assumed_slope("dislocation", m) for m in (0, 1, 2)] == [-0.6, -1.0, -2.0]
    assert assumed_slope("file", 1) == -1.0


def test_iterations_overrule_the_assumption() -> None:
    """Data that fall as N^-2 over a factor of 16, a theory of -1."""
    n = np.array([50, 100, 200, 400, 800])
    way = decays(-1.0, finished(n.tolist(), (0.02 * (n / 50.0) ** -2).tolist()), FIRST).expected
    assert way.slope == pytest.approx(-2.0, abs=0.05)
    assert way.at(800) == pytest.approx(0.02 / 256)
    assert way.needed(0.02 / 1024) == pytest.approx(1600, rel=0.05)


def test_certainty_grows_with_the_range_that_was_seen() -> None:
    def width(n: list[int]) -> float:
        ways = decays(-1.0, finished(n, [1.0 / m for m in n]), FIRST)
        return ways.high.slope - ways.low.slope

    assert width([50]) > width([50, 70]) > width([50, 70, 100]) > width([50, 200, 800])
    one = decays(-1.0, finished([50], [0.3]), FIRST)
    assert one.low.at(50) == one.expected.at(50) == one.high.at(50) == 0.3, "the last iteration is known"


def test_an_estimate_that_grew_does_not_promise_growth() -> None:
    way = decays(-1.0, finished([50, 400], [0.01, 0.5]), FIRST).high
    assert way.slope < 0
    assert np.isfinite(way.needed(1e-4))
