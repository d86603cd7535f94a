"""What speaks against an estimate, in words."""

from dataclasses import replace

import numpy as np
import pytest

from qmfront.coupling.soft_modes import SoftModes
from qmfront.coupling.solution import Solution
from qmfront.estimate.trust import GLIDE, JUMP_R0, LARGE_R0, POLYNOMIAL, UPPER, Attained, Trust, trust

R0 = 2.7
NOTHING = np.zeros((5, 3))


def solution(eigenvalue: float | None, moved: float = 0.01) -> Solution:
    modes = None if eigenvalue is None else SoftModes(np.ones((1, 5, 3)), np.array([[eigenvalue]]))
    return Solution(NOTHING, NOTHING, np.zeros(1), np.zeros(1), modes, moved=moved)


def verdict(found: Solution, **changes) -> Trust:
    given = {
        "correction": 0.01 + NOTHING,
        "r0": R0,
        "polynomial_error": 0.1,
        "attained": (Attained(2e-2, 50), Attained(1e-2, 100)),
    } | changes
    return trust(found, given.pop("correction"), **given)


def test_nothing_speaks_against_a_quiet_iteration():
    found = verdict(solution(0.3))
    assert found.trusted and found.reasons == found.notes == () and found.lowest_eigenvalue == 0.3


@pytest.mark.parametrize(
    "found, changes, word",
    [
        (solution(-0.02), {}, "saddle"),
        (solution(0.3), {"proven": -0.02}, "the tests of the solve had missed (theirs: 0.300)"),
        (solution(0.5 * GLIDE), {}, "along its softest mode"),
        (
            solution(0.3),
            {"proven": 0.5 * GLIDE, "attained": (Attained(2e-2, 50, 0.3), Attained(1e-2, 100))},
            "along its softest mode",
        ),
        (solution(0.3), {"attained": (None, Attained(1e-2, 99, tip_advance=-40.0))}, "has closed by 40.0 Å"),
        (solution(0.3), {"attained": (None, Attained(1e-2, 99, tip_advance=np.inf))}, "has run throughout"),
        (replace(solution(0.3), unguided=True), {}, "has no minimum of this defect"),
        (solution(0.3, moved=1.1 * JUMP_R0 * R0), {}, "another basin"),
        (solution(0.3), {"attained": (Attained(1e-2, 50), Attained(1.1e-2, 100))}, "has not fallen"),
        (
            solution(0.3),
            {"attained": (Attained(2e-2, 50, 0.1), Attained(1e-2, 100))},
            "was 0.1000 in the iteration before and is 0.3000",
        ),
        (solution(0.3), {"attained": (Attained(1e-2, 50), Attained(0.9e-2, 100))}, "hardly falls"),
        (solution(0.3), {"correction": 1.1 * LARGE_R0 * R0 * np.eye(5, 3)}, "too large for a linear"),
        (solution(0.3), {"correction": 2.5e40 * np.eye(5, 3)}, "move a site by 2.5e+40 Å"),
        (
            replace(solution(0.3), measure=np.array([1e-2, 6e-3])),
            {},
            "60% of eta are what the solve has left",
        ),
        (solution(0.3), {"polynomial_error": 1.1 * POLYNOMIAL}, "of eta hang on"),
    ],
)
def test_each_reason_stands_alone(found, changes, word):
    told = verdict(found, **changes)
    assert not told.trusted and len(told.reasons) == 1 and word in told.reasons[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_is_not_trusted(bad):
    """Every comparison with NaN is false."""
    quiet, before = solution(0.3), Attained(2e-2, 50)
    for found, changes in (
        (quiet, {"correction": np.where(np.eye(5, 3), bad, NOTHING)}),
        (quiet, {"attained": (before, Attained(bad, 100))}),
        (quiet, {"attained": (None, Attained(bad, 100))}),
        (replace(quiet, measure=np.array([1e-2, bad])), {}),
    ):
        told = verdict(found, **changes)
        assert not told.trusted and any("is no number" in reason for reason in told.reasons)


def test_the_first_iteration_has_come_from_anywhere():
    far = replace(solution(0.3), moved=10.0)
    assert verdict(far, attained=(None, Attained(1.0, 50))).trusted
    assert not verdict(far).trusted


def test_a_tip_may_advance_by_a_few_bonds():
    near = Attained(1e-2, 99, tip_advance=4.9 * R0)
    assert verdict(solution(0.3), attained=(None, near)).trusted


def test_few_more_atoms_need_not_lower_eta():
    assert verdict(solution(0.3), attained=(Attained(1e-2, 100), Attained(0.999e-2, 103))).trusted


def test_what_the_next_iteration_may_cure_is_not_settled():
    assert not verdict(solution(0.3), attained=(Attained(1e-2, 50), Attained(1.1e-2, 100))).settled
    assert verdict(solution(0.5 * GLIDE)).settled and verdict(solution(-0.1)).settled


def test_an_upper_bound_of_an_eigenvalue_certifies_less_than_the_eigenvalue():
    """A Lanczos run tells that the core is as stiff as it must be; modes of the potential tell no more than a bound."""
    bound = verdict(solution(1.2 * GLIDE))
    assert not bound.trusted and "is at most" in bound.reasons[0]
    assert verdict(solution(1.2 * GLIDE), proven=1.1 * GLIDE).trusted
    below = verdict(solution(1.2 * GLIDE), proven=0.9 * GLIDE)
    assert not below.trusted and "at most" not in below.reasons[0]
    assert verdict(solution(1.1 * UPPER * GLIDE)).trusted


def test_what_is_not_certified_is_a_note():
    untested = verdict(solution(None), polynomial_error=np.nan)
    assert untested.trusted and "not tested" in untested.notes[0]
    assert np.isnan(untested.lowest_eigenvalue)
