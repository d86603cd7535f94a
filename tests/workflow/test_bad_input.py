"""Bad input: a non-zero exit code, a message that says what, why and what to do, and nothing that looks finished."""

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
            {"case_defaults": {"adapt": {"tolerence": 1.0}}},
            ["case_defaults.adapt.tolerence: unknown key", "did you mean 'tolerance'?"],
        ),
        (
            {"case_defaults": {"buffer": {"width": "1 nm"}}},
            ["case_defaults.buffer.width: '1 nm' is text, not a number", "write the number alone, in Å"],
        ),
        (
            {"materials": {"tungsten": {"qm": {"files": {"potential": "data/W.eam.fs"}}}}},
            ["materials.tungsten.qm.files.potential = 'data/W.eam.fs': no such file", "looked for /"],
        ),
        (
            {"case_defaults": {"initial_region": {"centre_r0": [5.0, 0.0]}}},
            [
                "case minimal: initial_region.radius_r0 = 3.3",
                "does not contain the core",
                "Choose at least 6",
            ],
        ),
        (
            {"case_defaults": {"buffer": {"width": 30.0}}},
            [
                "case minimal: buffer.width = 30 Å",
                "reaches 69.0 Å",
                "ends at 49.3 Å",
                "decrease buffer.width",
            ],
        ),
    ],
    ids=["unknown key", "unit", "missing file", "no core", "wide buffer"],
)
def test_a_configuration_that_cannot_work(content: dict[str, Any], pieces: list[str], fresh: Any) -> None:
    done = fresh.snakemake(config=fresh.overlay("bad", content))
    assert done.returncode != 0
    assert [piece for piece in pieces if piece not in done.stdout] == [], done.stdout
    assert "Traceback" not in done.stdout
    assert not (fresh.folder / "results").exists()


@pytest.mark.parametrize(
    ("largest", "target", "log"),
    [
        (10, "results/bulk/tungsten", "bulk/tungsten"),
        (1000, "results/minimal/reference", "minimal/reference"),
    ],
    ids=["bulk", "reference"],
)
def test_a_calculator_that_returns_nan(
    largest: int, target: str, log: str, fresh: Any, tmp_path: Path
) -> None:
    (tmp_path / "broken.py").write_text(BROKEN, encoding="utf-8")
    qm = {"calculator": "broken.Broken", "kwargs": {"potential": "W_zhou", "largest": largest}}
    config = fresh.overlay("broken", {"materials": {"tungsten": {"qm": qm}}})
    done = fresh.snakemake(f"{target}.zarr/zarr.json", config=config, path=tmp_path)
    last = fresh.text(f"logs/{log}.log").splitlines()[-1]
    assert done.returncode != 0
    assert "broken.Broken returned" in last and "of forces as NaN or infinity" in last
    assert "Check the structure (atoms too close?) and the settings of the calculator" in last
    assert done.stdout.count(last) >= 2, "on its own, and at the end of the log"
    assert not (fresh.folder / f"{target}.zarr" / "zarr.json").exists()


def test_a_solve_that_does_not_converge(finished: Any) -> None:
    config = finished.overlay("two_calls", {"case_defaults": {"solve": {"max_calls": 2}}})
    done = finished.snakemake("results/minimal/convergence.csv", config=config)
    last = finished.text("logs/minimal/0/solve.log").splitlines()[-1]
    assert done.returncode != 0
    assert last.startswith("RuntimeError: No equilibrium after 2 force calls: measure ")
    assert "Raise solve.max_calls" in last and "kept in the journal" in last
    assert done.stdout.count(last) >= 2
    assert not (finished.folder / "results/minimal/0/solution.zarr/zarr.json").exists()
    again = finished.snakemake("--dry-run", "results/minimal/convergence.csv", config=config)
    assert "Solve minimal, iteration 0" in again.stdout


def test_results_that_fail_their_checks(finished: Any) -> None:
    """The summary of pytest is shown, and there is no results/checks.txt that would say they passed."""
    table = finished.folder / "results/minimal/convergence.csv"
    lines = table.read_text(encoding="utf-8").splitlines()
    cells = lines[2].split(",")
    cells[1] = "10"  # fewer QM atoms than in the first iteration
    lines[2] = ",".join(cells)
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = finished.snakemake("results/checks.txt")
    assert done.returncode != 0
    assert "FAILED" in done.stdout and "test_the_qm_region_grows[minimal]" in done.stdout
    assert "RuntimeError: The finished results fail their checks" in done.stdout
    assert not (finished.folder / "results/checks.txt").exists()
