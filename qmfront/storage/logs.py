"""Where a job writes: everything, the traceback too, into the log file of its rule; and that it runs alone."""

import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from qmfront.storage.lock import exclusive


def tell(message: str) -> None:
    """Write a line to the log of the job and to the terminal, where what a job logs is not seen otherwise."""
    logging.getLogger(__name__).info(message)
    if sys.__stderr__ is not None:
        sys.__stderr__.write(f"{message}\n")
        sys.__stderr__.flush()


@contextmanager
def logged(path: Path | str) -> Iterator[None]:
    """Send logging, standard error and an exception that ends the block to a file.

    The traceback goes into the file, whose last line is then the message; the message alone goes to the terminal. A
    link in the place of the file is replaced, not followed.
    A job that lost its Snakemake to kill -9 goes on; the same job of the next run waits for it to end, so that two
    never write the same store.

    Raises
    ------
    SystemExit(1) in place of an exception, so that the job fails without a second traceback.
    """
    with open(path, "w", buffering=1, opener=_own) as log:
        terminal, sys.stderr = sys.stderr, log
        logging.basicConfig(
            stream=log, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", force=True
        )
        try:
            with exclusive(f"{path}.lock", what="this job"):
                yield
        except Exception as error:
            traceback.print_exc(file=log)
            terminal.write(f"\n{type(error).__name__}: {error}\n")
            raise SystemExit(1) from None
        finally:
            sys.stderr = terminal


def _own(path: str, flags: int) -> int:
    """Open a log; the file that a link points to is not a log of ours."""
    with suppress(FileNotFoundError):
        if Path(path).is_symlink():
            Path(path).unlink()
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)
