"""The minimal case from the perfect crystal to the figures, and how little is computed again after a change."""

import io
import re
import shutil
from typing import Any

import ase.io
import numpy as np
import pandas as pd
import pytest
import yaml

TABLE = "results/minimal/convergence.csv"
QM_RULES = {"bulk", "training", "reference", "solve"}
"""Rules that call the QM model."""
FITTED = {"bulk", "training", "potential"}


def table_of(project: Any) -> pd.DataFrame:
    return without_times(pd.read_csv(io.StringIO(project.text(TABLE))))


def without_times(table: pd.DataFrame) -> pd.DataFrame:
    return table[[name for name in table if not name.startswith("cpu_")]]


def test_everything_that_was_asked_for_is_there(finished: Any, said: str, planned_jobs: Any) -> None:
    assert planned_jobs(said)["all"] == 1
    figures = yaml.safe_load(finished.text("config/studies/minimal.yaml"))["figures"]
    for name in (name for name, source in figures.items() if source):
        assert (finished.folder / "figures" / f"{name}.png").stat().st_size > 5000, name
    assert finished.text("results/minimal/relaxed.extxyz").splitlines()[0].isdigit()
    assert " passed" in finished.text("results/checks.txt").splitlines()[-1]
    assert finished.text("results/verdict.txt").startswith("All checks of the finished results passed: ")


def test_the_verdict_stands_with_the_bar(finished: Any, said: str) -> None:
    """In the table, on the page, in the header of the structure, in the line of every iteration: the same."""
    last = pd.read_csv(finished.folder / TABLE).iloc[-1]
    atoms = ase.io.read(finished.folder / "results/minimal/relaxed.extxyz")
    assert atoms.info["trusted"] == last["trusted"] and atoms.info["eta"] == pytest.approx(last["eta"])
    assert "not tested for a saddle" in atoms.info["reasons"] and "lowest_eigenvalue" not in atoms.info
    word = "trusted" if last["trusted"] else "not trusted"
    assert f'<td class="text">{word}' in finished.text("results/summary.html")
    told = finished.text("logs/minimal/2/adapt.log").splitlines()[-1]
    assert f"; {word}" in told.replace("NOT TRUSTED", "not trusted") and told.partition(": ")[2] in said


def test_the_table_has_a_row_per_iteration(finished: Any) -> None:
    table = pd.read_csv(finished.folder / TABLE)
    assert table["k"].tolist() == [0, 1, 2]
    causes = ["eta_mismatch", "eta_buffer", "eta_algebra"]
    expected = ["k", "n_qm", "n_buf", "n_mm", "eta", "eta_exact", "eta_paper", *causes, "error"]
    assert list(table.columns[: len(expected)]) == expected
    assert np.all(np.isfinite(table[expected]))
    assert np.all(table["cpu_solve"] > 0)
    whole = table["eta force_constants/cauchy_born"]  # the norm of the parts
    assert np.all(whole <= table[causes].sum(axis=1) * (1 + 1e-6))


def test_a_second_run_has_nothing_to_do(finished: Any) -> None:
    done = finished.snakemake()
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout


@pytest.mark.slow  # test_a_tighter_tolerance_goes_on_from_the_last_iteration runs always
def test_another_tolerance_solves_nothing_again(finished: Any, planned_jobs: Any) -> None:
    """A looser one ends the loop earlier, the old one brings the last row back; no QM rule runs either way."""
    before = table_of(finished)
    between = float(np.sqrt(before["eta"][0] * before["eta"][1]))
    loose = finished.overlay("loose", {"case_defaults": {"adapt": {"tolerance": between}}})
    for config, rows in ((loose, 2), (("config/studies/minimal.yaml",), 3)):
        done = finished.snakemake(TABLE, config=config)
        assert done.returncode == 0, done.stdout
        assert QM_RULES.isdisjoint(rules_run(done.stdout)), done.stdout
        assert "adapt" in rules_run(done.stdout)
        pd.testing.assert_frame_equal(table_of(finished), before[:rows], rtol=1e-10)


