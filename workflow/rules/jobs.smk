# What jobs have in common; the others are made from these. The script of a job is the one whose code it follows.


rule job:
    log:
        "logs/<job>.log",
    pathvars:
        job="job",
    conda:
        "../../envs/environment.yaml"
    params:
        script=lambda w, input: Path(input.code).stem,
    script:
        "../../scripts/{params.script}"


use rule job as timed_job with:
    benchmark:
        "results/benchmarks/<job>.tsv"  # what they took


use rule timed_job as qm_job with:
    resources:
        **QM_CALLS,
    params:
        qm=qm_of,
        journal=JOURNAL,
