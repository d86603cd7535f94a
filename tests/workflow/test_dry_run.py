"""The shipped configurations give plans, and Snakemake's linter has nothing to say."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
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
    "solve",
    "check",
    "adapt",
    "mismatch",
    "summary",
    "verdict",
}


@pytest.mark.parametrize(
    "study", ["config/config.yaml", "config/studies/minimal.yaml", "config/studies/gallery.yaml"]
)
def test_every_study_gives_a_plan(study: str, fresh: Any, planned_jobs: Any) -> None:
    """The default one without being named; nothing of it in another one."""
    done = fresh.snakemake("--dry-run", config=() if study == "config/config.yaml" else (study,))
    assert done.returncode == 0, done.stdout
    jobs = planned_jobs(done.stdout)
    written = yaml.safe_load((ROOT / study).read_text(encoding="utf-8"))
    kinds = Counter(f"draw_{figure['kind']}" for figure in written["figures"].values() if figure)
    assert len(kinds) >= 6
    assert {name: count for name, count in jobs.items() if name.startswith("draw_")} == kinds
    assert set(jobs) >= ALWAYS
    assert jobs["solve"] == jobs["adapt"] == jobs["convergence"] == len(written["cases"])
    assert jobs["bulk"] == jobs["check"] == 1


def test_a_figure_is_a_target_by_its_name(fresh: Any, planned_jobs: Any) -> None:
    done = fresh.snakemake("--dry-run", "figure_4")
    assert done.returncode == 0, done.stdout
    jobs = planned_jobs(done.stdout)
    assert jobs["draw_convergence"] == jobs["figure_4"] == 1
    assert [name for name in jobs if name.startswith("draw_")] == ["draw_convergence"]


def test_the_stages_of_the_documentation_are_targets(fresh: Any) -> None:
    """Of make, and what make hands on is one of Snakemake."""
    table = (
        (ROOT / "docs/reading_the_results.md").read_text(encoding="utf-8").partition("| stage | writes |")[2]
    )
    table = table.partition("\n\n")[0]
    stages = re.findall(r"^\| (\w+) \|", table, re.MULTILINE)
    assert len(stages) > 15
    made = subprocess.run(
        ["make", "--dry-run", *stages], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    targets = re.findall(r"snakemake (?:--cores \d+ )?(\w+)", made)
    assert len(targets) == len(stages)
    done = fresh.snakemake("--dry-run", *targets)
    assert done.returncode == 0, done.stdout


def test_keys_without_cases_change_the_default_study(fresh: Any, planned_jobs: Any) -> None:
    """What names its cases is a study of its own; a file with figures alone is drawn for the cases of the default."""
    fresh.overlay("more", {"figures": {"mine": {"kind": "errors", "cases": ["edge_T2", "edge_T8"]}}})
    done = fresh.snakemake("--dry-run", config=("config/more.yaml",))
    assert done.returncode == 0, done.stdout
    jobs = planned_jobs(done.stdout)
    assert (jobs["draw_errors"], jobs["solve"]) == (1, 4)
    assert jobs["draw_convergence"] == 2


def test_figures_are_taken_back_and_added(fresh: Any, planned_jobs: Any) -> None:
    """An overlay draws the same kind twice under names of its own and none of another."""
    figures = {
        "figure_4": None,
        "figure_6": None,
        "front": {"kind": "front", "case": "minimal", "iteration": 1},
        "crack_errors": {"kind": "errors", "cases": ["minimal"], "slope": -0.5, "window": [40, 400]},
    }
    config = fresh.overlay("figures", {"figures": figures})
    jobs = planned_jobs(fresh.snakemake("--dry-run", config=config).stdout)
    assert "draw_convergence" not in jobs
    assert (jobs["draw_front"], jobs["draw_errors"]) == (2, 2)
    assert (
        planned_jobs(fresh.snakemake("--dry-run", "crack_errors", config=config).stdout)["crack_errors"] == 1
    )
    wrong = fresh.overlay("wrong", {"figures": {"figure_4": {"cases": ["edge_T4"]}}})
    done = fresh.snakemake("--dry-run", config=wrong)
    assert done.returncode != 0
    assert "figures.figure_4: 'edge_T4' is not among the cases" in done.stdout


def test_jobs_ask_for_what_the_plan_says(fresh: Any) -> None:
    """Run time of the first solve: that of a plan, unless a profile or the command line says another one."""

    rules = (
        fresh.folder / "workflow" / "rules" / "adapt.smk"
    )  # Snakemake shows resources of a job without a message
    message = '    message:\n        "Solve {wildcards.case}, iteration {wildcards.k}"\n'
    rules.write_text(fresh.text("workflow/rules/adapt.smk").replace(message, ""), encoding="utf-8")

    def asked(*more: str) -> set[str]:
        said = fresh.snakemake("results/minimal/0/solution.zarr/zarr.json", "--dry-run", *more).stdout
        block = said.partition("rule solve:")[2].partition("\n\n")[0]
        return set(re.findall(r"runtime=\d+|mem_mb=\d+", block))

    given = {"solve": {"runtime": 77, "mem_mb": 8100}, "adapt": {"runtime": 11, "mem_mb": 8100}}
    plan = {"preparation": [], "iterations": [{"k": 0, "resources": given}]}
    (fresh.folder / "results" / "plan").mkdir(parents=True)
    (fresh.folder / "results" / "plan" / "minimal.json").write_text(json.dumps(plan), encoding="utf-8")
    assert asked() == {"runtime=77", "mem_mb=8100"}
    assert asked("--set-resources", "solve:runtime=5") == {"runtime=5", "mem_mb=8100"}


def test_the_linter_is_content() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_takes_all_cores_whatever_the_threads() -> None:
    """nproc says 1 to those who have set OMP_NUM_THREADS to 1."""
    command = ["make", "--dry-run", "run"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert f"snakemake --cores {len(os.sched_getaffinity(0))} " in done.stdout