def test_an_edit_of_the_estimator_solves_nothing_again(finished: Any) -> None:
    """The partitions come out the same: all iterations are estimated again, and none is solved."""
    before = table_of(finished)
    with open(finished.folder / "qmfront/estimate/estimator.py", "a", encoding="utf-8") as stream:
        stream.write("\nEDITED = True\n")
    done = finished.snakemake(TABLE)
    assert done.returncode == 0, done.stdout
    assert rules_run(done.stdout) == {"adapt", "convergence"}
    assert done.stdout.count("(Rule: adapt)") == len(before)
    pd.testing.assert_frame_equal(table_of(finished), before, rtol=1e-10)


def test_a_tighter_tolerance_goes_on_from_the_last_iteration(finished: Any) -> None:
    """After a run that stopped at k = 1 only k = 2 is solved; what it starts from is taken as it is.

    The default target asks for all decisions: Snakemake does not follow a checkpoint for a table that is there.
    """
    before = table_of(finished)
    between = float(np.sqrt(before["eta"][0] * before["eta"][1]))
    loose = finished.overlay("loose", {"case_defaults": {"adapt": {"tolerance": between}}})
    assert finished.snakemake(TABLE, config=loose).returncode == 0
    shutil.rmtree(finished.folder / "results" / "minimal" / "2")
    done = finished.snakemake(config=finished.overlay("plain", {"figures": None}))
    assert done.returncode == 0, done.stdout
    assert re.findall(r"Solve minimal, iteration (\d+)", done.stdout) == ["2"]
    pd.testing.assert_frame_equal(table_of(finished), before, rtol=1e-10)


def rules_run(output: str) -> set[str]:
    """Rules of the jobs that finished."""
    return {
        line.partition("(Rule: ")[2].rstrip(")") for line in output.splitlines() if "Finished jobid" in line
    }


@pytest.mark.parametrize(
    ("file", "again", "kept"),
    [
        ("qmfront/preflight/page.py", set(), QM_RULES | {"preflight", "structure"}),
        ("qmfront/estimate/estimator.py", {"adapt"}, QM_RULES | {"potential", "structure"}),
        ("qmfront/coupling/anderson.py", {"solve", "reference"}, FITTED | {"structure"}),
        ("qmfront/training/certificate.py", {"potential", "solve"}, {"bulk", "training", "reference"}),
        ("tests/results/test_cases.py", {"check"}, QM_RULES | {"potential", "structure", "convergence"}),
    ],
)
def test_an_edit_reaches_the_rules_that_use_it(
    file: str, again: set[str], kept: set[str], finished: Any, planned_jobs: Any
) -> None:
    """Up to the first checkpoint: what follows a decision is unknown while the decision is."""
    with open(finished.folder / file, "a", encoding="utf-8") as stream:
        stream.write("\nEDITED = True\n")
    done = finished.snakemake("--dry-run", "all", "results/minimal/0/decision.json")
    assert done.returncode == 0, done.stdout
    jobs = set(planned_jobs(done.stdout))
    assert again <= jobs
    assert kept.isdisjoint(jobs)


def test_a_preflight_that_runs_again_hides_nothing(finished: Any, planned_jobs: Any) -> None:
    """With an outdated verdict marked as ancient Snakemake would run the preflight, and report success."""
    limit = finished.overlay("limit", {"material_defaults": {"preflight": {"noise": 2e-4}}})
    done = finished.snakemake("--dry-run", "all", "results/minimal/0/decision.json", config=limit)
    assert done.returncode == 0, done.stdout
    assert {"preflight", "bulk", "training", "structure", "solve"} <= set(planned_jobs(done.stdout))


def test_a_setting_reaches_the_rules_that_use_it(finished: Any, planned_jobs: Any) -> None:
    config = finished.overlay("weights", {"potential_defaults": {"weights": {"stress": 2.0}}})
    done = finished.snakemake("--dry-run", "all", "results/minimal/0/decision.json", config=config)
    jobs = set(planned_jobs(done.stdout))
    assert {"potential", "solve"} <= jobs
    assert {"bulk", "training", "structure", "reference"}.isdisjoint(jobs)
