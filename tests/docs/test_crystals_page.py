"""What docs/crystals.md says of runs is what the table of the benchmark holds."""

import importlib.util
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker() -> Any:
    spec = importlib.util.spec_from_file_location("crystals_page", ROOT / "benchmarks" / "crystals_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_of_the_page_are_those_of_the_benchmark(maker: Any) -> None:
    page = (ROOT / "docs" / "crystals.md").read_text(encoding="utf-8")
    known = pd.read_csv(ROOT / "benchmarks" / "crystals.csv")
    assert page == maker.with_tables(page, known), "python benchmarks/crystals_page.py writes them"


def test_every_row_is_on_the_page_and_what_misses_its_bar_is_marked(maker: Any) -> None:
    rows = [
        ("A_loop", "eta with 4 QM atoms (Å)", 0.2, 0.2, 0.4, "QM minimum"),
        ("A_loop", "trusted; it creeps | a bit", 0.0, None, None, ""),
        ("A_loop", "processor time (s)", 12.4, None, None, ""),
        ("B", "energy (eV)", 1.25, 0.1, 1.5, "LAMMPS"),
        ("B", "energy again (eV)", 1.5, 0.1, 1.5, "LAMMPS"),
        ("C", "does not run: RefusedError: rough", None, 0, None, ""),
        ("D", "a at rest (Å)", 3.0, 0.1, 3.03, "LAMMPS"),
        ("D", "C11 (GPa)", 100.0, 0.1, 102.0, "LAMMPS"),
    ]
    text = maker.tables(
        pd.DataFrame(rows, columns=["system", "quantity", "ours", "bar", "other", "other_code"])
    )
    for line in (
        "| A loop | 4 | 0.50 | 0.4 | no: it creeps / a bit | 12 |",
        "| B | energy (eV) | 1.25 | 0.1, exceeded | 1.5 | LAMMPS |",
        "| B | energy again (eV) | 1.5 | 0.1 | 1.5 | LAMMPS |",
        "| C | RefusedError: rough |",
        "| D | 1e-02 | 2e-02 |",
    ):
        assert line in text.splitlines()
