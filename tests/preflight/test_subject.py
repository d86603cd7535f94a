"""How long a call takes, on a machine that others use as well."""

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.emt import EMT

from qmfront.evaluate.evaluation import Evaluation
from qmfront.preflight.subject import Subject, own_seconds


def evaluation(*, wall: float, cpu: float) -> Evaluation:
    return Evaluation(0.0, np.zeros((1, 3)), None, wall, cpu, False)


@pytest.mark.parametrize(
    ("load", "wall", "cpu", "seconds"),
    [
        (0.5, 8.0, 2.0, 8.0),  # nobody else: the model waits for something of its own
        (9.0, 8.0, 2.0, 2.0),  # crowded: it waited for others
        (9.0, 8.0, 30.0, 8.0),  # several ranks
        (9.0, 8.0, 0.01, 8.0),  # a server computes
    ],
)
def test_waiting_for_others_does_not_count(
    load: float, wall: float, cpu: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getloadavg", lambda: (load, load, load))
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert own_seconds(evaluation(wall=wall, cpu=cpu)) == seconds


@pytest.mark.parametrize(("worth_a_line", "lines"), [(0.0, 2), (1e3, 0)])
def test_slow_calls_leave_a_line_each(
    worth_a_line: float, lines: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("qmfront.preflight.subject.WORTH_A_LINE", worth_a_line)
    caplog.set_level("INFO")
    subject = Subject(EMT, "EMT")
    for _ in range(2):
        subject.evaluate(bulk("Cu"))
    assert [record.getMessage()[:15] for record in caplog.records] == ["call 1: 1 atoms", "call 2: 1 atoms"][
        :lines
    ]
