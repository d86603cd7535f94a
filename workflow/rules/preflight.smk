# Whether a reference model can be trusted, and what the cases will cost. Nothing asks for a plan but the target `plans`
# (make plan); with one, jobs ask a cluster for the time and memory in it.
from qmfront.config.job_settings import PlanSettings


use rule timed_job as preflight with:
    input:
        # A model that was trusted stays trusted when the checks are edited. Not at the rules that use the verdict: with
        # an outdated file that is ancient for another rule, Snakemake forgets everything behind it in that run.
        **qm_code("preflight.py") | {"code": ancient(code("preflight.py"))},
    output:
        table="results/preflight/{material}.json",
        page="results/preflight/{material}.md",
    pathvars:
        job="preflight/{material}",
    params:
        qm=qm_of,
        crystal=lambda w: study.materials[w.material].crystal.plain(),
        settings=lambda w: study.materials[w.material].plain("preflight", "force_constants", "stress_samples"),
    message:
        "Preflight of the reference model of {wildcards.material}"


use rule job as plan with:
    input:
        **qm_code("plan.py"),
        structure=lambda w: defect_files(w.case).get("file", []),
        preflight=lambda w: f"results/preflight/{material_of(w)}.json",
    output:
        table="results/plan/{case}.json",
        page="results/plan/{case}.md",
    pathvars:
        job="plan/{case}",
    params:
        qm=qm_of,
        settings=lambda w: PlanSettings.of(study, w.case).plain(),
        # a plan learns from what is finished
        finished=lambda w: len(list(Path("results", w.case).glob("[0-9]*/estimate.json"))),
    message:
        "Plan of {wildcards.case}"
