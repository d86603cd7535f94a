"""Processor seconds of the parts of a job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Saved(Protocol):
    """Counts the processor seconds of evaluations that were read instead of computed."""

    saved_cpu_seconds: float


class Seconds(dict[str, float]):
    """Name of a part -> processor seconds of this process, as if nothing had been read from the journal.

    saved : counter of the journaled evaluations, whose seconds are added to the part in which they were read.
    """

    def __init__(self, saved: Saved | None = None) -> None:
        super().__init__()
        self.saved = saved

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Add the processor time of the block to a part."""
        start = self._now()
        try:
            yield
        finally:
            self[part] = self.get(part, 0.0) + self._now() - start

    def _now(self) -> float:
        return time.process_time() + (self.saved.saved_cpu_seconds if self.saved else 0.0)
