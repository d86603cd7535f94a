"""Processor seconds of the parts of a job."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Seconds(dict[str, float]):
    """Name of a part -> processor seconds of this process."""

    @contextmanager
    def of(self, part: str) -> Iterator[None]:
        """Add the processor time of the block to a part."""
        start = time.process_time()
        try:
            yield
        finally:
            self[part] = self.get(part, 0.0) + time.process_time() - start
