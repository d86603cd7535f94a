"""From a configured material to the page, and from a liar to the refusal."""

from pathlib import Path
from typing import Any

import pytest

from qmfront.config.material import Measurements
from qmfront.crystal.lattice import cubic_crystal
from qmfront.models.calculator import build
from qmfront.preflight.page import page
from qmfront.preflight.report import Report, refuse, report
from qmfront.preflight.subject import RefusedError, Subject

DEFAULTS = Measurements()


def report_of(calculator: str, symbol: str, structure: Any, a0: float) -> Report:
    subject = Subject(lambda: build({"calculator": calculator, "kwargs": {}}), calculator)
    guess = cubic_crystal(symbol, structure, a0)
    settings = DEFAULTS.preflight, DEFAULTS.force_constants, DEFAULTS.stress_samples
    return report("mine", subject, guess, *settings)


def test_a_calculator_of_ase_passes_with_the_default_limits() -> None:
    found = report_of("ase.calculators.emt.EMT", "Al", "fcc", 4.0)
    assert found.findings.passed
    refuse(found, strictly=True)
    advice = found.recommendation
    assert 4.0 < advice.buffer < 11.0
    assert advice.supercell > 500  # reach of 11 Å twice
    sizes = [cluster.atoms for cluster in advice.clusters]
    assert sizes == sorted(sizes)
    text = page(found)
    assert text.startswith("# Preflight of mine: ase.calculators.emt.EMT\n\n**Passed.**")
    for piece in ("Recommended buffer.width: **", "| determinism | 0.0e+00 eV/Å |", "atoms. Measurements on"):
        assert piece in text


def test_a_liar_is_refused_with_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    found = report_of("tests.preflight.liars.WrongSign", "W", "bcc", 3.165)
    with pytest.raises(RefusedError) as caught:
        refuse(found, strictly=True)
    assert "tests.preflight.liars.WrongSign is refused for mine. Wrong sign of the forces" in str(
        caught.value
    )
    refuse(found, strictly=False)
    assert "Going on, since preflight.refuse is false" in caplog.text
    text = page(found)
    assert "**Refused.**" in text and "- Wrong sign of the forces" in text and "| refused |" in text
    assert "## Buffer" not in text


def test_a_calculator_that_always_fails_has_a_page_too() -> None:
    found = report_of("tests.preflight.liars.Breaks", "W", "bcc", 3.165)
    assert found.findings.cost is None and found.recommendation is None
    assert "no such licence" in page(found)


@pytest.mark.parametrize("calculator", ["ase.calculators.emt.EMT", "tests.preflight.liars.Breaks"])
def test_a_report_is_read_as_it_was_written(calculator: str, tmp_path: Path) -> None:
    found = report_of(calculator, "Al", "fcc", 4.0)
    path = tmp_path / "mine.json"
    path.write_text(found.json())
    assert Report.read(path) == found
