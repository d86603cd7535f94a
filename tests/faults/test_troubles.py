"""Troubles other than death: calculators, stores, clocks and a second Snakemake."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.calls import INJECT, calls, journaled, variables
from tests.faults.cases import PREFLIGHT, Undisturbed
from tests.faults.comparing import differences, different_arrays
from tests.faults.killing import stores
from tests.workflow.project import environment

SOLUTION = "results/small/0/solution.zarr"
RESIDUAL = "results/small/0/residual.zarr/zarr.json"
TABLE = "results/small/convergence.csv"
BULK = "results/bulk/tungsten.zarr"


def age(path: Path, seconds: float) -> None:
    """Set the time of all files below a folder back (or forth)."""
    then = time.time() - seconds
    for file in [path, *path.rglob("*")]:
        os.utime(file, (then, then))


def computed_nothing(case: Undisturbed) -> None:
    """No QM call was made, and the results are as they were."""
    assert calls(case.project).total() == 0
    assert differences(case.untouched, case.project) == []


def test_a_damaged_store_is_refused_with_advice_that_works(tiny: Undisturbed) -> None:
    """A chunk is cut short: the job that reads it fails and says what to do; done, nothing is asked of the QM model."""
    project = tiny.finished()
    files = [path for path in (project.folder / SOLUTION).rglob("c/*/**/*") if path.is_file()]
    chunk = max(files, key=lambda path: path.stat().st_size)
    content = chunk.read_bytes()
    chunk.write_bytes(content[: len(content) // 2])
    for path in RESIDUAL, TABLE:
        (project.folder / path).unlink()
    done = tiny.run()
    assert done.returncode != 0
    assert f"StoreError: {SOLUTION} " in done.stdout
    assert "Delete" in done.stdout and "rerun" in done.stdout
    assert not (project.folder / RESIDUAL).exists()
    (project.folder / SOLUTION / "zarr.json").unlink()
    assert tiny.run().returncode == 0
    computed_nothing(tiny)


@pytest.mark.parametrize(
    ("trouble", "limit", "words"),
    [
        ("nan 20", None, "as NaN or infinity"),
        pytest.param("raise 20", None, "the licence server is away", marks=pytest.mark.slow),
        pytest.param("hang 20", 20.0, "no answer within 20 s", marks=pytest.mark.slow),
    ],
)
def test_a_call_that_fails_once_is_asked_again_and_logged(
    trouble: str, limit: float | None, words: str, tiny: Undisturbed
) -> None:
    """The default of one retry: the run goes on, the log says what happened, and no value is wrong."""
    project = tiny.waiting()
    file = project.overlay("limit", {"materials": {"tungsten": {"qm": {"time_limit": limit}}}})[1:]
    done = project.snakemake(
        f"{BULK}/zarr.json",
        config=(*tiny.config, *file),
        path=INJECT,
        variables={**variables(project), "QMFRONT_TROUBLE": trouble},
    )
    assert done.returncode == 0, done.stdout
    log = project.text("logs/bulk/tungsten.log")
    assert log.count("try 1 of 2 failed, asking a new calculator") == 1
    assert words in log
    assert calls(project).total() == journaled(project).total() + 1
    assert different_arrays(stores(project)[BULK], stores(tiny.untouched)[BULK]) == []


@pytest.mark.slow
def test_two_at_once(tiny: Undisturbed) -> None:
    """The second Snakemake is refused while the first is at work, and harms nothing."""
    project = tiny.waiting()
    first = subprocess.Popen(
        project.command(*tiny.targets, config=tiny.config),
        cwd=project.folder,
        env=environment(INJECT, variables(project)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while calls(project).total() < 10:
            assert first.poll() is None
            time.sleep(0.05)
        second = tiny.run()
    finally:
        code = first.wait(300)
    assert second.returncode != 0 and "Another run is at work in this folder" in second.stdout
    assert code == 0
    assert calls(project).total() == journaled(project).total()
    assert differences(tiny.untouched, project) == []


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [20 * 365 * 86400.0, -86400.0], ids=["twenty years back", "a day ahead"])
def test_a_clock_that_jumped(seconds: float, tiny: Undisturbed) -> None:
    """Files older than what they were made from, or of tomorrow: at worst jobs run again, with no QM call."""
    project = tiny.finished()
    age(project.folder / SOLUTION, seconds)
    age(project.folder / "work/journal", seconds)
    assert tiny.run().returncode == 0
    computed_nothing(tiny)


@pytest.mark.slow
def test_a_damaged_entry_of_the_journal_is_computed_again(tiny: Undisturbed) -> None:
    """And nothing else: the model gives the same forces whatever it was asked before, so that the solve goes on as it
    did.
    """
    project = tiny.finished()
    entry = sorted((project.folder / "work/journal").glob("??/*.npz"), key=lambda path: path.stat().st_mtime)[
        -3
    ]
    entry.write_bytes(entry.read_bytes()[:-7])
    for path in (f"{SOLUTION}/zarr.json", RESIDUAL, TABLE):
        (project.folder / path).unlink()
    assert tiny.run().returncode == 0
    assert calls(project).total() == 1
    assert entry.with_suffix(".damaged").exists() and entry.exists()
    assert differences(tiny.untouched, project) == []


@pytest.mark.slow
@pytest.mark.parametrize("ill", ["full", "read-only"])
def test_a_disk_that_is_full_or_read_only(ill: str, tiny: Undisturbed) -> None:
    """The run stops with advice; with room again it goes on and ends with the same results."""
    project = tiny.waiting()
    results = project.folder / "results"
    size = "300k" if ill == "full" else "64m"
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", results]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount")
    try:
        shutil.copytree(tiny.untouched.folder / "results" / PREFLIGHT, results / PREFLIGHT)
        if ill == "read-only":
            subprocess.run(["mount", "-o", "remount,ro", results], check=True)
        done = tiny.run()
        assert done.returncode != 0
        assert "No space left on device" in done.stdout or "Read-only file system" in done.stdout
        subprocess.run(["mount", "-o", "remount,rw,size=64m", results], check=True)
        done = tiny.run()
        assert done.returncode == 0, done.stdout
        assert calls(project).total() == journaled(project).total()
        assert differences(tiny.untouched, project) == []
    finally:
        subprocess.run(["umount", results], check=True)


@pytest.mark.slow
def test_an_evaluation_is_shared_between_cases(tiny: Undisturbed) -> None:
    """A second case with the same defect and first partition asks the same questions: no QM call is made for it."""
    project = tiny.finished()
    text = project.text("config/cases/small.yaml").replace("smallest disc", "the same disc again")
    (project.folder / "config/cases/twin.yaml").write_text(text, encoding="utf-8")
    (project.folder / "config/twin.yaml").write_text("cases: [small, twin]\n", encoding="utf-8")
    done = project.snakemake(
        "results/twin/convergence.csv",
        config=(*tiny.config, "config/twin.yaml"),
        path=INJECT,
        variables=variables(project),
    )
    assert done.returncode == 0, done.stdout
    assert "Solve twin, iteration 0" in done.stdout
    assert calls(project).total() == 0


@pytest.mark.slow
def test_one_core_and_eight_give_the_same(small: Undisturbed) -> None:
    """Partitions, energies and all other results agree to 1e-10 of the largest number."""
    for cores in (1, 8):
        project = small.waiting()
        done = project.snakemake(config=small.config, path=INJECT, variables=variables(project), cores=cores)
        assert done.returncode == 0, done.stdout
        assert differences(small.untouched, project) == []


@pytest.mark.slow
def test_a_case_that_fails_does_not_hide_the_others(tiny: Undisturbed) -> None:
    """With --keep-going: the page shows what ended, and says why the other did not."""
    project = tiny.finished()
    text = f"{project.text('config/cases/small.yaml')}solve: {{max_calls: 1}}\ninitial_region: {{radius_r0: 3.0}}\n"
    (project.folder / "config/cases/twin.yaml").write_text(text, encoding="utf-8")
    (project.folder / "config/twin.yaml").write_text("cases: [small, twin]\n", encoding="utf-8")
    done = project.snakemake(
        "--keep-going",
        "results/small/convergence.csv",
        "results/twin/convergence.csv",
        config=(*tiny.config, "config/twin.yaml"),
        path=INJECT,
        variables=variables(project),
    )
    (project.folder / "config/cases/twin.yaml").unlink()
    assert done.returncode != 0
    assert "1 of 2 cases ended, results/unfinished.html shows them. Without a result:" in done.stdout
    assert "  twin: logs/twin/0/solve.log: " in done.stdout
    page = project.text("results/unfinished.html")
    assert "smallest disc" in page and "solve.max_calls" in page
