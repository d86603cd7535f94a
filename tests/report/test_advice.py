"""What to do next follows from the numbers of a case."""

import numpy as np
import pandas as pd

from qmfront.report.advice import next_steps
from qmfront.report.results import CaseResult


def case(
    n_qm: list[int], eta: list[float], ended: str = "eta is below the tolerance", **more: object
) -> CaseResult:
    rows = {"n_qm": n_qm, "eta": eta, "trusted": True, "reasons": "", "error": np.nan}
    return CaseResult("a case", pd.DataFrame(rows | more), {}, "p", ended=ended)


def test_a_trusted_case_within_its_tolerance_is_to_be_used() -> None:
    (use, measure) = next_steps(case([50, 100], [0.1, 0.05]))
    assert "use it" in use and "reference.compute: true" in measure


def test_atoms_for_a_smaller_error_follow_from_the_rate() -> None:
    """eta = 8 / N: a tenth of the error takes ten times the atoms. A rate that nobody knows is not told."""
    n = [50, 100, 200, 400]
    told = " ".join(next_steps(case(n, [8.0 / m for m in n])))
    assert "2.0e-03 Å" in told and "about 4e+03 QM atoms" in told
    assert "By the rate" not in " ".join(next_steps(case(n, [0.1, 0.3, 0.1, 0.3])))
    assert "By the rate" not in " ".join(next_steps(case(n[:3], [0.16, 0.08, 0.04])))


def test_what_ended_a_loop_early_is_what_to_raise() -> None:
    for ended, key in (
        ("12 iterations are done, eta = 1.0e-03 Å", "adapt.max_iterations"),
        ("1003 QM atoms reach the limit of 1000, eta = 1.0e-03 Å", "adapt.max_qm_atoms"),
        ("eta = 1.0e-03 Å is above the tolerance of 1e-4 Å, but the domain is used up. No room", "domain"),
    ):
        told = next_steps(case([50, 100], [0.1, 0.05], ended))
        assert key in told[0] and "use it" not in " ".join(told)


def test_a_measured_error_needs_no_measurement() -> None:
    assert "reference.compute" not in " ".join(next_steps(case([50, 100], [0.1, 0.05], error=[0.1, 0.06])))
