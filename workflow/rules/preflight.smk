rule preflight:
    input:
        # A model that was trusted stays trusted when the checks are edited. Not at the rules that use the verdict: with
        # an outdated file that is ancient for another rule, Snakemake forgets everything behind it in that run.
        code=ancient(code("preflight.py")),
        qm_code=lambda w: qm_code(w.material),
        qm_files=lambda w: qm_files(w.material),
    output:
        table="results/preflight/{material}.json",
        page="results/preflight/{material}.md",
    log:
        "logs/preflight/{material}.log",
    benchmark:
        "results/benchmarks/preflight/{material}.tsv"
    conda:
        "../../envs/environment.yaml"
    threads: 1
    params:
        crystal=lambda w: study.materials[w.material].crystal.model_dump(mode="json"),
        qm=lambda w: qm_spec(w.material),
        settings=lambda w: study.materials[w.material].model_dump(
            mode="json", include={"preflight", "force_constants", "stress_samples"}
        ),
    message:
        "Preflight of the reference model of {wildcards.material}"
    script:
        "../../scripts/preflight.py"
