"""Run time and memory that the jobs of a planned case ask a cluster for."""

import json
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any, Literal

FACTOR, MARGIN = 3.0, 10.0
"""A job is given FACTOR times the planned time and MARGIN minutes: plans are good to a factor of two."""
MEMORY_FACTOR, MEMORY_MARGIN = 1.5, 500.0
"""The same of the memory, MB."""


@dataclass(frozen=True)
class Resources:
    """What a job asks a cluster for.

    runtime : minutes
    mem_mb : MiB
    """

    runtime: int
    mem_mb: int


DEFAULTS = {
    "training": Resources(runtime=120, mem_mb=1500),
    "reference": Resources(runtime=480, mem_mb=3000),
    "solve": Resources(runtime=240, mem_mb=3000),
    "adapt": Resources(runtime=120, mem_mb=3000),
}
"""Without a plan: for an EAM in a domain of up to 70 000 atoms."""


def resources_of(seconds: float, memory: float) -> Resources:
    """What a job of so many seconds and MB is given."""
    return Resources(
        runtime=ceil(MARGIN + FACTOR * seconds / 60), mem_mb=ceil(MEMORY_MARGIN + MEMORY_FACTOR * memory)
    )


def resource(
    plan: Path | str, stage: str, name: Literal["runtime", "mem_mb"], *, k: int | str | None = None
) -> int:
    """What a job asks for: from the plan of its case, or the default where there is no plan.

    Parameters
    ----------
    plan : results/plan/{case}.json
    stage : solve, adapt, reference or training
    name : "runtime" or "mem_mb"
    k : iteration, as number or as wildcard; one beyond the last planned one is given what that is
    """
    path = Path(plan)
    default: int = getattr(DEFAULTS[stage], name)
    if not path.is_file():
        return default
    content = _read(path, path.stat().st_mtime_ns)
    rows = [row["resources"] for row in content["preparation"] if row["stage"] == stage]
    if k is not None:
        # an older plan does not know these names
        rows = [
            row["resources"][stage]
            for row in content["iterations"][: int(k) + 1]
            if stage in row["resources"]
        ]
    return int(rows[-1][name]) if rows else default


@lru_cache(maxsize=64)
def _read(path: Path, _changed: int) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
