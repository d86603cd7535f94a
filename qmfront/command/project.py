"""Where the workflow lies, and how Snakemake is started with it on a study in a folder of the user.

A wheel holds what a clone has beside the package (Snakefile, rules, scripts, schemas, studies) in qmfront/_project.
Results, logs and the journal are written below the folder in which the command is used.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qmfront.config.errors import ConfigError
from qmfront.config.load import load
from qmfront.config.reading import read_yaml
from qmfront.config.section import Yaml
from qmfront.config.study import Study
from qmfront.progress import attended
from qmfront.storage.holders import HeldError, at_work

STUDY = "study.yaml"
JOURNAL = Path("work") / "journal"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Jobs run side by side: each has one thread unless the user says otherwise."""
SIZED = re.compile(r"(--(cores|jobs|profile|executor)|-[cje])(=.*|\d+)?")
"""Options of Snakemake that say how much runs at a time, or leave that to a cluster."""
PROFILE = "--profile"


def project() -> Path:
    """The folder with Snakefile, workflow, scripts and config: in the wheel, or the clone that the package is in."""
    package = Path(__file__).parents[1]
    packaged = package / "_project"
    return packaged if packaged.is_dir() else package.parent


def cores() -> int:
    """Processors that this process may use; variables that limit threads do not count."""
    return len(os.sched_getaffinity(0))


def prepare_environment() -> None:
    """One thread for each job, where nothing else is said; bytecode is kept, or every job compiles it again."""
    for name in THREADS:
        os.environ.setdefault(name, "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@dataclass(frozen=True)
class Place:
    """A study in a folder.

    folder : where results, logs and the journal are
    file : of the study, relative to the folder or absolute
    """

    folder: Path
    file: str = STUDY

    def written(self) -> Yaml:
        """The study as it stands in its file.

        Raises
        ------
        ConfigError
        """
        path = self.folder / self.file
        if not path.is_file():
            raise ConfigError(
                [
                    f"there is no study {self.file} in {self.folder}. Write one with qmfront init STRUCTURE, or name "
                    "it with --study"
                ]
            )
        return read_yaml(path, shown=self.file)

    def study(self) -> Study:
        """The study, checked as far as that needs no model.

        Raises
        ------
        ConfigError
        """
        return load(self.written(), self.folder, library=project())

    def snakemake(self, options: Sequence[str]) -> list[str]:
        """A call of Snakemake; options come last, so that they have the last word."""
        sized = any(SIZED.fullmatch(option) for option in options)
        own = ["--snakefile", str(project() / "Snakefile"), "--directory", str(self.folder)]
        own += ["--configfile", self.file, *([] if sized else ["--cores", str(cores())])]
        return [_python(self.folder), "-m", "snakemake", *own, *_with_profile(options, self.folder)]


def compute(place: Place, options: Sequence[str]) -> int:
    """Run Snakemake in a folder, on a terminal with a live line below; its exit status.

    Raises
    ------
    HeldError
        Another run is at work in the folder.
    """
    if found := at_work(place.folder):
        raise HeldError(
            f"Another run is at work in {place.folder}: {found}. Wait until it ends, or end it with kill -INT and its "
            "number. qmfront status shows what it does."
        )
    call = place.snakemake(options)
    if sys.stderr.isatty():
        return attended(call, place.folder)
    sys.stdout.flush()
    return _waited(subprocess.Popen(call, cwd=place.folder))


def ask(place: Place, options: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run Snakemake and keep what it says, standard error included."""
    return subprocess.run(
        place.snakemake(options),
        cwd=place.folder,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _waited(process: subprocess.Popen[bytes]) -> int:
    """The exit status of a process that hears what this one is told: it ends its jobs before it ends."""
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        while True:
            with suppress(KeyboardInterrupt):  # the terminal tells both
                return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)


def _with_profile(options: Sequence[str], folder: Path) -> list[str]:
    """The options with a profile of ours by its path, such as slurm, unless the folder has one of that name."""
    found = list(options)
    for number, option in enumerate(found):
        name, equals, value = option.partition("=")
        if name != PROFILE:
            continue
        at = number if equals else number + 1
        value = value if equals else "".join(found[at : at + 1])
        ours = project() / "workflow" / "profiles" / value
        if value and ours.is_dir() and not (folder / value).exists():
            found[at] = f"{PROFILE}={ours}" if equals else str(ours)
    return found


def _python(folder: Path) -> str:
    """This Python. Snakemake starts scripts by its path without quotes: one with blanks is reached by a link."""
    if " " not in sys.executable:
        return sys.executable
    link = folder / ".snakemake" / "environment"
    link.parent.mkdir(exist_ok=True)
    if not link.is_symlink() or os.readlink(link) != sys.prefix:
        link.unlink(missing_ok=True)
        link.symlink_to(sys.prefix)
    return str(link / "bin" / Path(sys.executable).name)
