"""What the command writes: tables for people, JSON for machines, and its exit codes."""

import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes; 130 is an interruption from the keyboard."""

    DONE = 0
    FAILED = 1
    """A computation, or a check of what was computed."""
    USAGE = 2
    """The command line."""
    MISTAKE = 3
    """The study, or a file that it names; nothing was computed."""
    HELD = 4
    """Another run is at work in the folder."""


def say(text: str) -> None:
    """A line, or several, on standard output."""
    sys.stdout.write(f"{text}\n")


def say_json(content: Any) -> None:
    """One document of JSON on standard output."""
    say(json.dumps(content, indent=2, ensure_ascii=False))


def complain(text: str) -> None:
    """What went wrong, on standard error."""
    sys.stderr.write(f"qmfront: {text}\n")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of equal width; the first is aligned left, and so is the last."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    last = len(head) - 1

    def line(row: Sequence[str]) -> str:
        cells = [
            cell.ljust(width) if column in (0, last) else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        return "  ".join(cells).rstrip()

    return "\n".join(map(line, (head, *rows)))
