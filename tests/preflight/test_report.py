"""From a configured material to the page, and from a liar to the refusal."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from qmfront.crystal.lattice import cubic_crystal
from qmfront.preflight.page import page
from qmfront.preflight.report import refuse, report
from qmfront.preflight.subject import RefusedError

ROOT = Path(__file__).parents[2]
DEFAULTS = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))["material_defaults"]


def content_of(calculator: str, symbol: str, structure: Any, a0: float, **kwargs: Any) -> dict[str, Any]:
    spec = {"calculator": calculator, "kwargs": kwargs}
    return {"material": "mine", **report(cubic_crystal(symbol, structure, a0), spec, DEFAULTS)}


def test_a_calculator_of_ase_passes_with_the_default_limits() -> None:
    content = content_of("ase.calculators.emt.EMT", "Al", "fcc", 4.0)
    assert content["passed"]
    refuse(content, strictly=True)
    advice = content["recommendation"]
    assert 4.0 < advice["buffer"] < 11.0
    assert advice["supercell"] > 500  # reach of 11 Å twice
    assert [c["atoms"] for c in advice["clusters"]] == sorted(c["atoms"] for c in advice["clusters"])
    text = page(json.loads(json.dumps(content)))
    assert text.startswith("# Preflight of mine: ase.calculators.emt.EMT\n\n**Passed.**")
    for piece in ("Recommended buffer.width: **", "| determinism | 0.0e+00 eV/Å |", "atoms. Measurements on"):
        assert piece in text


def test_a_liar_is_refused_and_told_why(caplog: pytest.LogCaptureFixture) -> None:
    content = content_of("tests.preflight.liars.WrongSign", "W", "bcc", 3.165)
    with pytest.raises(RefusedError) as caught:
        refuse(content, strictly=True)
    assert "tests.preflight.liars.WrongSign is refused for mine. Wrong sign of the forces" in str(
        caught.value
    )
    refuse(content, strictly=False)
    assert "Going on, since preflight.refuse is false" in caplog.text
    text = page(content)
    assert "**Refused.**" in text and "- Wrong sign of the forces" in text and "| refused |" in text
    assert "## Buffer" not in text


def test_a_calculator_that_never_answers_has_a_page_too() -> None:
    content = content_of("tests.preflight.liars.Breaks", "W", "bcc", 3.165)
    assert content["cost"] is None and content["recommendation"] == {}
    assert "no such licence" in page(content)
