"""kill -9 in the middle of a solve loses no finished QM evaluation and changes no number."""

import io
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pandas as pd

TABLE = "results/minimal/convergence.csv"
LOG = "logs/minimal/0/solve.log"
CALLS_BEFORE = 6


def journal(project: Any) -> dict[str, int]:
    """Finished evaluations and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in project.folder.glob("work/journal/??/*.npz")}


def calls(project: Any) -> list[bool]:
    """For each QM call of the first solve whether it came from the journal."""
    path = project.folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line.endswith("(cached)") for line in lines if re.search(r"QM call \d+: ", line)]


def forget_iterations(project: Any) -> None:
    """Back to the state before the first solve, with an empty journal."""
    shutil.rmtree(project.folder / "work")
    shutil.rmtree(project.folder / "logs" / "minimal" / "0")
    (project.folder / TABLE).unlink()
    for k in range(3):
        for path in (project.folder / "results" / "minimal" / str(k)).iterdir():
            if (k, path.name) != (0, "partition.zarr"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def processes_in(folder: Path) -> list[int]:
    """Living processes whose working directory is the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            where, state = (
                os.readlink(entry / "cwd"),
                (entry / "stat").read_text().rpartition(")")[2].split()[0],
            )
        except OSError:
            continue
        if where == str(folder) and state != "Z":
            found.append(int(entry.name))
    return found


def kill_in_the_middle_of_a_solve(project: Any, environment: dict[str, str]) -> None:
    """SIGKILL to Snakemake and its jobs, which share the process group that is started here."""
    process = subprocess.Popen(
        project.command(TABLE),
        cwd=project.folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while len(calls(project)) < CALLS_BEFORE and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    while processes_in(project.folder) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_a_killed_run_goes_on_where_it_was(finished: Any, one_thread: dict[str, str]) -> None:
    undisturbed, total = pd.read_csv(io.StringIO(finished.text(TABLE))), len(calls(finished))
    forget_iterations(finished)
    kill_in_the_middle_of_a_solve(finished, one_thread)
    assert processes_in(finished.folder) == []
    kept = journal(finished)
    assert CALLS_BEFORE <= len(kept) < total, "the kill came too late to prove anything"
    assert not (finished.folder / "results/minimal/0/solution.zarr/zarr.json").exists()

    refused = finished.snakemake(TABLE)
    assert refused.returncode != 0
    assert "--unlock" in refused.stdout
    assert finished.snakemake("--unlock").returncode == 0
    done = finished.snakemake(TABLE)
    assert done.returncode == 0, done.stdout

    assert calls(finished) == [True] * len(kept) + [False] * (total - len(kept))
    assert journal(finished).items() >= kept.items()
    table = pd.read_csv(finished.folder / TABLE)
    same = [name for name in table if not name.startswith("cpu_")]
    pd.testing.assert_frame_equal(table[same], undisturbed[same], rtol=1e-10)
