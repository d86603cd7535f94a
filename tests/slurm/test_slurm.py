"""On a real SLURM: jobs that fail, are cancelled, wait for a drained node, run out of time, or lose their Snakemake.

Needs root, the plug-in of Snakemake and the Debian packages that `cluster.sh` names; skipped without.
"""

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.calls import calls, journaled
from tests.faults.comparing import differences
from tests.faults.killing import stores
from tests.slurm.submitted import Submitted, active, jobs, slurm, wait_until
from tests.workflow.project import ROOT, Project

pytestmark = pytest.mark.slow


def test_a_failed_job_is_submitted_again(crystal: Submitted) -> None:
    """Its calculator raises once; the second job takes what the first one finished from the journal."""
    (crystal.project.folder / "config/strict.yaml").write_text("materials: {tungsten: {qm: {retries: 0}}}\n")
    strict = Submitted(crystal.project, (*crystal.config, "config/strict.yaml"), crystal.targets)
    before = set(jobs())
    said = strict.run(trouble="raise 20")
    assert "Trying to restart job" in said
    assert sorted(jobs()[number] for number in set(jobs()) - before) == ["COMPLETED", "FAILED"]
    finished(strict, lost=1)


def test_a_cancelled_job_is_submitted_again(crystal: Submitted) -> None:
    before = set(jobs())
    with crystal.started(trouble="slow 0.2") as process:
        wait_until(lambda: crystal.begun() >= 15, what="the 15th QM call")
        (number,) = active()
        slurm("scancel", number)
        process.wait(300)
    assert process.returncode == 0, crystal.said.read_text(encoding="utf-8")
    assert sorted(jobs()[number] for number in set(jobs()) - before) == ["CANCELLED", "COMPLETED"]
    finished(crystal, lost=1)


def test_a_drained_node_delays_and_loses_nothing(crystal: Submitted) -> None:
    node = os.uname().nodename.split(".")[0]
    slurm("scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    try:
        with crystal.started() as process:
            wait_until(lambda: "PENDING" in jobs().values(), what="a job that waits")
            assert crystal.begun() == 0
            slurm("scontrol", "update", f"nodename={node}", "state=resume")
            process.wait(300)
    finally:
        with suppress(subprocess.CalledProcessError):  # it was resumed already
            slurm("scontrol", "update", f"nodename={node}", "state=resume")
    assert process.returncode == 0, crystal.said.read_text(encoding="utf-8")
    finished(crystal, lost=0)


def test_kill_9_of_snakemake_leaves_its_job_to_finish(crystal: Submitted) -> None:
    """The next run submits the job a second time; it waits for the first one and repeats nothing."""
    with crystal.started(trouble="slow 0.8") as process:
        wait_until(lambda: crystal.begun() >= 10, what="the 10th QM call")
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    orphan = active()
    assert len(orphan) == 1
    crystal.run(trouble="slow 0.8")
    log = (crystal.project.folder / "logs/bulk/tungsten.log").read_text(encoding="utf-8")
    assert "Waiting for this job, which another process holds." in log
    assert jobs()[orphan[0]] == "COMPLETED"
    finished(crystal, lost=0)


def test_a_job_that_runs_out_of_time_goes_on_in_the_next(crystal: Submitted) -> None:
    before = set(jobs())
    crystal.run("--set-resources", "bulk:runtime=1", "--retries", "6", trouble="slow 1.0")
    states = sorted(jobs()[number] for number in set(jobs()) - before)
    assert states[-1] == "TIMEOUT" and states[0] == "COMPLETED"
    finished(crystal, lost=states.count("TIMEOUT"))


def finished(crystal: Submitted, *, lost: int) -> None:
    """The store is whole; of the QM calls only those in flight were begun twice."""
    assert list(stores(crystal.project)) == ["results/bulk/tungsten.zarr"]
    assert crystal.lost() <= lost
    again = [
        name for name, number in calls(crystal.project).items() if number > journaled(crystal.project)[name]
    ]
    assert len(again) <= lost


def test_the_whole_study_is_the_same_as_on_one_machine(cluster: None, tmp_path: Path) -> None:
    """The minimal study by sbatch, several jobs at a time, and on eight cores: all results agree to 1e-10.

    The QM calls of one training stage are scattered over three jobs.
    """
    config = ("config/studies/minimal.yaml",)
    local, remote = (Project.copy_of(ROOT, tmp_path / name / "project") for name in ("local", "remote"))
    scattered = remote.overlay("scattered", {"potentials": {"minimal_surface": {"jobs": 3}}})[1:]
    submitted, most, before = Submitted(remote, (*config, *scattered), ()), 0, set(jobs())
    with submitted.started() as process:
        while process.poll() is None:
            most = max(most, sum(state == "RUNNING" for state in jobs().values()))
            time.sleep(1.0)
    assert process.returncode == 0, submitted.said.read_text(encoding="utf-8")
    assert most >= 2
    states = {jobs()[number] for number in set(jobs()) - before}
    assert states == {"COMPLETED"}
    parts = [
        json.loads(remote.text(f"results/potentials/minimal_surface/shares/{number}.json"))
        for number in range(3)
    ]
    assert min(part["computed"] for part in parts) > 5
    training = remote.text("logs/potentials/minimal_surface/training.log").splitlines()
    calls_of_training = [line for line in training if "QM call" in line]
    assert len(calls_of_training) > 20 and all("(cached)" in line for line in calls_of_training)
    done = local.snakemake(config=config, cores=8)
    assert done.returncode == 0, done.stdout
    assert differences(local, remote) == []


def test_patches_of_a_divided_domain_are_jobs_of_their_own(cluster: None, tmp_path: Path) -> None:
    """Tight binding on 66 atoms: two jobs with four tiles each give the forces of one call on the whole."""
    project = Project.copy_of(ROOT, tmp_path / "project")
    target, before = "results/di_66/0/divided.json", set(jobs())
    submitted = Submitted(project, ("config/studies/points_minimal.yaml",), (target,))
    said = submitted.run()
    assert said.count("QM forces on tiles of di_66") >= 2
    assert {jobs()[number] for number in set(jobs()) - before} == {"COMPLETED"}
    found = json.loads(project.text(target))
    assert found["n_atoms"] == 66 and found["boxes"] == 8 and found["jobs"] == 2
    assert found["largest_error"] < 1e-8
