"""A lock keeps others out, frees itself when its holder dies, and leaves no file behind."""

import os
import signal
import threading
import time
from pathlib import Path

from qmfront.storage.lock import exclusive


def test_many_holders_never_overlap(tmp_path: Path) -> None:
    inside, most, done = [], [], []

    def work() -> None:
        for _ in range(40):
            with exclusive(tmp_path / "a.lock", what="test"):
                inside.append(1)
                most.append(len(inside))
                time.sleep(1e-4)
                inside.pop()
        done.append(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 6
    assert max(most) == 1
    assert list(tmp_path.iterdir()) == []


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path, ready = tmp_path / "folder" / "a.lock", tmp_path / "ready"
    child = os.fork()
    if child == 0:
        with exclusive(path, what="test"):
            ready.touch()
            time.sleep(60)
        os._exit(0)
    while not ready.exists():
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert path.exists()
    start = time.perf_counter()
    with exclusive(path, what="test"):
        assert time.perf_counter() - start < 30.0  # the holder would have slept for 60
