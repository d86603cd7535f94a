"""What a run that failed leaves: a page about the cases that ended, and why the others did not.

Snakemake makes no job whose inputs are missing, the summary of all cases neither. The Snakefile calls `show_what_ended`
once a run has failed, so that a case of ten that diverges does not hide the results of nine.
"""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qmfront.config.study import Study
from qmfront.storage.writing import cleared, write_file

PAGE = "unfinished.html"
"""In results/; the summary of a later run that ends removes it."""
FAILED = re.compile(r"^Error in rule (\w+):\n(?:    .*\n)*?    log: (\S+)", re.MULTILINE)
"""What Snakemake's log says of a failed job: its rule and its log."""
TRACEBACK = "Traceback (most recent call last):"
MESSAGE = re.compile(r"^(?:[A-Za-z_]\w*\.)*([A-Za-z_]\w*(?::.*(?:\n.*)*)?)\Z", re.MULTILINE)
"""The exception below a traceback, which is the end of the log of a job that raised, see `storage.logs.logged`."""
LOGGED = re.compile(r"^\d{4}-\d\d-\d\d \d\d:", re.MULTILINE)
"""A line of the log: what comes before it was not the end."""
LONGEST = 400
"""Characters of a reason."""
BESIDE = ("energy", "clamp")
"""Rules of a case that its table does not wait for."""


@dataclass(frozen=True)
class Failure:
    """A job that failed.

    rule : its rule
    log : its log, relative to the folder of the run
    reason : the message that its log ends with
    """

    rule: str
    log: str
    reason: str

    def stops(self, case: str, study: Study) -> bool:
        """Whether a case waits for the job: its own, of its potential, its material, the first with its operators."""
        names = {case, study.origins()[case], study.cases[case].potential, study.cases[case].material}
        return bool(names & set(Path(self.log).with_suffix("").parts))


class Rule(Protocol):
    """A rule of Snakemake."""

    name: str


class Job(Protocol):
    """A job of Snakemake."""

    rule: Rule
    wildcards: Mapping[str, str]


def show_what_ended(study: Study, snakemake_logs: Sequence[str], unfinished: Iterable[Job]) -> None:
    """Write results/unfinished.html and say so, if some cases of a study ended and others did not.

    Parameters
    ----------
    study : Study
    snakemake_logs : files about the run that failed, whose folder is the working directory
    unfinished : jobs that were to be run, and did not end
    """
    results = Path("results")
    waiting = {job.wildcards.get("case") for job in unfinished if job.rule.name not in BESIDE}
    try:
        cleared(results / PAGE)
        ended = [
            name
            for name in study.cases
            if name not in waiting and (results / name / "convergence.csv").is_file()
        ]
        if not ended or len(ended) == len(study.cases):
            return
        failures = failures_of(snakemake_logs)
        reasons = {name: _why(name, study, failures) for name in study.cases if name not in ended}
        write_file(results / PAGE, _page(ended, reasons, study, failures))
    except Exception as error:  # the run has failed of something else, which must be what is told
        sys.stderr.write(f"No page about the cases that ended: {type(error).__name__}: {error}\n")
        return
    told = "".join(f"  {name}: {reason}\n" for name, reason in reasons.items())
    sys.stderr.write(
        f"{len(ended)} of {len(study.cases)} cases ended, results/{PAGE} shows them. Without a result:\n{told}"
    )


def failures_of(snakemake_logs: Sequence[str]) -> list[Failure]:
    """The jobs that failed for good, by Snakemake's logs; one that failed twice is told once."""
    texts = (Path(path).read_text(encoding="utf-8", errors="replace") for path in snakemake_logs)
    found = dict.fromkeys(job for text in texts for job in FAILED.findall(text))
    return [Failure(rule, path, reason_of(Path(path))) for rule, path in found]


def reason_of(job_log: Path) -> str:
    """The message that the log of a job ends with, in one line, shortened."""
    if not job_log.is_file():
        return "it left no log"
    text = job_log.read_text(encoding="utf-8", errors="replace").rstrip()
    message = MESSAGE.search(text.rpartition(TRACEBACK)[2])
    if TRACEBACK in text and message and not LOGGED.search(message.group()):
        told = message.group(1)
    else:
        told = f"ended without a message, after: {(text.splitlines() or ['nothing'])[-1]}"
    told = " ".join(told.split())
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 4]} ..."


def _why(case: str, study: Study, failures: Sequence[Failure]) -> str:
    """The first failure that stopped a case."""
    own = [failure for failure in failures if failure.stops(case, study)]
    return f"{own[0].log}: {own[0].reason}" if own else "the run ended before it; the next run goes on"


def _page(ended: Sequence[str], reasons: Mapping[str, str], study: Study, failures: Sequence[Failure]) -> str:
    from qmfront.report.page import Missing, page  # brings pandas, which a run that ends well can do without
    from qmfront.report.study import results_of

    told = [(failure.rule, failure.log, failure.reason) for failure in failures]
    without = [(name, study.cases[name].title, reason) for name, reason in reasons.items()]
    return page(results_of(study, Path("results"), ended, missing=Missing(told, without)))
