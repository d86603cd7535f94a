"""The models of a study are built at a dry run, so that what is wrong with one is told before any job and any call."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from qmfront.config.errors import ConfigError
from qmfront.config.material import QuantumModel
from qmfront.config.study import Study

DRY_RUN = re.compile("-[a-zA-Z]*n[a-zA-Z]*|--dry-?run")
"""Options of Snakemake."""
REMOTE = "qmfront.models.remote."
"""Started by a command, maybe on another machine: only the jobs do that."""
OURS = "qmfront.models."
"""What they are given is checked with the study, and compiled code takes seconds to load."""


def refuse_at_dry_run(study: Study, root: Path, options: Sequence[str]) -> None:
    """Build the models of a study if Snakemake has the options of a dry run.

    Raises
    ------
    ConfigError that names every model that cannot be built, with the reason.
    """
    if any(DRY_RUN.fullmatch(option) for option in options):
        problems = list(dict.fromkeys(problems_of_models(study, root)))
        if problems:
            raise ConfigError(problems)


def problems_of_models(study: Study, root: Path) -> Iterator[str]:
    """What is wrong with the calculators of materials and of cases that change their arguments; one message each."""
    for name, material in study.materials.items():
        yield from _problem(f"materials.{name}.qm", material.qm, root)
    for name, case in study.cases.items():
        if case.qm_kwargs:
            qm = study.materials[case.material].qm
            changed = qm.model_copy(update={"kwargs": {**qm.kwargs, **case.qm_kwargs}})
            yield from _problem(f"case {name}, qm_kwargs", changed, root)


def _problem(place: str, qm: QuantumModel, root: Path) -> Iterator[str]:
    if qm.calculator.startswith(REMOTE) or (qm.calculator.startswith(OURS) and len(qm.dotted_paths) == 1):
        return
    from qmfront.evaluate.model_spec import (
        ModelSpec,
    )  # ASE takes half a second, of every job that reads the Snakefile

    kwargs = dict(qm.arguments(root))
    if "txt" in kwargs:  # a log, which a run may be writing
        kwargs["txt"] = None
    try:
        ModelSpec(qm.calculator, kwargs).build()
    except ValueError as error:
        yield f"{place}: {error}"
