"""What jobs ask a cluster for: from the plan where there is one, and more in every further try."""

import json
from pathlib import Path

from qmfront.plan.resources import DEFAULTS, FACTOR, MARGIN, resource, with_resources


def written(folder: Path, seconds: float) -> Path:
    iteration = {"k": 0, "solve_seconds": seconds, "residual_seconds": 60.0, "memory": 1000.0}
    content = {
        "preparation": with_resources([{"stage": "reference", "seconds": 7200.0, "memory": 4000.0}]),
        "iterations": with_resources([iteration, {**iteration, "k": 1, "solve_seconds": 2 * seconds}]),
    }
    path = folder / "edge.json"
    path.write_text(json.dumps(content))
    return path


def test_without_a_plan_there_are_defaults(tmp_path: Path) -> None:
    for stage, given in DEFAULTS.items():
        for name, value in given.items():
            assert resource(tmp_path / "none.json", stage, name, k=3) == value


def test_a_plan_is_followed_iteration_by_iteration(tmp_path: Path) -> None:
    plan = written(tmp_path, 600.0)
    assert resource(plan, "solve", "runtime", k=0) == MARGIN + FACTOR * 10
    assert resource(plan, "solve", "runtime", k=1) == MARGIN + FACTOR * 20
    assert resource(plan, "solve", "runtime", k=7) == MARGIN + FACTOR * 20, "beyond the plan: as its last one"
    assert resource(plan, "adapt", "runtime", k=1) == MARGIN + FACTOR
    assert resource(plan, "reference", "runtime") == MARGIN + FACTOR * 120
    assert resource(plan, "reference", "mem_mb") == 6500
    assert resource(plan, "training", "runtime") == DEFAULTS["training"]["runtime"], "the plan does not tell"


def test_a_plan_of_other_stages_gives_defaults(tmp_path: Path) -> None:
    plan = written(tmp_path, 600.0)
    plan.write_text(plan.read_text().replace('"adapt"', '"residual"'))
    assert resource(plan, "adapt", "runtime", k=0) == DEFAULTS["adapt"]["runtime"]


def test_a_new_plan_is_read(tmp_path: Path) -> None:
    first = resource(written(tmp_path, 600.0), "solve", "runtime", k=0)
    plan = written(tmp_path, 6000.0)
    assert resource(plan, "solve", "runtime", k=0) > first
