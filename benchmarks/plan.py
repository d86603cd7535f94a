"""The plan of a finished case against what it took: python benchmarks/plan.py CONFIGFILE CASE >> benchmarks/plan.csv.

In a project folder with the results of the case. After m = 0, 1, ... iterations the rest is predicted as `make plan`
would have then; hours are processor hours of the jobs solve and adapt, starts of Python included, as
results/benchmarks has them. A busy machine stretches them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from ase import Atoms
from snakemake.common.configfile import load_configfile

from qmfront.config.load import load
from qmfront.evaluate.evaluation import Evaluation, ask
from qmfront.models.calculator import build
from qmfront.plan.case import PlannedCase, planned_case
from qmfront.plan.finished import Finished, FinishedIteration, finished_in
from qmfront.plan.plan import Scenario, plan
from qmfront.preflight.report import Report


def rows(configfile: str, name: str) -> pd.DataFrame:
    """Predicted and actual numbers of the iterations from m on; also of all of them, for m = 0."""
    study = load(load_configfile(configfile), Path())
    case, material = study.cases[name], study.material_of(name)
    kwargs = {**material.qm.arguments(Path()), **case.qm_kwargs}
    calculator = build({"calculator": material.qm.calculator, "kwargs": kwargs})

    def call(atoms: Atoms) -> Evaluation:
        return ask(atoms, calculator, ("energy", "forces"), name=material.qm.calculator)

    preflight = Report.read(f"results/preflight/{case.material}.json")
    planned = planned_case(case, study.potential_of(name), material, preflight, call)
    everything = finished_in(Path("results") / name).iterations
    return pd.DataFrame([_row(planned, everything, m, name) for m in range(len(everything))])


def _row(planned: PlannedCase, everything: Sequence[FinishedIteration], m: int, name: str) -> dict:
    found = plan(planned, Finished(tuple(everything[:m]), reference=True))
    rest, actual = [each for each in found.iterations if not each.finished], everything[m:]
    seconds = sum(_spent(name, each.k) for each in actual)
    predicted = sum(each.seconds for each in rest)
    last = rest[-1] if rest else everything[m - 1]
    past = sum(each.seconds for each in found.iterations[:m])
    return {
        "case": name,
        "after": m,
        "predicted_iterations": len(rest),
        "iterations": len(actual),
        "predicted_n_qm": last.n_qm,
        "n_qm": actual[-1].n_qm,
        "predicted_eta": f"{last.eta:.2e}",
        "eta": f"{actual[-1].eta:.2e}",
        "predicted_calls": sum(each.calls for each in rest),
        "calls": sum(each.calls for each in actual),
        "predicted_hours": f"{predicted / 3600:.2e}",
        "low_hours": f"{_ahead(found.scenarios.low, past):.2e}",
        "high_hours": f"{_ahead(found.scenarios.high, past):.2e}",
        "hours": f"{seconds / 3600:.2e}",
        "ratio": f"{predicted / seconds:.2f}",
    }


def _spent(name: str, k: int) -> float:
    """Processor seconds of the jobs of an iteration."""
    files = Path("results/benchmarks", name, str(k)).glob("*.tsv")
    return sum(float(pd.read_csv(file, sep="\t")["cpu_time"].iloc[0]) for file in files)


def _ahead(scenario: Scenario, past: float) -> float:
    """Hours of the iterations to come if eta falls in another way.

    past : seconds of those that are finished
    """
    return scenario.hours - past / 3600


if __name__ == "__main__":
    print(rows(*sys.argv[1:]).to_csv(index=False), end="")
