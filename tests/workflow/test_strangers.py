"""What strangers send is data: a dry run of their files starts no program."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.project import environment

STUDY = """
__use_yte__: true
cases: [minimal]
figures: null
potentials:
  minimal:
    ?[__import__("os").system("touch {made}"), "matching"][1]: 1
    basis: {{cutoff: 5.0, order: 2, max_degree: [12, 12]}}
"""


@pytest.mark.parametrize(
    "way", ["in the folder", "the other way to start it", "Snakefile", "workflow/Snakefile"]
)
def test_expressions_of_a_configuration_are_not_run(way: str, fresh: Any, tmp_path: Path) -> None:
    """Snakemake evaluates them before it reads the Snakefile, and the profile that is read earlier prevents that."""
    made, study = tmp_path / "made", tmp_path / "study.yaml"
    study.write_text(STUDY.format(made=made), encoding="utf-8")
    command = [sys.executable, "-m", "snakemake"]
    if way == "the other way to start it":
        command = [str(shutil.which("snakemake", path=str(Path(sys.executable).parent)))]
    snakefile = ["-s", str(fresh.folder / way)] if way.endswith("Snakefile") else []
    done = subprocess.run(
        [*command, *snakefile, "--cores", "1", "--dry-run", "--configfile", str(study)],
        cwd=tmp_path if snakefile else fresh.folder,
        env=environment(),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert "study.yaml: __use_yte__ asks Snakemake to run the expressions" in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
    assert not made.exists()


def test_without_the_profile_the_file_is_refused_at_least(fresh: Any, tmp_path: Path) -> None:
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.format(made=tmp_path / "made"), encoding="utf-8")
    done = fresh.snakemake("--workflow-profile", "none", "--dry-run", config=(str(study),))
    assert done.returncode != 0
    assert "__use_yte__ asks Snakemake to run the expressions" in done.stdout
