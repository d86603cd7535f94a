"""The workflow in the hands of others: as a module of their own workflow, and in the catalogue of workflows."""

import re
import subprocess
import sys
from pathlib import Path

import yaml
from ase.build import bulk

from qmfront.config.load import load
from tests.workflow.project import ROOT, environment

OUTER = """
module qmfront:
    snakefile: "{root}/workflow/Snakefile"
    config: config


use rule * from qmfront as qmfront_*


rule last_bar:
    default_target: True
    input:
        "results/minimal/convergence.csv",
    output:
        "last_bar.txt",
    shell:
        "tail -n 1 {{input}} > {{output}}"
"""


def test_a_module_of_another_workflow(tmp_path: Path) -> None:
    """Its rules have other names there, and its scripts are found from any folder."""
    (tmp_path / "Snakefile").write_text(OUTER.format(root=ROOT), encoding="utf-8")
    study = ROOT / "config/studies/minimal.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--configfile", str(study)],
        cwd=tmp_path,
        env=environment(),
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    jobs = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, re.MULTILINE))
    assert {"last_bar", "qmfront_bulk", "qmfront_solve", "qmfront_adapt", "qmfront_convergence"} <= set(jobs)


def test_what_the_catalogue_of_workflows_asks_for() -> None:
    told = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text(encoding="utf-8"))["usage"]
    assert told["report"] and told["software-stack-deployment"]["conda"]
    assert (ROOT / "workflow/Snakefile").is_file() and (ROOT / "config/config.yaml").is_file()


def test_the_study_in_the_readme_of_config_loads(tmp_path: Path) -> None:
    text = (ROOT / "config/README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    copper = bulk("Cu", cubic=True) * (6, 6, 6)
    del copper[0]
    copper.write(tmp_path / "vacancy.extxyz")
    study = load(yaml.safe_load(example), tmp_path, library=ROOT)
    assert list(study.cases) == ["mine"] and study.cases["mine"].material == "copper"
