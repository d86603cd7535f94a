"""How long a QM call may take, and how often it is tried: calculators hang, crash and return NaN, and then recover."""

import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO, TypeVar

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")

GRACE = 10.0
"""Seconds that a call may go on after its limit before the whole job ends; compiled code does not see signals."""


class CallTimeoutError(RuntimeError):
    """A calculator gave no answer in time."""


@dataclass(frozen=True)
class Patience:
    """What a QM call may cost.

    time_limit : seconds of one call; None waits for ever
    retries : further tries after one that failed
    """

    time_limit: float | None = None
    retries: int = 0

    @classmethod
    def from_resources(cls, resources: Any) -> "Patience":
        """Of a job. They are resources and no parameters, since a changed limit must not compute anything again."""
        return cls(resources.qm_time_limit_ms / 1000 or None, resources.qm_retries)


ONCE = Patience()
"""One try, however long it takes."""


def persistent(
    call: Callable[[int], Answer], patience: Patience, *, failure: type[Exception], what: str
) -> Answer:
    """The first answer of call(0), call(1), ... that does not raise; each failure is logged.

    Parameters
    ----------
    call : takes the number of the try; raises `failure` when the calculator failed
    what : names the call in the log

    Raises
    ------
    The failure of the last try; other exceptions at once.
    """
    for number in range(patience.retries + 1):
        try:
            return call(number)
        except failure as error:
            tries = f"try {number + 1} of {patience.retries + 1}"
            if number == patience.retries:
                log.error("%s: %s failed, giving up.", what, tries)
                raise
            log.warning("%s: %s failed, asking a new calculator. %s", what, tries, error)
    raise AssertionError("retries is never negative")


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Raise CallTimeoutError in the block once it took too long, and end the programs that it started.

    Python code and calculators that wait for another program are interrupted. Compiled code that never comes back to
    the interpreter cannot be: GRACE seconds later the process ends with its traceback on standard error (the log of
    the job), and the job fails; what it had evaluated is in the journal. Signals reach the main thread only, so in
    another thread only this second limit holds.
    """
    if seconds is None:
        yield
        return
    before = set(_descendants(os.getpid()))
    in_main = threading.current_thread() is threading.main_thread()

    def late(*_: object) -> None:
        raise CallTimeoutError(
            f"no answer within {seconds:g} s, the time limit of a call. Raise qm.time_limit of the material, "
            "or find out why the calculator hangs"
        )

    old = signal.signal(signal.SIGALRM, late) if in_main else None
    faulthandler.dump_traceback_later(seconds + GRACE, exit=True, file=_real_stderr())
    try:
        if in_main:
            signal.setitimer(signal.ITIMER_REAL, seconds)
        yield
    except CallTimeoutError:
        _end(set(_descendants(os.getpid())) - before)
        raise
    finally:
        if in_main:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, old)
        faulthandler.cancel_dump_traceback_later()


def _real_stderr() -> TextIO:
    """Standard error, where it is a file: the log of a job."""
    try:
        sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return sys.__stderr__ or sys.stderr
    return sys.stderr


def _descendants(pid: int) -> Iterator[int]:
    """Processes below a process; none where the kernel does not list them."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, path.read_text().split()):
                yield child
                yield from _descendants(child)


def _end(pids: set[int]) -> None:
    for pid in pids:
        log.warning("Ending process %d, which the call left behind.", pid)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
