"""Bad input: a non-zero exit code, a message that says what, why and what to do, and nothing that looks finished."""

import shutil
from pathlib import Path
from typing import Any

import pytest

BROKEN = '''
"""An EAM calculator that gives up on large systems."""

import numpy as np

from qmfront.models.eam import EAM


class Broken(EAM):
    def __init__(self, potential: str, largest: int) -> None:
        super().__init__(potential=potential)
        self.largest = largest

    def calculate(self, *args, **kwargs) -> None:
        super().calculate(*args, **kwargs)
        if len(self.atoms) > self.largest:
            self.results["forces"] = np.full_like(self.results["forces"], np.nan)
'''


@pytest.mark.parametrize(
    ("content", "pieces"),
    [
        (
            {"case_defaults": {"adapt": {"tolerence": 1.0}, "buffer": {"width": "1 nm"}}},
            [
                "case_defaults.adapt.tolerence: unknown key",
                "did you mean 'tolerance'?",
                "case_defaults.buffer.width: '1 nm' is text, not a number",
                "write the number alone, in Å",
            ],
        ),
        (
            {
                "case_defaults": {"initial_region": {"centre_r0": [5.0, 0.0]}, "buffer": {"width": 30.0}},
                "materials": {"tungsten": {"qm": {"files": {"potential": "data/W.eam.fs"}}}},
            },
            [
                "materials.tungsten.qm.files.potential = 'data/W.eam.fs': no such file",
                "looked for /",
                "case minimal: initial_region.radius_r0 = 3.3: the initial QM region does not contain the core",
                "Choose at least 6, or move initial_region.centre_r0 to the core",
                "case minimal: buffer.width = 30 Å: the buffer of the initial region",
                "but the free part of the domain ends at 49.3 Å (domain.radius_r0 = 18)",
                "Increase domain.radius_r0 or decrease buffer.width",
            ],
        ),
    ],
    ids=["keys and units", "contradictions and missing files"],
)
def test_a_configuration_that_cannot_work(content: dict[str, Any], pieces: list[str], fresh: Any) -> None:
    """All problems at once, before any job."""
    done = fresh.snakemake(config=fresh.overlay("bad", content))
    assert done.returncode != 0
    assert [piece for piece in pieces if piece not in done.stdout] == [], done.stdout
    assert "Traceback" not in done.stdout
    assert not (fresh.folder / "results").exists()


def test_a_calculator_that_returns_nan_for_the_crystal(fresh: Any, tmp_path: Path) -> None:
    """Preflight refuses it, and the crystal is not even begun."""
    done = fresh.snakemake(
        "results/bulk/tungsten.zarr/zarr.json", config=with_broken(fresh, tmp_path, largest=10), path=tmp_path
    )
    assert done.returncode != 0
    told = told_twice(fresh, "logs/preflight/tungsten.log", done.stdout)
    assert told.startswith("broken.Broken is refused for tungsten. It returns numbers that are not finite")
    assert "materials.tungsten.preflight holds the limits" in told
    assert not (fresh.folder / "results/preflight/tungsten.json").exists()
    assert "all that was found is in results/preflight/tungsten.refused.md" in told
    assert "**Refused.**" in fresh.text("results/preflight/tungsten.refused.md")
    assert not (fresh.folder / "logs/bulk/tungsten.log").exists()


def test_a_refusal_can_be_overruled(fresh: Any, tmp_path: Path) -> None:
    """The page is written with the causes on it, and the next stage finds what is wrong by itself."""
    config = with_broken(fresh, tmp_path, largest=10)
    going_on = fresh.overlay("going_on", {"material_defaults": {"preflight": {"refuse": False}}})
    done = fresh.snakemake(
        "results/bulk/tungsten.zarr/zarr.json", config=(*config, going_on[1]), path=tmp_path
    )
    assert done.returncode != 0
    assert "**Refused.**" in fresh.text("results/preflight/tungsten.md")
    assert not (fresh.folder / "results/preflight/tungsten.refused.md").exists()
    told = told_twice(fresh, "logs/bulk/tungsten.log", done.stdout)
    assert told.startswith("broken.Broken returned ") and "of forces as NaN or infinity" in told
    assert not (fresh.folder / "results/bulk/tungsten.zarr").exists()


