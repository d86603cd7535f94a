"""Who works in a project folder: the lock of a run that was killed goes away with the next run.

Snakemake locks its files in .snakemake/locks. A run that was killed leaves that lock behind, and it does not say whose
it is. So every run holds a file of its own in .snakemake/holders, by a flock, which the kernel frees when its process
dies in whatever way. What happens on another machine is not seen from here: its runs count as alive until the user
says `snakemake --unlock`.
"""

import atexit
import fcntl
import os
import re
import socket
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from qmfront.storage.lock import exclusive, is_held

LOCKS = Path(".snakemake") / "locks"
HOLDERS = Path(".snakemake") / "holders"
LOCKS_NOTHING = re.compile(
    "-[a-zA-Z]*n[a-zA-Z]*|--(dry-?run|nolock|lint|report|summary|detailed-summary|dag|rulegraph|filegraph|list.*)"
)
"""Options with which Snakemake locks nothing."""


class HeldError(RuntimeError):
    """Another run may be at work in the folder."""


def hold(root: Path, options: Sequence[str]) -> None:
    """Hold the folder as long as this process lives, once the lock of a killed run is taken away.

    options : those of Snakemake, which this process runs; nothing is held if they lock nothing

    Raises
    ------
    HeldError : whoever has locked the folder is alive, or it cannot be seen; the message says what to do
    """
    if any(LOCKS_NOTHING.fullmatch(option) for option in options):
        return
    if "--unlock" in options:
        release(root, anyway=True)
        return
    if release(root):
        sys.stderr.write(
            "The last run was killed: its lock is taken away, and what it had finished is kept.\n"
        )
    record = root / HOLDERS / f"{os.getpid()}@{socket.gethostname()}"
    with _alone(root):
        fcntl.flock(os.open(record, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW), fcntl.LOCK_EX)
    atexit.register(record.unlink, missing_ok=True)


def at_work(root: Path) -> str:
    """Which living runs have locked a folder, in words; empty if none has."""
    if not any((root / LOCKS).glob("*.lock")):
        return ""
    return _named(record for record in (root / HOLDERS).glob("*@*") if is_held(record))


def release(root: Path, *, anyway: bool = False) -> bool:
    """Take away the lock of a run that is dead; whether there was one.

    anyway : also if it cannot be seen from here whether that run is alive

    Raises
    ------
    HeldError : whoever has locked the folder is alive, or it cannot be seen; the message says what to do
    """
    with _alone(root):
        locks = list((root / LOCKS).glob("*.lock"))
        records = list((root / HOLDERS).glob("*@*"))
        alive = [record for record in records if is_held(record)]
        here = f"@{socket.gethostname()}"
        elsewhere = [record for record in records if not record.name.endswith(here)]
        if locks and alive:
            raise HeldError(
                f"Another run is at work in this folder: {_named(alive)}. Wait until it ends, or end it with kill -INT "
                "and its number. make progress, or qmfront status, shows what it does."
            )
        if locks and not anyway and (elsewhere or not records):
            raise HeldError(
                f"A run has locked this folder ({_named(elsewhere) or 'nobody knows which'}), and from here it cannot "
                "be seen whether it is alive. If you know that it is not: make unlock, qmfront run --unlock, or "
                "snakemake --unlock"
            )
        dead = [
            record
            for record in records
            if record not in alive and (locks or anyway or record not in elsewhere)
        ]
        for path in (*locks, *dead):
            path.unlink(missing_ok=True)
    return bool(locks)


def _alone(root: Path) -> AbstractContextManager[None]:
    return exclusive(root / HOLDERS / "lock", what="the look at who holds the folder")


def _named(records: Iterable[Path]) -> str:
    """Processes in words."""
    named = []
    for record in records:
        pid, _, host = record.name.partition("@")
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.stat().st_mtime))
        named.append(f"process {pid} on {host}, since {since}")
    return "; ".join(named)
