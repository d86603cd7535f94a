"""Run time and memory that the jobs of a planned case ask a cluster for."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

DEFAULTS = {
    "training": {"runtime": 120, "mem_mb": 1500},
    "reference": {"runtime": 480, "mem_mb": 3000},
    "solve": {"runtime": 240, "mem_mb": 3000},
    "adapt": {"runtime": 120, "mem_mb": 3000},
}
"""Minutes and MiB without a plan: an EAM in a domain of up to 70 000 atoms."""
FACTOR, MARGIN = 3.0, 10.0
"""A job is given FACTOR times the planned time and MARGIN minutes: plans are good to a factor of two."""
MEMORY_FACTOR, MEMORY_MARGIN = 1.5, 500.0
"""The same of the memory, MB."""


def with_resources(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a plan and what their jobs are given: {runtime (minutes), mem_mb} of each stage."""
    return [{**row, "resources": _given(row)} for row in rows]


def resource(plan: Path | str, stage: str, name: str, *, k: int | None = None) -> int:
    """What a job asks for: from the plan of its case, or the default where there is no plan.

    Parameters
    ----------
    plan : results/plan/{case}.json
    stage : solve, adapt, reference or training
    name : "runtime" (minutes) or "mem_mb" (MiB)
    k : iteration; one beyond the last planned one is given what that is
    """
    path = Path(plan)
    default = DEFAULTS[stage][name]
    if not path.is_file():
        return default
    content = _read(path, path.stat().st_mtime_ns)
    rows = [row["resources"] for row in content["preparation"] if row["stage"] == stage]
    if k is not None:
        # a plan of before jobs were merged does not know their names
        rows = [
            row["resources"][stage] for row in content["iterations"][: k + 1] if stage in row["resources"]
        ]
    return int(rows[-1][name]) if rows else default


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _given(row: Mapping[str, Any]) -> dict[str, Any]:
    if "stage" in row:
        return _one(row["seconds"], row["memory"])
    seconds = {"solve": row["solve_seconds"], "adapt": row["residual_seconds"]}
    return {stage: _one(value, row["memory"]) for stage, value in seconds.items()}


def _one(seconds: float, memory: float) -> dict[str, int]:
    minutes = ceil(MARGIN + FACTOR * seconds / 60)
    return {"runtime": minutes, "mem_mb": ceil(MEMORY_MARGIN + MEMORY_FACTOR * memory)}
