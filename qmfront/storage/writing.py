"""Writing where somebody else may have put something: a link in the place of a file is replaced, not followed.

The statements of `durable` are part of the journal's keys (ACE writes potentials by it), so that this stands here.
"""

import os
import shutil
from pathlib import Path
from typing import BinaryIO

from qmfront.storage import durable


def write_file(path: Path | str, content: bytes | str) -> None:
    """`durable.write_file`, once a link in the place of its partial file is removed."""
    unlink_partial(path)
    durable.write_file(path, content)


def unlink_partial(path: Path | str) -> None:
    """Remove a link that somebody has left in the place of `<path>.partial`."""
    partial = Path(f"{path}.partial")
    if partial.is_symlink():
        partial.unlink()


def created(path: Path) -> BinaryIO:
    """A new file to write to; what stood in its place is removed."""
    cleared(path)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    return os.fdopen(descriptor, "wb")


def cleared(path: Path) -> None:
    """Remove a file, a folder or a link, if there is one; what a link points to stays."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def moved_aside(path: Path, suffix: str) -> Path:
    """Rename whatever stands at a path, in place of an earlier file of that name or beside it; the new path."""
    for number in range(1000):
        aside = path.with_suffix(suffix + (f".{number}" if number else ""))
        if not (aside.is_dir() or (aside.exists() and path.is_dir())):
            path.replace(aside)
            return aside
    raise FileExistsError(f"{path} cannot be moved aside: a thousand like it are beside it. Delete them.")
