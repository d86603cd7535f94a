"""Small but complete cases whose calculator counts its calls, computed once without any disturbance."""

import pytest

from tests.faults.cases import Undisturbed


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """One iteration without a reference, up to its table: for every run of the tests."""
    case = {"reference": {"compute": False}, "adapt": {"max_iterations": 1}}
    return Undisturbed.computed(tmp_path_factory.mktemp("tiny"), case, ("results/small/convergence.csv",))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """Two iterations, the reference, a figure, the checks and the summary."""
    case = {"reference": {"max_force": 1e-4}, "adapt": {"max_iterations": 2}}
    return Undisturbed.computed(tmp_path_factory.mktemp("small"), case, ())
