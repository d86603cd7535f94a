"""Disks that are full or cannot be written: a message that says what to do, and nothing that looks finished."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qmfront.storage import store
from qmfront.storage.durable import write_file
from qmfront.storage.layouts.partition import PARTITION

ARRAYS = {"region": np.zeros(400_000, int)}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with room for one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_no_half_of_a_store(disk: Path) -> None:
    assert "region" in PARTITION.arrays
    with pytest.raises(
        OSError, match="No space left.*Free some space and run again: nothing that was finished"
    ):
        store.save(disk / "a.zarr", PARTITION, ARRAYS)
    assert list(disk.iterdir()) == []
    small = {"region": np.arange(3) % 3}
    store.save(disk / "a.zarr", PARTITION, small)
    with pytest.raises(OSError, match="No space left"):
        store.save(disk / "a.zarr", PARTITION, ARRAYS)
    assert np.array_equal(store.load(disk / "a.zarr", PARTITION)["region"], small["region"])


def test_a_full_disk_leaves_the_old_file(disk: Path) -> None:
    write_file(disk / "a.txt", "old")
    with pytest.raises(OSError, match="Free some space"):
        write_file(disk / "a.txt", b"x" * 2_000_000)
    assert (disk / "a.txt").read_text() == "old"
    assert [path.name for path in disk.iterdir()] == ["a.txt"]


def test_a_disk_that_cannot_be_written(disk: Path) -> None:
    write_file(disk / "a.txt", "old")
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    for write in (
        lambda: write_file(disk / "a.txt", "new"),
        lambda: store.save(disk / "a.zarr", PARTITION, ARRAYS),
    ):
        with pytest.raises(OSError, match="Read-only file system.*Make the file system writable"):
            write()
    assert (disk / "a.txt").read_text() == "old"


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_writer_that_fails_at_any_step(step: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without a disk of one's own."""
    write_file(tmp_path / "a.txt", "old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="Free some space"):
        write_file(tmp_path / "a.txt", "new")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"
