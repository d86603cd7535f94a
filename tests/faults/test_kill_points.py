"""SIGKILL at any place costs no finished QM evaluation and changes no result."""

import pytest

from tests.faults.comparing import differences
from tests.faults.conftest import emptied
from tests.faults.killing import Chronicle, through
from tests.faults.points import MEANING, few, many, moments
from tests.workflow.project import Project


def judge(chronicle: Chronicle, project: Project, undisturbed: Project) -> None:
    """Nothing finished was computed again, each death cost at most what was in flight, and the results are equal."""
    assert [str(death.point) for death in chronicle.deaths if death.repeated] == []
    kills = len(chronicle.deaths)
    assert chronicle.begun > 100
    assert 0 <= chronicle.lost <= 2 * kills  # two jobs run at a time
    assert differences(undisturbed, project) == []


def test_five_places(waiting: Project, study: tuple[str, ...], undisturbed: Project) -> None:
    chronicle = through(waiting, few(), study)
    assert [str(death.point) for death in chronicle.deaths if not death.struck] == []
    judge(chronicle, waiting, undisturbed)


@pytest.mark.slow
def test_every_place_and_random_moments(
    waiting: Project, study: tuple[str, ...], undisturbed: Project
) -> None:
    """More than fifty kill points in two runs; `pytest -s` shows the table of docs/reliability.md."""
    chosen = through(waiting, many(), study)
    judge(chosen, waiting, undisturbed)
    random = through(emptied(waiting), moments(14, longest=12.0, seed=6), study)
    judge(random, waiting, undisturbed)
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
