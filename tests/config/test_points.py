"""Point defects in the configuration: what contradicts itself."""

from pathlib import Path

import pytest

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from tests.config.conftest import EDGE

BOX = "{kind: box, cells: 4}"
POINT = "{kind: point, position: [1.0, 1.0, 1.0], removed: [[0.0, 0.0, 0.0]], added: []}"


@pytest.mark.parametrize(
    ("case", "message"),
    [
        (f"{{domain: {BOX}}}", "defect.kind = dislocation needs a disc"),
        (f"{{defect: {POINT}, domain: {{kind: disc}}}}", "defect.kind = point needs a box"),
        (f"{{defect: {POINT}}}", "domain.cells: the key is missing"),
        (
            "{embedding: {kind: box, minimum_cells: 2, subtract_lattice: false}}",
            "needs a domain that is a box",
        ),
        (
            f"{{defect: {POINT}, domain: {BOX}, initial_region: {{radius_r0: 9.0}}}}",
            "does not fit into a box",
        ),
        (
            f"{{defect: {POINT}, domain: {BOX}, embedding: {{subtract_lattice: true}}}}",
            "the defect would not relax at all",
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
        load(changed({"cases": ["one"], "figures": {}, "case_defaults": EDGE}), folder)
