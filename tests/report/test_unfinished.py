"""A run that failed shows the cases that ended, and says of the others what stopped them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qmfront.config.load import load
from qmfront.config.study import Study
from qmfront.report.unfinished import LONGEST, PAGE, failures_of, reason_of, show_what_ended
from tests.report.test_page import TABLE, Cells

ROOT = Path(__file__).parents[2]
SNAKEMAKE_LOG = """\
[Sun Nov 29 16:00:00 2026]
Error in rule solve:
    message: Solve bad, iteration 0
    jobid: 7
    input: results/bad/structure.zarr/zarr.json
    output: results/bad/0/solution.zarr/zarr.json
    log: logs/bad/0/solve.log (check log file(s) for error details)

Removing output files of failed job solve since they might be corrupted:
results/bad/0/partition.zarr/zarr.json
[Sun Nov 29 16:00:02 2026]
Error in rule reference:
    jobid: 9
    log: logs/lost/reference.log (check log file(s) for error details)
Error in rule solve:
    jobid: 7
    log: logs/bad/0/solve.log (check log file(s) for error details)
"""
RAISED = """\
2026-11-29 16:00:00,000 qmfront.coupling: step 1
Traceback (most recent call last):
  File "solve.py", line 3, in <module>
ValueError: the first

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "solve.py", line 4, in <module>
RuntimeError: No root of the mixed forces after 1 calls:
  - 3 eV/Å are left. <Increase> solve.max_calls
"""
REASON = (
    "RuntimeError: No root of the mixed forces after 1 calls: - 3 eV/Å are left. <Increase> solve.max_calls"
)


@dataclass
class Named:
    name: str


@dataclass
class Job:
    rule: Named
    wildcards: Mapping[str, str]


def waiting(rule: str, **wildcards: str) -> Job:
    return Job(Named(rule), wildcards)


@pytest.fixture
def study() -> Study:
    """Three cases that differ in their radius, so that none shares the operators of another."""
    radii = {"good": 18.0, "bad": 19.0, "lost": 20.0}
    cases: dict[str, Any] = {
        name: {"extends": "minimal", "title": f"{name} disc", "reference": {"compute": False}}
        | {"domain": {"radius_r0": radius}}
        for name, radius in radii.items()
    }
    return load({"cases": cases, "figures": None}, ROOT)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a run that failed: all three cases have a table, two of them from an earlier run."""
    monkeypatch.chdir(tmp_path)
    for name in ("good", "bad", "lost"):
        (tmp_path / "results" / name).mkdir(parents=True)
        TABLE.to_csv(tmp_path / "results" / name / "convergence.csv", index=False)
    (tmp_path / "logs/bad/0").mkdir(parents=True)
    (tmp_path / "logs/lost").mkdir()
    (tmp_path / "logs/bad/0/solve.log").write_text(RAISED)
    (tmp_path / "logs/lost/reference.log").write_text("2026-11-29 16:00:00,000 qmfront: QM call 3\n")
    (tmp_path / "snakemake.log").write_text(SNAKEMAKE_LOG)
    return tmp_path


def test_cases_that_ended_have_their_rows(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unfinished = [
        waiting("solve", case="bad", k="0"),
        waiting("convergence", case="lost"),
        waiting("summary"),
    ]
    show_what_ended(study, ["snakemake.log"], [*unfinished, waiting("energy", case="good")])
    rows = Cells((folder / "results" / PAGE).read_text(encoding="utf-8")).rows
    assert ["good", "good disc", "2", "56 to 126", "0.05", "0.08", "0.625", "-", "-"] in rows
    assert ["solve", "logs/bad/0/solve.log", REASON] in rows
    (lost,) = (row for row in rows if row[:2] == ["lost", "lost disc"])
    assert lost[2].startswith("logs/lost/reference.log: ended without a message, after: 2026-11-29 16")
    assert sum(row[:1] in (["bad"], ["lost"]) for row in rows) == 2  # earlier tables of theirs are not shown
    told = capsys.readouterr().err
    assert told.startswith(
        "1 of 3 cases ended, results/unfinished.html shows them. Without a result:\n  bad: logs/"
    )


def test_a_case_stops_where_its_potential_does(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "snakemake.log").write_text(
        SNAKEMAKE_LOG.replace("logs/bad/0/solve", "logs/potentials/minimal")
    )
    show_what_ended(
        study, ["snakemake.log"], [waiting("convergence", case="bad"), waiting("mismatch", case="lost")]
    )
    told = capsys.readouterr().err
    assert "  bad: logs/potentials/minimal.log: it left no log\n" in told
    (folder / "snakemake.log").write_text("")
    show_what_ended(study, ["snakemake.log"], [waiting("convergence", case="bad")])
    assert "  bad: the run ended before it; the next run goes on\n" in capsys.readouterr().err


@pytest.mark.parametrize("unfinished", [(), ("good", "bad", "lost")])
def test_there_is_no_page_where_all_cases_ended_or_none(
    unfinished: tuple[str, ...], study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "results" / PAGE).write_text("of an earlier run")
    show_what_ended(study, ["snakemake.log"], [waiting("solve", case=name) for name in unfinished])
    assert not (folder / "results" / PAGE).exists() and capsys.readouterr().err == ""


def test_a_page_that_cannot_be_made_does_not_hide_the_failure(
    study: Study, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "results/good/convergence.csv").write_text("")
    show_what_ended(study, ["snakemake.log"], [waiting("solve", case="bad")])
    assert capsys.readouterr().err.startswith("No page about the cases that ended: EmptyDataError")


def test_every_job_is_told_once(folder: Path) -> None:
    found = failures_of([str(folder / "snakemake.log")])
    assert [failure.log for failure in found] == ["logs/bad/0/solve.log", "logs/lost/reference.log"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (RAISED, REASON),
        (RAISED + "2026-11-29 16:00:01,000 qmfront: again\n", "ended without a message, after: 2026-11-29 16:00:01"),
        ("Traceback (most recent call last):\n  File\nKeyboardInterrupt\n", "KeyboardInterrupt"),
        ("Traceback (most recent call last):\n  File\na.b.Error: " + "x " * 1000, "Error: x x"),
        ("", "ended without a message, after: nothing"),
    ],
)  # fmt: skip
def test_reasons(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "job.log").write_text(text)
    found = reason_of(tmp_path / "job.log")
    assert found.startswith(reason) and len(found) <= LONGEST
