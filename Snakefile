"""qmfront: adaptive QM/MM for crystalline defects. `snakemake --cores 8` computes the study of config/config.yaml."""

import os
import sys
from pathlib import Path

from snakemake.utils import min_version, validate

from qmfront.config.guard import guard_snakemake
from qmfront.config.load import load
from qmfront.plan.dry_run import refuse_before_jobs
from qmfront.report.unfinished import show_what_ended
from qmfront.storage.holders import hold

min_version("9.22")
guard_snakemake()  # done by profiles/default where that is read
if workflow.is_main_process:
    hold(Path.cwd(), sys.argv)

# Snakemake starts scripts by this path without quotes; a relative one is without the blanks of the folders above.
if " " in sys.executable:
    sys.executable = os.path.relpath(sys.executable)


# What names its cases is a study of its own; what names none, such as --config key=value, changes the default study.
if "cases" not in config:

    configfile: "config/config.yaml"


study = load(config, Path.cwd(), library=Path(workflow.basedir), files=workflow.configfiles)
validate(config, "workflow/schemas/config.schema.json")
refuse_before_jobs(study, Path.cwd(), sys.argv, is_main=workflow.is_main_process)


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/jobs.smk"
include: "workflow/rules/preflight.smk"
include: "workflow/rules/bulk.smk"
include: "workflow/rules/potential.smk"
include: "workflow/rules/structure.smk"
include: "workflow/rules/adapt.smk"
include: "workflow/rules/finished.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/checks.smk"
include: "workflow/rules/stages.smk"


rule all:
    default_target: True
    input:
        # Snakemake follows a checkpoint that wants more iterations only for a job that has to run.
        STAGES["adapt"],
        expand(rules.convergence.output.xyz, case=study.cases),
        rules.verdict.output.verdict,
    localrule: True


onerror:
    show_what_ended(study, log, workflow.dag.needrun_jobs())
