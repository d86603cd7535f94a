"""Files and folders that are complete or absent, whatever kills the process: write aside, fsync, rename."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ADVICE = {
    errno.ENOSPC: "Free some space",
    errno.EDQUOT: "Free some of your quota",
    errno.EROFS: "Make the file system writable",
    errno.EACCES: "Give yourself the right to write there",
    errno.EPERM: "Give yourself the right to write there",
}
"""What to do about the errors of a file system that are the user's to mend."""


def write_file(path: Path | str, content: bytes | str) -> None:
    """Replace a file by new content: `<path>.partial` is written and flushed, then renamed; its folder is made."""
    path = Path(path)
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        flush(path.parent.parent)
    partial = path.with_name(path.name + ".partial")
    with gone_on_failure(partial):
        with open(partial, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(partial, path)
    flush(path.parent)


@contextmanager
def gone_on_failure(partial: Path) -> Iterator[None]:
    """Remove an unfinished file or folder if the block fails: half of a store is no use, and takes space.

    Raises
    ------
    OSError of the same kind as the system's, with what to do, if the disk is full or cannot be written.
    """
    try:
        yield
    except BaseException as error:
        if partial.is_dir():
            shutil.rmtree(partial, ignore_errors=True)
        else:
            with suppress(OSError):
                partial.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in ADVICE:
            raise OSError(
                error.errno,
                f"{os.strerror(error.errno)}, while writing {partial}. {ADVICE[error.errno]} and run again: "
                "nothing that was finished is lost",
            ) from error
        raise


def replace_folder(partial: Path, folder: Path) -> None:
    """Rename a finished folder into place; what stood there is moved aside first and deleted last.

    Raises
    ------
    ValueError if something that is not a directory stands in the way.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ValueError(f"{folder} is not a directory. Move it away and rerun.")
    old = folder.with_name(folder.name + ".old")
    if old.exists():
        shutil.rmtree(old)
    for parent, _, files in os.walk(partial, topdown=False):
        for name in files:
            flush(Path(parent, name))
        flush(Path(parent))
    if folder.exists():
        os.rename(folder, old)
    os.rename(partial, folder)
    flush(folder.parent)
    if old.exists():
        shutil.rmtree(old)


def flush(path: Path) -> None:
    """fsync a file, or a directory so that the names in it survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
