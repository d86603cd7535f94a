"""Locks between processes that vanish with their holder, for evaluations and for the work folders of scripts."""

import errno
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


@contextmanager
def exclusive(path: Path | str, *, what: str) -> Iterator[None]:
    """Hold the lock file alone, waiting as long as another process holds it; `what` names it in the log.

    The kernel frees a flock when its holder dies, kill -9 included, so no lock is ever stale. The file is removed on
    the way out; who waited for it in the meantime sees that it is gone, and takes a fresh one.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _locked(path, what)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a living process holds a lock file; the lock of a killed one is free."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _locked(path: Path, what: str) -> int:
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("Waiting for %s, which another process holds.", what)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        if _still_named(descriptor, path):
            os.utime(descriptor)  # when the holder began; the file of a killed one is older
            return descriptor
        os.close(descriptor)


def _opened(path: Path) -> int:
    """A lock file is made where there is none; a link is not followed, since who holds a lock changes its file."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise FileExistsError(
            f"{path} is a link, and locks are files of their own. Remove it and run again."
        ) from None


def _still_named(descriptor: int, path: Path) -> bool:
    """Whether the locked file is the one that the path names now."""
    try:
        named = path.lstat()
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (held.st_ino, held.st_dev) == (named.st_ino, named.st_dev)
