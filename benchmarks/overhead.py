"""Processor time of a case over that of its mathematics, stage by stage: python benchmarks/overhead.py [CASE].

The case, edge_T4 if none is named, is computed in a copy of the project with an empty journal, one job at a time. Every
Python process leaves its processor time when it ends; scripts are the jobs of their stage, all else is Snakemake.
mathematics_s is what the jobs say in their run.json: force calls, linear solves, fits, estimates and front; stages that
say nothing have none, and Snakemake has none. All are in the row `total`. A store that cases share counts once. Rows of
benchmarks/overhead.csv: stage, jobs, processor_s, mathematics_s.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_suffix(".csv")
WATCH = """
import atexit, os, sys, time
def _leave():
    with open(os.path.join({folder!r}, str(os.getpid())), "w") as file:
        file.write("%s %s" % (time.process_time(), " ".join(sys.argv)))
atexit.register(_leave)
"""
STAGE_OF = {
    "solution": "solve",
    "residual": "adapt",
    "estimate": "adapt",
    "refined": "adapt",
    "certificate": "potential",
    "operators": "structure",
}
"""Stage that writes a store; others have its name."""


def processor_seconds(times: Path) -> tuple[Counter[str], Counter[str]]:
    """Seconds and processes by stage."""
    seconds: Counter[str] = Counter()
    jobs: Counter[str] = Counter()
    for record in times.iterdir():
        value, _, command = record.read_text().partition(" ")
        found = re.search(r"scripts/tmp\w+\.(\w+)\.py", command)
        stage = found[1] if found else "snakemake"
        seconds[stage] += float(value)
        jobs[stage] += 1
    return seconds, jobs


def mathematics(results: Path) -> Counter[str]:
    """Seconds of the parts of the jobs by stage."""
    found: Counter[str] = Counter()
    for run in {each.read_text(): each for each in results.rglob("run.json")}.values():
        name = run.parent.stem
        stage = "bulk" if run.parents[1].name == "bulk" else STAGE_OF.get(name, name)
        parts = json.loads(run.read_text()).get("seconds", {})
        found[stage] += sum(seconds for part, seconds in parts.items() if part != "read")
    return +found


def measured(case: str) -> pd.DataFrame:
    """The table, by a run in a copy of the project."""
    with tempfile.TemporaryDirectory() as folder:
        project, times, watch = (Path(folder) / name for name in ("project", "times", "watch"))
        subprocess.run(["git", "clone", "--quiet", ROOT, project], check=True)
        for each in (times, watch):
            each.mkdir()
        (watch / "sitecustomize.py").write_text(WATCH.format(folder=str(times)))
        environment = {**os.environ, "PYTHONPATH": str(watch)} | dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"
        )
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "snakemake", f"results/{case}/convergence.csv", "--cores", "1"]
        subprocess.run(command, cwd=project, env=environment, check=True)
        seconds, jobs = processor_seconds(times)
        inside = mathematics(project / "results")
    rows = [
        {"stage": stage, "jobs": jobs[stage], "processor_s": value, "mathematics_s": inside.get(stage)}
        for stage, value in seconds.most_common()
    ]
    table = pd.DataFrame(rows)
    total = {"stage": "total"} | {
        name: table[name].sum() for name in ("jobs", "processor_s", "mathematics_s")
    }
    return pd.concat([table, pd.DataFrame([total])], ignore_index=True).round(1)


if __name__ == "__main__":
    made = measured(*(sys.argv[1:] or ["edge_T4"]))
    made.to_csv(TABLE, index=False)
    sys.stdout.write(made.to_string() + "\n")
