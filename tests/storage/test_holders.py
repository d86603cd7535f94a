"""The lock that a killed run leaves behind is taken away, that of a living one and of one elsewhere is not."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qmfront.storage.holders import HOLDERS, LOCKS, HeldError, hold, release

ROOT = Path(__file__).parents[2]
HOLD = """
from pathlib import Path
from qmfront.storage.holders import hold
hold(Path.cwd(), [])
print("held", flush=True)
input()
"""


def locked(root: Path) -> list[Path]:
    """What Snakemake leaves when it is killed."""
    (root / LOCKS).mkdir(parents=True, exist_ok=True)
    locks = [root / LOCKS / f"0.{kind}.lock" for kind in ("input", "output")]
    for lock in locks:
        lock.write_text("results/a\n", encoding="utf-8")
    return locks


@contextmanager
def holding(root: Path) -> Iterator[subprocess.Popen]:
    """A process that holds the folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()


def recorded(root: Path, name: str) -> Path:
    """The record of a run that was killed."""
    (root / HOLDERS).mkdir(parents=True, exist_ok=True)
    record = root / HOLDERS / name
    record.touch()
    return record


def test_without_a_lock_nothing_is_taken_away(tmp_path: Path) -> None:
    elsewhere = recorded(tmp_path, "77@login2")
    assert not release(tmp_path)
    assert elsewhere.exists()


def test_a_killed_holder_loses_its_lock(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        locks = locked(tmp_path)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie is dead too
        assert release(tmp_path)
    assert not any(lock.exists() for lock in locks)
    assert not list((tmp_path / HOLDERS).glob("*@*"))


def test_the_next_run_takes_the_lock_away(tmp_path: Path) -> None:
    """The number of the dead process may be that of a living one by now."""
    locks = locked(tmp_path)
    recorded(tmp_path, f"{os.getppid()}@{socket.gethostname()}")
    with holding(tmp_path):
        assert not any(lock.exists() for lock in locks)


def test_a_living_holder_keeps_it(tmp_path: Path) -> None:
    """Also beside a dead one: Snakemake lets two runs into a folder if their files differ."""
    recorded(tmp_path, f"4000000@{socket.gethostname()}")
    with holding(tmp_path) as process:
        locks = locked(tmp_path)
        for anyway in (False, True):
            with pytest.raises(HeldError, match=f"at work in this folder: process {process.pid} on"):
                release(tmp_path, anyway=anyway)
        assert all(lock.exists() for lock in locks)


def test_a_run_that_ends_leaves_no_record(tmp_path: Path) -> None:
    with holding(tmp_path) as process:
        assert len(list((tmp_path / HOLDERS).glob("*@*"))) == 1
        process.communicate("\n")
    assert not list((tmp_path / HOLDERS).glob("*@*"))


@pytest.mark.parametrize("record, who", [("77@login2", "process 77 on login2"), (None, "nobody knows which")])
def test_what_cannot_be_seen_counts_as_alive(record: str | None, who: str, tmp_path: Path) -> None:
    locks = locked(tmp_path)
    if record:
        recorded(tmp_path, record)
    with pytest.raises(HeldError, match=f"{who}.* make unlock"):
        release(tmp_path)
    assert all(lock.exists() for lock in locks)
    hold(tmp_path, ["snakemake", "--unlock"])
    assert not any(lock.exists() for lock in locks)
    assert not list((tmp_path / HOLDERS).glob("*@*"))


@pytest.mark.parametrize("option", ["--dry-run", "-n", "-np", "--report", "--nolock"])
def test_what_locks_nothing_holds_nothing(option: str, tmp_path: Path) -> None:
    hold(tmp_path, ["snakemake", option])
    assert not (tmp_path / HOLDERS).exists()
