"""Disks that are full or cannot be written: a message that says what to do, and nothing that looks finished."""

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from qmfront.storage import store
from qmfront.storage.layouts.partition import PARTITION
from qmfront.storage.lock import exclusive
from qmfront.storage.logs import logged
from qmfront.storage.writing import write_file

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


def test_links_are_not_followed_when_writing(tmp_path: Path) -> None:
    """Files, stores, logs, locks: what a link in their place points to stays as it is."""
    victim, folder = tmp_path / "victim", tmp_path / "folder"
    victim.write_text("precious")
    folder.mkdir()
    (folder / "inside").write_text("precious")
    (tmp_path / "file.partial").symlink_to(victim)
    write_file(tmp_path / "file", "new")
    (tmp_path / "other").symlink_to(victim)
    write_file(tmp_path / "other", "new")
    assert not (tmp_path / "other").is_symlink()
    for name in ("s.zarr.partial", "s.zarr.old"):
        (tmp_path / name).symlink_to(folder)
        store.save(tmp_path / "s.zarr", PARTITION, {"region": np.arange(3)})
        assert not (tmp_path / name).exists()
    (tmp_path / "log").symlink_to(victim)
    with logged(tmp_path / "log"):
        pass
    (tmp_path / "lock").symlink_to(victim)
    before = victim.stat().st_mtime_ns
    lock = exclusive(tmp_path / "lock", what="a test")
    with (
        pytest.raises(FileExistsError, match="lock is a link, and locks are files of their own. Remove"),
        lock,
    ):
        pass
    assert victim.read_text() == (folder / "inside").read_text() == "precious"
    assert victim.stat().st_mtime_ns == before
    (tmp_path / "l.zarr").symlink_to(folder)
    with pytest.raises(ValueError, match="l.zarr is not a directory. Move it away"):
        store.save(tmp_path / "l.zarr", PARTITION, {"region": np.arange(3)})


def test_only_models_write_by_what_follows_links() -> None:
    """The keys of the journal hold the statements of durable, so that its write_file has a guarded one beside it."""
    root = Path(__file__).parents[2]
    sources = [*(root / "qmfront").rglob("*.py"), *(root / "scripts").glob("*.py")]
    using = [path for path in sources if "durable import write_file" in path.read_text(encoding="utf-8")]
    assert [path.relative_to(root).as_posix() for path in using] == ["qmfront/models/ace/io.py"]
