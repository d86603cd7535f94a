"""The results of a study as they stand in its folder."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from qmfront.analysis.checks import Checks
from qmfront.config.study import Study
from qmfront.report.page import Missing, Results
from qmfront.report.results import CaseResult, PotentialResult

OF_POTENTIAL = ("fit.csv", "intervals.csv", "certificate.zarr")
NO_RESULT = "no result yet; qmfront run goes on with it"


def results_of(study: Study, folder: Path, ended: Sequence[str], *, missing: Missing) -> Results:
    """Of the cases that ended, and of their potentials as far as they are complete; nothing of it was tested.

    Parameters
    ----------
    folder : results/
    ended : names of cases
    missing : why others did not
    """
    cases = {name: CaseResult.of(study.cases[name], folder / name) for name in ended}
    potentials = {}
    for name in dict.fromkeys(case.potential for case in cases.values()):
        own, bulk = folder / "potentials" / name, folder / "bulk" / f"{study.potentials[name].material}.zarr"
        if bulk.exists() and all((own / file).exists() for file in OF_POTENTIAL):
            potentials[name] = PotentialResult.read(own, bulk)
    return Results(cases, potentials, missing=missing)


def results_so_far(study: Study, folder: Path) -> Results | None:
    """Of all cases that have a table by now, with comparison and checks where all have; None if no case has one.

    Parameters
    ----------
    folder : results/
    """
    ended = [name for name in study.cases if (folder / name / "convergence.csv").is_file()]
    if not ended:
        return None
    without = [(name, case.title, NO_RESULT) for name, case in study.cases.items() if name not in ended]
    found = results_of(study, folder, ended, missing=Missing(cases=without))
    checks, comparison = folder / "checks.txt", folder / "comparison.csv"
    if without or not checks.is_file():
        return found
    rows = pd.read_csv(comparison) if comparison.is_file() else None
    return Results(found.cases, found.potentials, rows, Checks.of_text(checks.read_text(encoding="utf-8")))
