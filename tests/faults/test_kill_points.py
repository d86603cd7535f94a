"""SIGKILL at any place costs no finished QM evaluation and changes no result."""

import pytest

from tests.faults.cases import Undisturbed
from tests.faults.comparing import differences
from tests.faults.killing import Chronicle, through
from tests.faults.points import MEANING, few, many, moments


def judge(chronicle: Chronicle, case: Undisturbed) -> None:
    """Nothing finished was computed again, each death cost at most what was in flight, and the results are equal."""
    assert [str(death.point) for death in chronicle.deaths if death.repeated] == []
    assert chronicle.entries > 100
    assert 0 <= chronicle.lost <= 2 * len(chronicle.deaths)  # two jobs run at a time
    assert differences(case.untouched, case.project) == []


def test_five_places(tiny: Undisturbed) -> None:
    chronicle = through(tiny, few())
    assert [str(death.point) for death in chronicle.deaths if not death.struck] == []
    judge(chronicle, tiny)


@pytest.mark.slow
def test_every_place(small: Undisturbed) -> None:
    """Every rule, every kind of place, every victim; `pytest -s` shows the table of docs/reliability.md."""
    chronicle = through(small, many(), narrow=True)
    report(chronicle)
    assert [str(death.point) for death in chronicle.deaths if not death.struck] == []
    assert {death.point.where for death in chronicle.deaths} == set(MEANING) - {"moment"}
    judge(chronicle, small)


@pytest.mark.slow
def test_random_moments(small: Undisturbed) -> None:
    """Job and Snakemake die together at moments that nobody chose."""
    chronicle = through(small, moments(16, longest=6.0, seed=6))
    report(chronicle)
    assert len(chronicle.survived) >= 10  # the run may end before the last ones
    judge(chronicle, small)


def test_there_are_enough_places() -> None:
    assert len(many()) + 10 >= 50


def report(chronicle: Chronicle) -> None:
    """The table of docs/reliability.md."""
    deaths = chronicle.deaths
    lines = ["where,tried,survived,finished evaluations repeated"]
    for where in dict.fromkeys(death.point.where for death in deaths):
        here = [death for death in deaths if death.point.where == where]
        struck = [death for death in here if death.struck]
        lines.append(f"{MEANING[where]},{len(here)},{len(struck)},{sum(death.repeated for death in here)}")
    lines.append(f"evaluations begun {chronicle.begun}, in the journal {chronicle.entries}")
    print("\n" + "\n".join(lines))  # noqa: T201 (shown by pytest -s)
