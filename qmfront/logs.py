"""Where a job writes: everything, the traceback too, into the log file of its rule."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def logged(path: Path | str) -> Iterator[None]:
    """Send logging, standard error and an exception that ends the block to a file.

    The exception is raised again, so that the job fails.
    """
    with open(path, "w", buffering=1) as log:
        terminal, sys.stderr = sys.stderr, log
        logging.basicConfig(
            stream=log, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", force=True
        )
        try:
            yield
        except BaseException as error:
            terminal.write(f"\n{type(error).__name__}: {error}\n")
            raise
        finally:
            sys.stderr = terminal
