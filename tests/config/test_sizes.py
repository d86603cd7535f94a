"""Sizes that cannot be are refused with what they would need, before any site is made."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qmfront.config import sizes
from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.reading import read_yaml
from tests.config.fuzz import FIGURES, complete

ROOT = Path(__file__).parents[2]


@pytest.fixture
def of_24_gb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "memory", lambda: 24e3)


@pytest.fixture(scope="module")
def bases() -> dict[str, dict[str, Any]]:
    found = {
        case: complete({"cases": [case], "figures": {"one": figure}}) for case, figure in FIGURES.items()
    }
    return found | {"own": complete(read_yaml(ROOT / "config/studies/own.yaml", shown="own.yaml"))}


@pytest.mark.parametrize(
    ("case", "change", "told"),
    [
        ("minimal", {"domain.clamp_width": 50000.0}, "needs 1.6e9 sites, 4.7e4 GB; this machine has 24"),
        ("minimal", {"domain.radius_r0": 2000.0}, "domain.radius_r0 = 2000 needs 1.9e7 sites, 569 GB"),
        ("minimal", {"domain.clamp_width": 1e300}, "domain.clamp_width: 1e+300 is refused"),
        ("minimal", {"defect.core_offset": [1e300, 0.0]}, "is outside of the domain"),
        ("minimal", {"estimate.layer_r0": 1e300}, "a layer of 2.74e+300 Å is wider than the domain"),
        ("minimal", {"refine.mesh": 1e-6}, "refine.mesh = 1e-06 Å: the mesh over QM region and buffer"),
        ("minimal", {"refine.mesh": 1e-300}, "would have inf nodes"),
        ("minimal_crack", {"defect.tip_offset": [0.0, 30.0]}, "leaves the plane of the crack by 30 Å"),
        ("minimal_crack", {"defect.tip_offset": [1e5, 0.0]}, "is outside of the domain"),
        ("w_vacancy", {"domain.cells": 100}, "domain.cells = 100 needs 2.0e6 sites, 60 GB; this machine has 24"),
        ("w_vacancy", {"defect.added": [[1e300, 0.0, 0.0]]}, "defect.added: [1e+300, 0, 0] a0 is outside of the box"),
        ("w_vacancy", {"defect.removed": [[1e9, 0.0, 0.0]]}, "defect.removed: [1e+09, 0, 0] a0 is outside of the box"),
        ("w_vacancy", {"defect.added": [[1.0, 0.0, 0.0]]}, "the atom at [1, 0, 0] a0 is 0.00 Å from the one"),
        ("own", {"initial_region.radius_r0": 1e300}, "initial_region.radius_r0: 1e+300 is refused"),
        ("own", {"defect.lattice_constant": 36.0}, "= 36 Å is that of the file, and the crystal has 3.6 Å"),
    ],
)  # fmt: skip
def test_absurd_sizes(
    case: str, change: dict[str, Any], told: str, bases: dict[str, dict[str, Any]], of_24_gb: None
) -> None:
    study = bases[case] | {"cases": {case: changed(bases[case]["cases"][case], change)}}
    before = time.process_time()
    with pytest.raises(ConfigError) as caught:
        load(study, ROOT)
    assert time.process_time() - before < 2.0
    assert any(told in problem for problem in caught.value.problems), caught.value.problems


def test_who_submits_to_a_cluster_has_its_nodes(bases: dict[str, dict[str, Any]], monkeypatch: Any) -> None:
    found: Callable[[str], str | None] = {"sbatch": "/usr/bin/sbatch"}.get
    monkeypatch.setattr(sizes.shutil, "which", found)
    case = changed(bases["w_vacancy"]["cases"]["w_vacancy"], {"domain.cells": 100})
    assert (
        load(bases["w_vacancy"] | {"cases": {"w_vacancy": case}}, ROOT).cases["w_vacancy"].domain.cells == 100
    )


def changed(case: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """A case with other values at some dotted paths."""
    found = dict(case)
    for path, value in values.items():
        section, name = path.split(".")
        found[section] = {**found[section], name: value}
    return found
