"""Files and folders that are complete or absent, whatever kills the process: write aside, fsync, rename."""

import os
import shutil
from pathlib import Path


def write_file(path: Path | str, content: bytes | str) -> None:
    """Replace a file by new content: `<path>.partial` is written and flushed, then renamed; its folder is made."""
    path = Path(path)
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        flush(path.parent.parent)
    partial = path.with_name(path.name + ".partial")
    with open(partial, "wb") as stream:
        stream.write(content.encode() if isinstance(content, str) else content)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(partial, path)
    flush(path.parent)


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
