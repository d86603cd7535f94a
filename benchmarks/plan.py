"""The plan of a finished case against what it took: python benchmarks/plan.py CONFIGFILE CASE >> benchmarks/plan.csv.

In a project folder with the results of the case. After m = 0, 1, ... iterations the rest is predicted as `make plan`
would have then; hours are processor hours of the jobs solve, residual, answer, estimate and refine, starts of Python
included, as results/benchmarks has them. A busy machine stretches them.
"""

import json
import sys
from pathlib import Path

import pandas as pd
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from qmfront.config.load import load
from qmfront.crystal.lattice import cubic_crystal
from qmfront.plan.iterations import finished_iterations
from qmfront.plan.plan import planned, prospect_of
from qmfront.plan.price import JOB_SECONDS

CHEAP = 2
"""Jobs of an iteration that have no benchmark file: decide and error."""


def rows(configfile: str, name: str) -> pd.DataFrame:
    """Predicted and actual numbers of the iterations from m on; also of all of them, for m = 0."""
    config = load_configfile("config/config.yaml")
    update_config(config, load_configfile(configfile))
    study = load(config, Path())
    case, material = study.cases[name], study.material_of(name)
    crystal = material.crystal
    residuals = ["exact", "cauchy_born", "paper"] if case.reference.compute else [case.estimate.residual]
    preflight = json.loads(Path(f"results/preflight/{case.material}.json").read_text())
    prospect = prospect_of(
        cubic_crystal(crystal.symbol, crystal.structure, crystal.lattice_constant_guess),
        preflight,
        {
            "calculator": material.qm.calculator,
            "kwargs": {**material.qm.arguments(Path()), **case.qm_kwargs},
        },
        {
            "case": case.model_dump(mode="json"),
            "potential": study.potential_of(name).model_dump(mode="json"),
            "residuals": residuals,
            "seconds": material.preflight.seconds,
            "reach": material.force_constants.reach,
        },
    )
    everything = finished_iterations(Path("results") / name)
    return pd.DataFrame([_row(prospect, everything, m, name) for m in range(len(everything))])


def _row(prospect, everything: list, m: int, name: str) -> dict:
    found = planned(prospect, everything[:m], reference=True)
    rest = [row for row in found["iterations"] if not row["finished"]]
    actual = everything[m:]
    seconds = sum(_spent(name, row["k"]) for row in actual)
    predicted = sum(row["seconds"] - CHEAP * JOB_SECONDS for row in rest)
    last = rest[-1] if rest else {"n_qm": everything[m - 1]["n_qm"], "eta": everything[m - 1]["eta"]}
    return {
        "case": name,
        "after": m,
        "predicted_iterations": len(rest),
        "iterations": len(actual),
        "predicted_n_qm": last["n_qm"],
        "n_qm": actual[-1]["n_qm"],
        "predicted_eta": f"{last['eta']:.2e}",
        "eta": f"{actual[-1]['eta']:.2e}",
        "predicted_calls": sum(row["calls"] for row in rest),
        "calls": sum(row["qm_calls"] + row["residual_calls"] for row in actual),
        "predicted_hours": f"{predicted / 3600:.2e}",
        "low_hours": f"{_ahead(found, 'low', m) / 3600:.2e}",
        "high_hours": f"{_ahead(found, 'high', m) / 3600:.2e}",
        "hours": f"{seconds / 3600:.2e}",
        "ratio": f"{predicted / seconds:.2f}",
    }


def _spent(name: str, k: int) -> float:
    """Processor seconds of the jobs of an iteration; the cheap ones have no benchmark file."""
    files = Path("results/benchmarks", name, str(k)).glob("*.tsv")
    return sum(float(pd.read_csv(file, sep="\t")["cpu_time"].iloc[0]) for file in files)


def _ahead(found: dict, way: str, m: int) -> float:
    """Seconds of the iterations to come if eta falls in another way."""
    done = sum(row["seconds"] for row in found["iterations"][:m])
    scenario = found["scenarios"][way]
    return 3600 * scenario["hours"] - done - CHEAP * JOB_SECONDS * (scenario["iterations"] - m)


if __name__ == "__main__":
    print(rows(*sys.argv[1:]).to_csv(index=False), end="")
