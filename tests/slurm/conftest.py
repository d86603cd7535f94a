"""A real SLURM of one node, and a project whose jobs go to it."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cases import prepared
from tests.slurm.submitted import Submitted

SCRIPT = Path(__file__).with_name("cluster.sh")
CPUS = 8


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """slurmctld and slurmd on this machine, with more processors than it may have."""
    for needed, found in (
        ("root", os.geteuid() == 0),
        ("snakemake-executor-plugin-slurm", importlib.util.find_spec("snakemake_executor_plugin_slurm")),
        ("the Debian packages slurmctld, slurmd, slurm-client and munge", shutil.which("sbatch")),
        ("a machine that belongs to no cluster", not Path("/etc/slurm/slurm.conf").exists()),
    ):
        if not found:
            pytest.skip(f"needs {needed}")
    folder = tmp_path_factory.mktemp("cluster")
    subprocess.run([SCRIPT, "start", folder, str(CPUS)], check=True, timeout=60)
    yield
    subprocess.run([SCRIPT, "stop", folder], check=True, timeout=60)


@pytest.fixture
def crystal(cluster: None, tmp_path: Path) -> Submitted:
    """The perfect crystal of the small case, one job with some 70 QM calls."""
    project, config = prepared(tmp_path, {})
    return Submitted(project, config, ("results/bulk/tungsten.zarr/zarr.json",))
