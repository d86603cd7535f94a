"""What the counting calculator of a project was asked, and what its journal holds."""

from collections import Counter
from pathlib import Path

import numpy as np

from qmfront.evaluate.entry import unpacked
from tests.faults.inject.counted import signature
from tests.workflow.project import Project

INJECT = Path(__file__).parent / "inject"
"""Goes on PYTHONPATH: the calculator, and the module that kills."""


def variables(project: Project) -> dict[str, str]:
    """Environment of the calculator that counts."""
    return {"QMFRONT_CALLS": str(calls_file(project))}


def calls_file(project: Project) -> Path:
    """One line per call of the calculator that counts."""
    return project.folder.with_name("calls.txt")


def calls(project: Project) -> Counter[str]:
    """How often each evaluation was begun."""
    path = calls_file(project)
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return Counter(line.split()[0] for line in lines)


def journaled(project: Project) -> Counter[str]:
    """Evaluations in the journal, each read and found sound."""
    found: Counter[str] = Counter()
    for path in (project.folder / "work" / "journal").glob("??/*.npz"):
        unpacked(path.stem, path.read_bytes())
        with np.load(path) as entry:
            found[signature(*(entry[name] for name in ("positions", "numbers", "cell", "pbc")))] += 1
    return found
