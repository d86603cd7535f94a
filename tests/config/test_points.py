"""Point defects in the configuration: the shipped cases, and what contradicts itself."""

from pathlib import Path

import pytest
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from tests.config.conftest import ROOT, merged_config

BOX = "{kind: box, cells: 4}"
POINT = "{kind: point, position: [1.0, 1.0, 1.0], removed: [[0.0, 0.0, 0.0]], added: []}"


@pytest.mark.parametrize(
    "name", ["points", "points_minimal", "points_eam", "points_large", "dft", "dft_cluster"]
)
def test_shipped_studies_are_sound(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qmfront.config.checks.missing_module", lambda dotted: None)  # GPAW need not be here
    config = merged_config()
    for layer in ["points", name] if name == "points_large" else [name]:
        update_config(config, load_configfile(ROOT / "config" / f"{layer}.yaml"))
    study = load(config, ROOT)
    assert all(case.defect.kind == "point" and case.domain.kind == "box" for case in study.cases.values())


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (f"{{domain: {BOX}}}", "defect.kind = dislocation needs a disc"),
        (f"{{defect: {POINT}}}", "defect.kind = point needs a box"),
        (
            "{embedding: {kind: box, minimum_cells: 2, subtract_lattice: false}}",
            "needs a domain that is a box",
        ),
        (
            f"{{defect: {POINT}, domain: {BOX}, initial_region: {{radius_r0: 9.0}}}}",
            "does not fit into a box",
        ),
        (
            f"{{defect: {POINT}, domain: {BOX}, divide: {{tile_cells: 2, box_cells: 3, jobs: 20}}}}",
            "only 8 tiles",
        ),
        ("{defect: {kind: point, position: [0.0, 0.0, 0.0], removed: [], added: []}}", "there is no defect"),
    ],
)
def test_contradictions_are_told(case: str, message: str, project, changed) -> None:
    folder: Path = project(one=case)
    with pytest.raises(ConfigError, match=message):
        load(changed({"cases": ["one"], "figures": {}}), folder)