def test_a_calculator_that_returns_nan_in_a_solve(finished: Any, tmp_path: Path) -> None:
    """Only the solve is asked for again: the crystal of this calculator is that of the finished case."""
    solution = finished.folder / "results/minimal/0/solution.zarr"
    shutil.rmtree(solution)
    config = with_broken(finished, tmp_path, largest=100)
    done = finished.snakemake(
        "results/minimal/0/solution.zarr/zarr.json",
        "--rerun-triggers",
        "mtime",
        config=config,
        path=tmp_path,
    )
    assert done.returncode != 0
    told = told_twice(finished, "logs/minimal/0/solve.log", done.stdout)
    assert told.startswith("broken.Broken returned ") and "of forces as NaN or infinity" in told
    assert "Check the structure (atoms too close?) and the settings of the calculator" in told
    assert not solution.exists()


def with_broken(project: Any, folder: Path, *, largest: int) -> tuple[str, ...]:
    """The configuration with a calculator, in `folder`, that fails for more atoms than this."""
    (folder / "broken.py").write_text(BROKEN, encoding="utf-8")
    qm = {"calculator": "broken.Broken", "kwargs": {"potential": "W_zhou", "largest": largest}}
    return project.overlay("broken", {"trust": ["broken"], "materials": {"tungsten": {"qm": qm}}})


def told_twice(project: Any, log: str, said: str) -> str:
    """The message in the last line of a log, which the terminal shows by itself and at the end of the log."""
    message = project.text(log).splitlines()[-1].partition(": ")[2]
    assert len(message) > 40
    assert said.count(message) >= 2
    return message


def test_a_solve_that_does_not_converge(finished: Any) -> None:
    config = finished.overlay("two_calls", {"case_defaults": {"solve": {"max_calls": 2}}})
    done = finished.snakemake("results/minimal/convergence.csv", config=config)
    assert done.returncode != 0
    told = told_twice(finished, "logs/minimal/0/solve.log", done.stdout)
    assert told.startswith("No equilibrium after 2 force calls: measure ")
    assert "Raise solve.max_calls" in told and "kept in the journal" in told
    assert not (finished.folder / "results/minimal/0/solution.zarr/zarr.json").exists()
    again = finished.snakemake("--dry-run", "results/minimal/convergence.csv", config=config)
    assert "Solve minimal, iteration 0" in again.stdout


def test_results_that_fail_their_checks(finished: Any, planned_jobs: Any) -> None:
    """The summary is written and names the failure; the run fails, and a second one says so again, at no cost."""
    table = finished.folder / "results/minimal/convergence.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    cells = lines[2].split(",")
    cells[1] = "10"  # fewer QM atoms than in the first iteration
    lines[2] = ",".join(cells)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    plain = finished.overlay("plain", {"figures": None})
    done = finished.snakemake("results/verdict.txt", config=plain)
    assert done.returncode != 0
    assert "minimal: the qm region grows – failed: " in finished.text("results/summary.html")
    assert " passed" in finished.text("results/checks.txt").splitlines()[-1]
    assert "test_the_qm_region_grows[minimal]" in finished.text("logs/check.log")
    told = told_twice(finished, "logs/verdict.log", done.stdout)
    assert told.startswith("The finished results fail ") and "minimal: the qm region grows" in told
    again = finished.snakemake("results/verdict.txt", config=plain)
    assert again.returncode != 0 and told in again.stdout
    assert planned_jobs(again.stdout) == {"verdict": 1}
    assert not (finished.folder / "results/verdict.txt").exists()
