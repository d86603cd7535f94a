"""What jobs ask a cluster for: from the plan where there is one, and more in every further try."""

import json
from dataclasses import asdict
from pathlib import Path

from qmfront.plan.resources import DEFAULTS, FACTOR, MARGIN, resource, resources_of


def written(folder: Path, seconds: float) -> Path:
    reference, adapt = asdict(resources_of(7200.0, 4000.0)), asdict(resources_of(60.0, 1000.0))
    solves = (asdict(resources_of(time, 1000.0)) for time in (seconds, 2 * seconds))
    content = {
        "preparation": [{"stage": "reference", "resources": reference}],
        "iterations": [{"resources": {"solve": solve, "adapt": adapt}} for solve in solves],
    }
    path = folder / "edge.json"
    path.write_text(json.dumps(content))
    return path


def test_without_a_plan_there_are_defaults(tmp_path: Path) -> None:
    for stage, given in DEFAULTS.items():
        assert resource(tmp_path / "none.json", stage, "runtime", k=3) == given.runtime
        assert resource(tmp_path / "none.json", stage, "mem_mb", k=3) == given.mem_mb


def test_a_plan_is_followed_iteration_by_iteration(tmp_path: Path) -> None:
    plan = written(tmp_path, 600.0)
    assert resource(plan, "solve", "runtime", k=0) == MARGIN + FACTOR * 10
    assert resource(plan, "solve", "runtime", k=1) == MARGIN + FACTOR * 20
    assert resource(plan, "solve", "runtime", k=7) == MARGIN + FACTOR * 20, "beyond the plan: as its last one"
    assert resource(plan, "adapt", "runtime", k=1) == MARGIN + FACTOR
    assert resource(plan, "reference", "runtime") == MARGIN + FACTOR * 120
    assert resource(plan, "reference", "mem_mb") == 6500
    assert resource(plan, "training", "runtime") == DEFAULTS["training"].runtime, "not in the plan"


def test_a_plan_of_other_stages_gives_defaults(tmp_path: Path) -> None:
    plan = written(tmp_path, 600.0)
    plan.write_text(plan.read_text().replace('"adapt"', '"residual"'))
    assert resource(plan, "adapt", "runtime", k=0) == DEFAULTS["adapt"].runtime


def test_a_new_plan_is_read(tmp_path: Path) -> None:
    first = resource(written(tmp_path, 600.0), "solve", "runtime", k=0)
    plan = written(tmp_path, 6000.0)
    assert resource(plan, "solve", "runtime", k=0) > first
