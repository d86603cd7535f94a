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
def test_every_place_and_random_moments(small: Undisturbed) -> None:
    """More than fifty kill points in two runs; `pytest -s` shows the table of docs/reliability.md."""
    chosen = through(small, many(), narrow=True)
    judge(chosen, small)
    random = through(small, moments(14, longest=12.0, seed=6))
    judge(random, small)
    report(chosen, random)
    assert [str(death.point) for death in chosen.deaths if not death.struck] == []
    deaths = chosen.survived + random.survived
    assert len(deaths) >= 50
    assert {death.point.where for death in deaths} == set(MEANING)


def report(*chronicles: Chronicle) -> None:
    """The table of docs/reliability.md."""
    deaths = [death for chronicle in chronicles for death in chronicle.deaths]
    lines = ["where,tried,survived,finished evaluations repeated"]
    for where, meaning in MEANING.items():
        here = [death for death in deaths if death.point.where == where]
        struck = [death for death in here if death.struck]
        lines.append(f"{meaning},{len(here)},{len(struck)},{sum(death.repeated for death in here)}")
    begun, lost = (sum(getattr(c, name) for c in chronicles) for name in ("begun", "lost"))
    lines.append(f"evaluations begun {begun}; died with their job {lost}")
    print("\n" + "\n".join(lines))  # noqa: T201 (shown by pytest -s)
