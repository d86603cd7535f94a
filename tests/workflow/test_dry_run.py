"""The shipped configurations give plans, and Snakemake's linter has nothing to say."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
ALWAYS = {
    "all",
    "bulk",
    "training",
    "potential",
    "structure",
    "operators",
    "solve",
    "check",
    "decide",
}


@pytest.mark.parametrize("name", ["config", "minimal", "paper"])
def test_every_configuration_gives_a_plan(name: str, fresh: Any, planned_jobs: Any) -> None:
    done = fresh.snakemake("--dry-run", config=() if name == "config" else (f"config/{name}.yaml",))
    assert done.returncode == 0, done.stdout
    jobs = planned_jobs(done.stdout)
    written = yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text(encoding="utf-8"))
    assert set(jobs) >= ALWAYS | {figure for figure, source in written["figures"].items() if source}
    assert jobs["solve"] == jobs["decide"] == jobs["export"] == len(written["cases"])
    assert jobs["bulk"] == jobs["check"] == 1


def test_the_linter_is_content() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
