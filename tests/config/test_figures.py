"""What figures show and what they call it."""

import pytest

from qmfront.config.figures import Speed
from qmfront.config.labels import labels_of
from qmfront.config.load import load
from tests.config.conftest import ROOT, study_as_written


@pytest.mark.parametrize(("iteration", "shown"), [(0, 0), (2, 2), (9, 4), (-1, 4), (-2, 3), (-9, 0)])
def test_an_iteration_beyond_the_ends_is_the_nearest_one(iteration: int, shown: int) -> None:
    assert Speed(kind="speed", case="edge", iteration=iteration).nearest(5) == shown


def test_potentials_are_called_by_name_and_observations() -> None:
    """Cases are called by their titles."""
    study = load(study_as_written("minimal"), ROOT)
    (label,) = labels_of(study.figures["certificate"], study)
    assert label == "minimal (matching 1, the paper's observations; ridge)"
    assert labels_of(study.figures["figure_4"], study) == [study.cases["minimal"].title]
